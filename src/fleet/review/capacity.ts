/** How full the clusters get that a change touches. */
import type { Fleet, IntentChange } from '../fleet.ts'
import type { Cluster, FleetSettings, Slug } from '../intents.ts'
import { installationLimit } from '../placement.ts'
import type { ClusterCapacity } from './plan.ts'

/** @param roomChanges by cluster, how many installations more */
export function clusterCapacities(
  net: readonly IntentChange[],
  roomChanges: ReadonlyMap<Slug, number>,
  was: FleetSettings,
  after: Fleet,
): readonly ClusterCapacity[] {
  const old = new Map(
    net.flatMap(({ before }) =>
      before?.kind === 'Cluster' ? [[before.metadata.name, before] as const] : [],
    ),
  )
  const everywhere = was !== after.settings
  const names = new Set([
    ...roomChanges.keys(),
    ...net.flatMap(({ after: is }) => (is?.kind === 'Cluster' ? [is.metadata.name] : [])),
    ...(everywhere ? after.clusters().map(({ metadata }) => metadata.name) : []),
  ])
  return [...names].sort().flatMap((name) => {
    const cluster = after.cluster(name)
    if (cluster === undefined) return []
    const capacity = capacityOf(cluster, old.get(name) ?? cluster, roomChanges.get(name) ?? 0, was, after)
    const same = capacity.before === capacity.after && capacity.limitBefore === undefined
    return same ? [] : [capacity]
  })
}

function capacityOf(
  cluster: Cluster,
  old: Cluster,
  change: number,
  was: FleetSettings,
  after: Fleet,
): ClusterCapacity {
  const { installations } = after.occupancy(cluster.metadata.name)
  const limit = installationLimit(after, cluster)
  const limitBefore = installationLimit({ settings: was }, old)
  return {
    cluster: cluster.metadata.name,
    before: installations - change,
    after: installations,
    limit,
    ...(limit === limitBefore ? {} : { limitBefore }),
  }
}
