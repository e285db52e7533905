/** Puts the simulated world into the state that a recorded step names; what the original's supervisors would have done. */
import type { Parts } from '../../src/api/context.ts'
import { newId } from '../../src/api/wire/values.ts'
import type { Fleet } from '../../src/fleet/fleet.ts'
import type { Id } from '../../src/fleet/ids.ts'
import { changeOf } from '../../src/fleet/transactions/installations/common.ts'
import type { ObservedKind } from '../../src/ports/observations.ts'

type Step = Readonly<Record<string, unknown>>

const KINDS: readonly ObservedKind[] = ['installation', 'cluster', 'clusterInstallation', 'group']

/** @throws Error for what is not there, or not supported */
export async function applySetup(parts: Parts, step: Step): Promise<object> {
  if (typeof step.create === 'string') return await create(parts, step.create, step)
  const kind = KINDS.find((name) => typeof step[name] === 'string')
  if (kind === undefined) throw new Error(`no setup for ${Object.keys(step).join(', ')}`)
  const id = step[kind] as Id
  const generation = generationOf(parts.writer.fleet, kind, id)
  if (typeof step.state === 'string')
    parts.observations.set(kind, id, { state: step.state, generation, observedAt: parts.clock.now() })
  if (typeof step.groupSequence === 'number') {
    const seen = parts.observations.get(kind, id)
    const state = seen?.state ?? 'stable'
    parts.observations.set(kind, id, {
      state,
      generation,
      observedAt: parts.clock.now(),
      groupSequence: step.groupSequence,
    })
  }
  if (step.lock === 'held') parts.leases.acquire(kind, id, 'somebody-else')
  if (step.lock === 'free') parts.leases.release(kind, id, 'somebody-else')
  if (step.schedulingLock === 'held') parts.leases.acquire(kind, id, 'somebody-else', 'scheduling')
  if (step.schedulingLock === 'free') parts.leases.release(kind, id, 'somebody-else', 'scheduling')
  const other = Object.keys(step).filter(
    (key) => ![kind, 'state', 'lock', 'schedulingLock', 'groupSequence'].includes(key),
  )
  if (other.length > 0) throw new Error(`no setup for ${kind} ${other.join(', ')}`)
  return { ID: id }
}

function generationOf(fleet: Fleet, kind: ObservedKind, id: Id): number {
  if (kind === 'installation') return require(fleet.installation(id)).spec.operation.generation
  if (kind === 'cluster') return require(fleet.clusterById(id)).spec.operation.generation
  if (kind === 'group') return require(fleet.groupById(id)).spec.sequence
  const owner = fleet
    .installations()
    .find(({ spec }) => spec.clusterInstallations?.some((deployment) => deployment.id === id))
  return require(owner).spec.operation.generation
}

function require<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error('there is no such row')
  return value
}

async function create(parts: Parts, what: string, step: Step): Promise<object> {
  if (what === 'vpc') return { ID: 'vpc-0a1b2c3d' }
  if (what === 'secret') {
    const content = typeof step.content === 'string' ? step.content : JSON.stringify(step.content)
    await parts.secrets.put(String(step.name), content)
    return { ID: step.name }
  }
  if (what === 'clusterInstallation') return await createClusterInstallation(parts, step)
  throw new Error(`no setup for ${what}`)
}

async function createClusterInstallation(parts: Parts, step: Step): Promise<object> {
  const id = newId(parts.randomness)
  const now = parts.clock.now()
  await parts.writer.submit(
    (fleet) => {
      const installation = require(fleet.installation(step.installation as Id))
      const cluster = require(fleet.clusterById(step.cluster as Id)).metadata.name
      const active = step.isActive !== false
      const deployment = { id, cluster, createdAt: new Date(now).toISOString(), active }
      const clusterInstallations = [...(installation.spec.clusterInstallations ?? []), deployment]
      const placed = installation.spec.placement ?? { cluster }
      const after = {
        ...installation,
        spec: { ...installation.spec, placement: placed, clusterInstallations },
      }
      const waiting =
        installation.spec.placement === undefined
          ? fleet.intent(`requests/${installation.metadata.id}.yaml` as never)
          : undefined
      const removal =
        waiting === undefined
          ? []
          : [
              {
                path: `requests/${installation.metadata.id}.yaml` as never,
                before: waiting,
                after: undefined,
              },
            ]
      return {
        changes: [...removal, ...changeOf(fleet, after)],
        text: { subject: 'Set up', trailers: {} },
        value: undefined,
      }
    },
    { requestId: id, actor: { name: 'setup', email: 'setup@example.com' }, now },
  )
  if (typeof step.state === 'string')
    parts.observations.set('clusterInstallation', id, { state: step.state, generation: 1, observedAt: now })
  return { ID: id }
}
