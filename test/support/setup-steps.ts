/** Puts the simulated world into the state that a recorded step names; what the original's supervisors would have done. */
import type { Parts } from '../../src/api/context.ts'
import { clusterStateOf } from '../../src/api/views/cluster-seen.ts'
import { stateOf } from '../../src/api/views/installation.ts'
import type { Fleet } from '../../src/fleet/fleet.ts'
import type { Id } from '../../src/fleet/ids.ts'
import type { JsonObject } from '../../src/fleet/intents.ts'
import type { Observation, ObservedKind } from '../../src/ports/observations.ts'
import { createRow, removeLogicalDatabase, removeRow, require, type Step } from './setup-rows.ts'

const KINDS: readonly ObservedKind[] = ['installation', 'cluster', 'clusterInstallation', 'group']
const KNOWN = [
  'state',
  'lock',
  'schedulingLock',
  'groupSequence',
  'deleted',
  'utilityActual',
  'kopsMetadata',
  'eksMetadata',
]
const HOLDER = 'other-owner'

/** @throws Error for what is not there, or not supported */
export async function applySetup(parts: Parts, step: Step): Promise<object> {
  if (typeof step.create === 'string') return await createRow(parts, step.create, step)
  if (typeof step.logicalDatabase === 'string' && step.deleted === true) {
    await removeLogicalDatabase(parts, step.logicalDatabase)
    return { ID: step.logicalDatabase }
  }
  const kind = KINDS.find((name) => typeof step[name] === 'string')
  if (kind === undefined) throw new Error(`no setup for ${Object.keys(step).join(', ')}`)
  const other = Object.keys(step).filter((key) => key !== kind && !KNOWN.includes(key))
  if (other.length > 0) throw new Error(`no setup for ${kind} ${other.join(', ')}`)
  // Whether it is one will be seen: a row must be there.
  const id = step[kind] as Id
  const generation = generationOf(parts.writer.fleet, kind, id)
  const seen = observed(parts, kind, id, step)
  if (seen !== undefined)
    parts.observations.set(kind, id, { ...seen, generation, observedAt: parts.clock.now() })
  setLock(parts, kind, id, step.lock, 'operation')
  setLock(parts, kind, id, step.schedulingLock, 'scheduling')
  if (step.deleted === true) await removeRow(parts, kind, id)
  return { ID: id }
}

/** What is seen from now on; undefined when the step says nothing of it. */
function observed(
  parts: Parts,
  kind: ObservedKind,
  id: Id,
  step: Step,
): Omit<Observation, 'generation' | 'observedAt'> | undefined {
  const seen = parts.observations.get(kind, id)
  const metadata = metadataOf(step)
  const { utilityActual, groupSequence } = step
  if (step.state === undefined && metadata === undefined && !utilityActual && groupSequence === undefined)
    return undefined
  return {
    ...seen,
    state: typeof step.state === 'string' ? step.state : presentState(parts, kind, id),
    ...(typeof groupSequence === 'number' ? { groupSequence } : {}),
    ...(utilityActual === undefined ? {} : { utilities: utilitiesOf(utilityActual as JsonObject) }),
    ...(metadata === undefined ? {} : { metadata, changeApplied: true }),
  }
}

function presentState({ observations, writer, leases }: Parts, kind: ObservedKind, id: Id): string {
  const parts = { observations, leases }
  const { fleet } = writer
  if (kind === 'cluster') return clusterStateOf(parts)(require(fleet.clusterById(id)))
  if (kind === 'installation') return stateOf(parts, fleet, require(fleet.installation(id)))
  return observations.get(kind, id)?.state ?? 'stable'
}

/** Rows of the original have every field. */
function metadataOf({ kopsMetadata, eksMetadata }: Step): JsonObject | undefined {
  const given = (kopsMetadata ?? eksMetadata) as JsonObject | undefined
  if (given === undefined) return undefined
  const { ChangeRequest: _, NodeInstanceGroups: groups, ...rest } = given
  if (groups === undefined) return rest
  const complete = Object.entries(groups as JsonObject).map(([name, group]) => [
    name,
    { AMI: '', ...(group as JsonObject) },
  ])
  return { ...rest, NodeInstanceGroups: Object.fromEntries(complete) }
}

function utilitiesOf(given: JsonObject): NonNullable<Observation['utilities']> {
  const found = Object.entries(given).map(([wireName, utility]) => {
    const { Chart: chart, ValuesPath: valuesPath } = utility as { Chart: string; ValuesPath: string }
    return [wireName.toLowerCase(), { chart, valuesPath }]
  })
  return Object.fromEntries(found)
}

function setLock(
  parts: Parts,
  kind: ObservedKind,
  id: Id,
  wanted: unknown,
  purpose: 'operation' | 'scheduling',
): void {
  if (wanted === 'held') parts.leases.acquire(kind, id, HOLDER, purpose)
  if (wanted === 'free') parts.leases.release(kind, id, HOLDER, purpose)
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
