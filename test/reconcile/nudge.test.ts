import { test } from 'tap'
import { FleetError } from '../../src/fleet/errors.ts'
import { FleetIndex } from '../../src/fleet/fleet-index.ts'
import type { EngineName, FleetSettings } from '../../src/fleet/intents.ts'
import { APPLICATION } from '../../src/fleet/observed/engines.ts'
import type { ResourceKind } from '../../src/fleet/observed/objects.ts'
import { clusterPath, installationPath, manifestPath } from '../../src/fleet/paths.ts'
import type { HeadChange } from '../../src/ports/writer.ts'
import { type Nudge, nudgesOf, startNudger, tell } from '../../src/reconcile/nudge.ts'
import { systemClock } from '../../src/system/clock.ts'
import { cluster, id, settings } from '../support/intents.ts'

function fleetOf(engine: EngineName, spec: Partial<FleetSettings['spec']> = {}): FleetIndex {
  const index = new FleetIndex(settings({ engine, ...spec }))
  index.apply([{ path: clusterPath('prod-1'), before: undefined, after: cluster('prod-1', 500) }])
  return index
}

const written = (number: number): readonly string[] => [
  installationPath('prod-1', id(number)),
  manifestPath('prod-1', id(number)),
]
const short = (nudges: readonly Nudge[]): readonly string[] =>
  nudges.map(({ kind, namespace, name }) => `${kind.kind} ${namespace}/${name}`).sort()

test('Argo CD is told of the one Application; of its ApplicationSet when there is none yet', async (t) => {
  const [nudge, ...more] = nudgesOf(fleetOf('argocd'), { paths: written(1) }, '5')
  t.strictSame(more, [])
  t.match(nudge, {
    kind: APPLICATION,
    namespace: 'argocd',
    name: `mm-${id(1)}`,
    annotations: { 'argocd.argoproj.io/refresh': 'normal' },
  })
  if (nudge === undefined) return
  const told: string[] = []
  const api = (missing: readonly string[]) => ({
    async annotate(kind: ResourceKind, _namespace: string, name: string) {
      told.push(`${kind.kind} ${name}`)
      if (missing.includes(kind.kind)) throw new FleetError('not-found', `${kind.kind} ${name} not found`)
    },
  })
  await tell(api([]), nudge)
  t.strictSame(told.splice(0), [`Application mm-${id(1)}`])
  await tell(api(['Application']), nudge)
  t.strictSame(told.splice(0), [`Application mm-${id(1)}`, 'ApplicationSet prod-1-installations'])
  await tell(api(['Application', 'ApplicationSet']), nudge)
  t.strictSame(told.length, 2, 'what is not there needs no nudge')
})

const SYSTEM: readonly (readonly [EngineName, string, readonly string[]])[] = [
  ['argocd', 'clusters/prod-1/system/control/nginx.yaml', ['Application argocd/prod-1-system']],
  ['argocd', 'clusters/prod-1/system/manifests/observer.yaml', ['Application argocd/prod-1-manifests']],
  ['argocd', 'control/argocd/prod-1.yaml', ['Application argocd/fleetwright']],
  ['argocd', 'control/argocd/_fleet.yaml', ['Application argocd/fleetwright']],
  ['argocd', 'control/flux/_fleet.yaml', []],
  ['argocd', 'control/health-checks/argocd.yaml', []],
  ['flux', 'clusters/prod-1/system/control/nginx.yaml', ['GitRepository flux-system/prod-1-system']],
  ['flux', 'clusters/prod-1/system/manifests/observer.yaml', ['GitRepository flux-system/prod-1-system']],
  ['flux', 'control/flux/prod-1.yaml', ['GitRepository flux-system/fleetwright']],
  ['flux', 'control/argocd/_fleet.yaml', []],
]

test('the system of a cluster and the control folder have units of their own', async (t) => {
  for (const [engine, path, expected] of SYSTEM)
    t.strictSame(short(nudgesOf(fleetOf(engine), { paths: [path] }, '5')), expected, `${engine}: ${path}`)
})

test('Flux is told once of each shard, with a new token', async (t) => {
  const fleet = fleetOf('flux')
  // Ids 1 and 33 have the same first letter.
  const nudges = nudgesOf(fleet, { paths: [...written(1), ...written(33), ...written(2)] }, '5')
  const shards = [id(1), id(2)].map((one) => `GitRepository flux-system/prod-1-shard-${one[0]}`)
  t.strictSame(short(nudges), [...shards].sort())
  t.strictSame(nudges[0]?.annotations, { 'reconcile.fluxcd.io/requestedAt': '5' })
})

test('files that no engine applies nudge nobody', async (t) => {
  t.strictSame(
    nudgesOf(fleetOf('argocd'), { paths: ['README.md', 'fleet.yaml', clusterPath('prod-1')] }, '5'),
    [],
  )
})

interface Stage {
  readonly told: string[]
  readonly errors: unknown[]
  readonly nudger: ReturnType<typeof startNudger>
  push(paths: readonly string[]): void
}

function stage(connected: boolean, fails = false, spec: Partial<FleetSettings['spec']> = {}): Stage {
  const fleet = fleetOf('flux', spec)
  const told: string[] = []
  const errors: unknown[] = []
  let listener: ((head: HeadChange) => void) | undefined
  const nudger = startNudger({
    writer: {
      fleet,
      onChange(given) {
        listener = given
        return () => {
          listener = undefined
        }
      },
    },
    api: {
      contact: { connected, lastContact: undefined },
      async annotate(_kind, _namespace, name) {
        told.push(name)
        if (fails) throw new Error('forbidden')
      },
    },
    clock: systemClock,
    onError: (error) => errors.push(error),
  })
  // Only the paths matter here.
  const push = (paths: readonly string[]): void =>
    listener?.({ to: '' as HeadChange['to'], by: 'fleetwright', changes: [], paths })
  return { told, errors, nudger, push }
}

test('without contact nobody is told, and nothing piles up', async (t) => {
  const { told, nudger, push } = stage(false)
  push(written(1))
  await nudger.close()
  t.strictSame(told, [])
})

test('a nudge that fails is reported and holds nothing back', async (t) => {
  const { told, errors, nudger, push } = stage(true, true)
  push([...written(1), ...written(2)])
  await new Promise((resolve) => setTimeout(resolve, 10))
  push(written(3))
  await new Promise((resolve) => setTimeout(resolve, 10))
  await nudger.close()
  t.equal(told.length, 3)
  t.equal(errors.length, 3)
})

test('a fleet that wants no nudges gets none', async (t) => {
  const { told, nudger, push } = stage(true, false, { nudgeEngines: false })
  push(written(1))
  await nudger.close()
  t.strictSame(told, [])
})
