import { type Test, test } from 'tap'
import { FleetError } from '../../src/fleet/errors.ts'
import type { JsonObject } from '../../src/fleet/intents.ts'
import { MATTERMOST } from '../../src/fleet/observed/mattermost.ts'
import { type LiveObject, objectKey, type ResourceKind } from '../../src/fleet/observed/objects.ts'
import type { ClusterApi } from '../../src/ports/clusters.ts'
import type { Drift } from '../../src/ports/drifts.ts'
import { type DriftDetector, startDriftDetector } from '../../src/reconcile/drift-detector.ts'
import { systemClock } from '../../src/system/clock.ts'
import { id } from '../support/intents.ts'

const ID = id(1)
const APPLIED = {
  manager: 'argocd-controller',
  operation: 'Apply',
  time: '2026-11-24T10:00:00Z',
  fieldsV1: { 'f:spec': { 'f:replicas': {} } },
}
const EDITED = {
  manager: 'kubectl-edit',
  operation: 'Update',
  time: '2026-11-24T11:00:00Z',
  fieldsV1: { 'f:spec': { 'f:replicas': {} } },
}

function mattermost(
  replicas: number,
  managedFields: readonly JsonObject[] = [APPLIED],
  name = 'mm',
): LiveObject {
  return {
    apiVersion: 'installation.mattermost.com/v1beta1',
    kind: 'Mattermost',
    metadata: { name, namespace: ID, managedFields },
    spec: { replicas },
  }
}

function document(replicas: number, name = 'mm'): JsonObject {
  return {
    apiVersion: 'installation.mattermost.com/v1beta1',
    kind: 'Mattermost',
    metadata: { name, namespace: ID },
    spec: { replicas },
  }
}

interface World {
  readonly detector: DriftDetector
  readonly live: Map<string, LiveObject>
  wanted: readonly JsonObject[]
  settled: boolean
  /** What a dry run answers; by default what is wanted. */
  dryRun: (wanted: LiveObject) => LiveObject
  /** An object changes, and the watch tells. */
  put(object: LiveObject): void
  remove(object: LiveObject): void
  until(count: number): Promise<readonly Drift[]>
  /** Nothing is reported for a while. */
  quiet(): Promise<void>
}

function world(t: Test, wanted: readonly JsonObject[]): World {
  const live = new Map<string, LiveObject>()
  const keyOf = ({ metadata }: LiveObject): string =>
    objectKey(MATTERMOST, metadata.namespace ?? '', metadata.name)
  const api = {
    get: async (kind: ResourceKind, namespace: string | undefined, name: string) =>
      live.get(objectKey(kind, namespace ?? '', name)),
    dryRunApply: async (_kind: ResourceKind, object: LiveObject) => state.dryRun(object),
  }
  const detector = startDriftDetector({
    manifests: { of: async () => state.wanted },
    // Only these two are asked.
    api: () => api as unknown as ClusterApi,
    engineOf: () => 'argocd',
    isSettled: () => state.settled,
    secretNames: () => [],
    clock: systemClock,
    onError: (error) => t.fail(String(error)),
  })
  t.teardown(() => detector.close())
  const state: World = {
    detector,
    live,
    wanted,
    settled: true,
    dryRun: (object) => object,
    put(object) {
      live.set(keyOf(object), object)
      detector.object('prod-1', MATTERMOST, object, false)
    },
    remove(object) {
      live.delete(keyOf(object))
      detector.object('prod-1', MATTERMOST, object, true)
    },
    async until(count) {
      for (let at = 0; at < 300 && detector.all().length !== count; at += 1)
        await new Promise((resolve) => setTimeout(resolve, 10))
      t.equal(detector.all().length, count, `${count} drifts`)
      return detector.all()
    },
    async quiet() {
      await new Promise((resolve) => setTimeout(resolve, 700))
      t.strictSame(detector.all(), [])
    },
  }
  return state
}

test('an edit by hand is reported with field, values and manager, and gone when it is put right', async (t) => {
  const bed = world(t, [document(2)])
  bed.put(mattermost(2))
  await bed.quiet()
  bed.put(mattermost(5, [APPLIED, EDITED]))
  const [drift] = await bed.until(1)
  t.match(drift, {
    cluster: 'prod-1',
    installation: ID,
    type: 'changed',
    object: { kind: 'Mattermost', namespace: ID, name: 'mm' },
    fields: [
      { path: 'spec.replicas', wanted: 2, found: 5, manager: { name: 'kubectl-edit', operation: 'Update' } },
    ],
    confirmedBy: 'dry-run',
  })
  bed.put(mattermost(2))
  await bed.until(0)
})

test('what is put right before the second look is not reported', async (t) => {
  const bed = world(t, [document(2)])
  bed.put(mattermost(2))
  bed.put(mattermost(5))
  await new Promise((resolve) => setTimeout(resolve, 50))
  bed.put(mattermost(2))
  await bed.quiet()
})

test('while the engine has not applied what git has, nothing is drift', async (t) => {
  const bed = world(t, [document(2)])
  bed.settled = false
  bed.put(mattermost(5))
  await bed.quiet()
  bed.settled = true
  await bed.until(1)
})

test('what admission changes each time is not drift', async (t) => {
  const bed = world(t, [document(2)])
  bed.dryRun = () => mattermost(5)
  bed.put(mattermost(5))
  await bed.quiet()
})

test('without the right to a dry run a second look decides', async (t) => {
  const bed = world(t, [document(2)])
  bed.dryRun = () => {
    throw new FleetError('cluster-forbidden', 'no')
  }
  bed.put(mattermost(5))
  t.match(await bed.until(1), [{ confirmedBy: 'second-look' }])
})

test('what is gone is missing, what git has no more is extra, what others made is theirs', async (t) => {
  const bed = world(t, [document(2)])
  bed.put(mattermost(2))
  bed.put(mattermost(1, [], 'by-hand'))
  await bed.quiet()
  bed.remove(mattermost(2))
  t.match(await bed.until(1), [{ type: 'missing', object: { name: 'mm' } }])
  bed.put(mattermost(2))
  await bed.until(0)
  bed.wanted = []
  bed.detector.wantedChanged('prod-1', ID)
  t.match(await bed.until(1), [{ type: 'extra', object: { name: 'mm' } }])
  bed.remove(mattermost(2))
  await bed.until(0)
})

test('what was never there is missing once the engine says that it applied it', async (t) => {
  const bed = world(t, [document(2)])
  bed.detector.wantedChanged('prod-1', ID)
  t.match(await bed.until(1), [{ type: 'missing', confirmedBy: 'second-look' }])
})
