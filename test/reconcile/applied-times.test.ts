import { test } from 'tap'
import type { IntentChange } from '../../src/fleet/fleet.ts'
import { FleetIndex } from '../../src/fleet/fleet-index.ts'
import type { ObjectId } from '../../src/fleet/ids.ts'
import { clusterPath, installationPath, manifestPath } from '../../src/fleet/paths.ts'
import type { HeadChange } from '../../src/ports/writer.ts'
import { type AppliedTimesOptions, startAppliedTimes } from '../../src/reconcile/applied-times.ts'
import { systemClock } from '../../src/system/clock.ts'
import { cluster, id, installation, settings } from '../support/intents.ts'
import { observed } from '../support/sights.ts'

const CLUSTER = 'prod-1'

function generation(number: number) {
  return installation('acme', 1, {
    placement: { cluster: CLUSTER },
    operation: { kind: 'update', generation: number, requestedAt: '2026-11-24T10:00:00Z' },
  })
}

/** Commits, looks, and says what was timed. */
function bed() {
  const applied: string[] = []
  const fleet = new FleetIndex(settings())
  fleet.apply([
    { path: clusterPath(CLUSTER), before: undefined, after: cluster(CLUSTER, 500) },
    { path: installationPath(CLUSTER, id(1)), before: undefined, after: generation(1) },
  ])
  let now = 0
  let listener: (change: HeadChange) => void = () => undefined
  const writer: AppliedTimesOptions['writer'] = {
    fleet,
    onChange(listens) {
      listener = listens
      return () => undefined
    },
  }
  const times = startAppliedTimes({
    writer,
    clock: { ...systemClock, monotonic: () => now },
    onApplied: (step, engine, seconds) => applied.push(`${step} ${engine} ${seconds}`),
  })
  return {
    applied,
    commit(before: number, after: number) {
      const change: IntentChange = {
        path: installationPath(CLUSTER, id(1)),
        before: generation(before),
        after: generation(after),
      }
      listener({
        to: 'a'.repeat(40) as ObjectId,
        by: 'fleetwright',
        changes: before === after ? [] : [change],
        paths: [manifestPath(CLUSTER, id(1))],
      })
    },
    look(at: number, settled: boolean, operationGeneration: number) {
      now = at
      times.judged(id(1), settled, observed({ mattermost: { operationGeneration } }).sight)
    },
  }
}

test('both steps are timed once, from the commit', async (t) => {
  const { applied, commit, look } = bed()
  commit(1, 2)
  look(500, false, 1)
  look(1_000, false, 2)
  look(1_500, true, 2)
  look(9_000, true, 2)
  t.strictSame(applied, ['live argocd 1', 'synced argocd 1.5'])
})

test('a commit without an operation of its own is not timed by what lived before', async (t) => {
  const { applied, commit, look } = bed()
  commit(2, 2)
  look(500, false, 2)
  look(1_000, true, 2)
  t.strictSame(applied, ['synced argocd 1'])
})

test('what nobody committed is not timed', async (t) => {
  const { applied, look } = bed()
  look(500, true, 2)
  t.strictSame(applied, [])
})
