/** States of clusters: there are few of them, so all are judged at each beat. */
import type { Slug } from '../fleet/intents.ts'
import { judgeCluster } from '../fleet/observed/judge-cluster.ts'
import type { Clock } from '../ports/clock.ts'
import type { Observations } from '../ports/observations.ts'
import type { ObservedCluster } from '../ports/sights.ts'
import type { FleetWriter } from '../ports/writer.ts'

const DONE = 'stable'

export interface JudgeClustersOptions {
  readonly writer: Pick<FleetWriter, 'fleet'>
  readonly observations: Observations
  readonly clock: Clock
  readonly sightOf: (name: Slug) => ObservedCluster | undefined
}

export function judgeClusters({ writer, observations, clock, sightOf }: JudgeClustersOptions): void {
  for (const cluster of writer.fleet.clusters()) {
    const { name, id, deletedAt } = cluster.metadata
    const sight = sightOf(name)
    if (deletedAt !== undefined || sight === undefined) continue
    const before = observations.get('cluster', id)
    const completed = before?.state === DONE ? before.generation : undefined
    const { generation } = cluster.spec.operation
    const { state, reason } = judgeCluster(cluster, { ...sight, engine: undefined }, completed)
    if (before?.state === state && before.reason === reason && before.generation === generation) continue
    observations.set('cluster', id, {
      ...before,
      state,
      reason,
      generation,
      observedAt: sight.contact.lastContact ?? clock.now(),
    })
  }
}
