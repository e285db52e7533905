/** What Crossplane says on the control cluster of what clusters are made of, by cluster. */
import {
  CLUSTER_LABEL,
  clusterOf,
  INFRASTRUCTURE_KINDS,
  INFRASTRUCTURE_NAMESPACE,
} from '../fleet/observed/cluster-infrastructure.ts'
import type { Slug } from '../fleet/intents.ts'
import type { JudgedKind } from '../fleet/observed/kinds.ts'
import { type LiveObject, objectKey } from '../fleet/observed/objects.ts'
import type { ResourceSight } from '../fleet/observed/sight.ts'
import type { Clock } from '../ports/clock.ts'
import type { ClusterApi } from '../ports/clusters.ts'

export interface InfrastructureWorld {
  /** By kind, then name. */
  ofCluster(name: Slug): readonly ResourceSight[]
  close(): Promise<void>
}

export interface InfrastructureWorldOptions {
  /** Of the control cluster. */
  readonly api: ClusterApi
  readonly clock: Clock
}

export function openInfrastructureWorld({ api, clock }: InfrastructureWorldOptions): InfrastructureWorld {
  const clusters = new Map<Slug, Map<string, ResourceSight>>()
  /** Of what vanished unseen only the name is known. */
  const clusterByKey = new Map<string, Slug>()

  function learn({ kind, health }: JudgedKind, object: LiveObject, removed: boolean): void {
    const { name, namespace = '' } = object.metadata
    const key = objectKey(kind, namespace, name)
    const was = clusterByKey.get(key)
    const cluster = removed ? undefined : clusterOf(object)
    const before = was === undefined ? undefined : clusters.get(was)?.get(key)
    if (was !== undefined && was !== cluster) forget(key, was)
    if (cluster === undefined) return
    const report = health(object)
    const same = before?.report.health === report.health && before.report.reason === report.reason
    const resources = clusters.get(cluster) ?? new Map<string, ResourceSight>()
    resources.set(key, { kind: kind.kind, name, report, since: same ? before.since : clock.now() })
    clusters.set(cluster, resources)
    clusterByKey.set(key, cluster)
  }

  function forget(key: string, cluster: Slug): void {
    clusterByKey.delete(key)
    const resources = clusters.get(cluster)
    resources?.delete(key)
    if (resources?.size === 0) clusters.delete(cluster)
  }

  const watches = INFRASTRUCTURE_KINDS.map((judged) =>
    api.watch({
      kind: judged.kind,
      namespace: INFRASTRUCTURE_NAMESPACE,
      labelSelector: CLUSTER_LABEL,
      keep: judged.keep,
      onChange: ({ object, removed }) => learn(judged, object, removed),
    }),
  )
  return {
    ofCluster: (name) =>
      [...(clusters.get(name)?.values() ?? [])].sort(
        (a, b) => a.kind.localeCompare(b.kind, 'en') || a.name.localeCompare(b.name, 'en'),
      ),
    close: async () => void (await Promise.all(watches.map((watch) => watch.close()))),
  }
}
