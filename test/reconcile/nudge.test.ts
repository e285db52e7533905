import { test } from 'tap'
import type { IntentChange } from '../../src/fleet/fleet.ts'
import { FleetIndex } from '../../src/fleet/fleet-index.ts'
import type { EngineName, Installation } from '../../src/fleet/intents.ts'
import { clusterPath, installationPath, manifestPath } from '../../src/fleet/paths.ts'
import type { HeadChange } from '../../src/ports/writer.ts'
import { type Nudge, nudgesOf, startNudger } from '../../src/reconcile/nudge.ts'
import { systemClock } from '../../src/system/clock.ts'
import { cluster, id, installation, settings } from '../support/intents.ts'

function fleetOf(engine: EngineName): FleetIndex {
  const index = new FleetIndex(settings({ engine }))
  index.apply([{ path: clusterPath('prod-1'), before: undefined, after: cluster('prod-1', 500) }])
  return index
}

function placed(number: number): Installation {
  return installation(`acme-${number}`, number, { placement: { cluster: 'prod-1' } })
}

function change(number: number, before?: Installation): IntentChange {
  return { path: installationPath('prod-1', id(number)), before, after: placed(number) }
}

const written = (number: number): readonly string[] => [
  installationPath('prod-1', id(number)),
  manifestPath('prod-1', id(number)),
]
const short = (nudges: readonly Nudge[]): readonly string[] =>
  nudges.map(({ kind, namespace, name }) => `${kind.kind} ${namespace}/${name}`).sort()

test('Argo CD is told of the one Application; of its ApplicationSet when a folder is new', async (t) => {
  const fleet = fleetOf('argocd')
  const changed = nudgesOf(fleet, { paths: written(1), changes: [change(1, placed(1))] }, '5')
  t.strictSame(short(changed), [`Application argocd/mm-${id(1)}`])
  t.strictSame(changed[0]?.annotations, { 'argocd.argoproj.io/refresh': 'normal' })
  const added = nudgesOf(fleet, { paths: written(1), changes: [change(1)] }, '5')
  t.strictSame(short(added), [`Application argocd/mm-${id(1)}`, 'ApplicationSet argocd/prod-1-installations'])
})

test('Flux is told once of each shard, with a new token', async (t) => {
  const fleet = fleetOf('flux')
  // Ids 1 and 33 have the same first letter.
  const nudges = nudgesOf(
    fleet,
    { paths: [...written(1), ...written(33), ...written(2)], changes: [change(1), change(33), change(2)] },
    '5',
  )
  const shards = [id(1), id(2)].map((one) => `GitRepository flux-system/prod-1-shard-${one[0]}`)
  t.strictSame(short(nudges), [...shards].sort())
  t.strictSame(nudges[0]?.annotations, { 'reconcile.fluxcd.io/requestedAt': '5' })
})

test('files that no engine applies nudge nobody', async (t) => {
  t.strictSame(
    nudgesOf(
      fleetOf('argocd'),
      { paths: ['README.md', 'fleet.yaml', clusterPath('prod-1')], changes: [] },
      '5',
    ),
    [],
  )
})

interface Stage {
  readonly told: string[]
  readonly errors: unknown[]
  readonly nudger: ReturnType<typeof startNudger>
  push(paths: readonly string[]): void
}

function stage(connected: boolean, fails = false): Stage {
  const fleet = fleetOf('flux')
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
