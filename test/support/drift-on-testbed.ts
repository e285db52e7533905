/** The drift detector on a real API server: its own watches and sweeps, manifests from a map instead of a fleet repository. */
import type { Test } from 'tap'
import type { Cluster } from '../../scripts/testbed/cluster.ts'
import type { Id, ObjectId } from '../../src/fleet/ids.ts'
import type { JsonObject, Slug } from '../../src/fleet/intents.ts'
import { createClusters } from '../../src/kube/clusters.ts'
import type { Drift } from '../../src/ports/drifts.ts'
import { openClusterWorld } from '../../src/reconcile/cluster-world.ts'
import { type DriftDetector, startDriftDetector } from '../../src/reconcile/drift-detector.ts'
import { systemClock, systemRandomness } from '../../src/system/clock.ts'
import { until } from './until.ts'

/** As Argo CD applies. */
export const ENGINE = 'argocd-controller'

export interface DriftBed {
  readonly detector: DriftDetector
  /** What git has now. */
  want(id: Id, documents: readonly JsonObject[]): void
  /** Sweeps, and waits until everything suspicious was looked at again. */
  swept(...ids: readonly Id[]): Promise<readonly Drift[]>
  /** Waits for what the watches tell. */
  told(id: Id, satisfies: (drifts: readonly Drift[]) => boolean): Promise<readonly Drift[]>
}

export async function openDriftBed(t: Test, cluster: Cluster): Promise<DriftBed> {
  const wanted = new Map<Id, { readonly version: ObjectId; readonly documents: readonly JsonObject[] }>()
  const clusters = createClusters({
    credentials: {
      read: async () => ({
        source: 'kubeconfig',
        text: cluster.kubeconfigFor(cluster.token),
        version: '1',
      }),
      onChange: () => () => undefined,
      close: async () => undefined,
    },
    clock: systemClock,
    randomness: systemRandomness,
  })
  const name: Slug = cluster.name
  const api = clusters.get(name)
  const detector = startDriftDetector({
    manifests: {
      of: async (_cluster, id) => wanted.get(id) ?? { version: undefined, documents: [] },
      versionOf: async (_cluster, id) => wanted.get(id)?.version,
    },
    api: () => api,
    engineOf: () => 'argocd',
    isSettled: () => true,
    secretNames: () => [],
    clock: systemClock,
    onError: (error) => t.fail(String(error)),
  })
  const world = openClusterWorld({
    api,
    clock: systemClock,
    onTouch: () => undefined,
    onContact: () => undefined,
    onObject: (kind, object, removed) => detector.object(name, kind, object, removed),
  })
  t.teardown(async () => {
    await world.close()
    await detector.close()
    await clusters.close()
  })
  await until(
    async () => world.fresh,
    (fresh) => fresh,
    60,
  )
  return {
    detector,
    want(id, documents) {
      // As the id of a blob: by content.
      wanted.set(id, { version: JSON.stringify(documents) as ObjectId, documents })
      detector.wantedChanged(name, id)
    },
    async swept(...ids) {
      const { signal } = new AbortController()
      for (let round = 0; round < 30; round += 1) {
        const before = detector.all().length
        const { suspects } = await detector.sweep(name, ids, signal)
        if (suspects === 0) break
        await systemClock.sleep(500)
        // What is drift is suspicious each time.
        if (suspects === detector.all().length && before === suspects) break
      }
      return ids.flatMap((id) => detector.of(id))
    },
    told: (id, satisfies) => until(async () => detector.of(id), satisfies, 30),
  }
}
