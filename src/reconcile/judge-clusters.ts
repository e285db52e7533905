/** States of clusters: there are few of them, so all are judged at each beat. */
import type { Cluster, EngineName, Slug } from '../fleet/intents.ts'
import { utilityUnitNameOf } from '../fleet/observed/charts.ts'
import { judgeCluster } from '../fleet/observed/judge-cluster.ts'
import { UTILITIES, valuesPathOf } from '../fleet/utilities.ts'
import type { Clock } from '../ports/clock.ts'
import type { Observation, Observations } from '../ports/observations.ts'
import type { ObservedCluster } from '../ports/sights.ts'
import type { FleetWriter } from '../ports/writer.ts'

const DONE = 'stable'

export interface JudgeClustersOptions {
  readonly writer: Pick<FleetWriter, 'fleet'>
  readonly observations: Observations
  readonly clock: Clock
  readonly sightOf: (name: Slug) => ObservedCluster | undefined
  /** Version of the chart that an engine's unit has installed. */
  readonly chartOf: (engine: EngineName, unit: string) => string | undefined
}

export function judgeClusters(options: JudgeClustersOptions): void {
  const { writer, observations, clock, sightOf } = options
  for (const cluster of writer.fleet.clusters()) {
    const { name, id, deletedAt } = cluster.metadata
    const sight = sightOf(name)
    if (deletedAt !== undefined || sight === undefined) continue
    const before = observations.get('cluster', id)
    const completed = before?.state === DONE ? before.generation : undefined
    const { generation } = cluster.spec.operation
    const { state, reason } = judgeCluster(cluster, { ...sight, engine: undefined }, completed)
    const utilities = utilitiesOf(options, cluster)
    const same = before?.state === state && before.reason === reason && before.generation === generation
    if (same && (utilities === undefined || sameCharts(before.utilities, utilities))) continue
    observations.set('cluster', id, {
      ...before,
      state,
      reason,
      generation,
      observedAt: sight.contact.lastContact ?? clock.now(),
      ...(utilities === undefined ? {} : { utilities }),
    })
  }
}

/** Undefined while no engine says anything: then what was known stays. */
function utilitiesOf(
  { writer, chartOf }: Pick<JudgeClustersOptions, 'writer' | 'chartOf'>,
  { metadata, spec }: Cluster,
): Observation['utilities'] {
  const { settings } = writer.fleet
  const engine = spec.engine ?? settings.spec.engine
  const found = UTILITIES.flatMap(({ name }) => {
    const chart = chartOf(engine, utilityUnitNameOf(metadata.name, name))
    if (chart === undefined) return []
    const wanted = spec.utilities?.[name] ?? settings.spec.utilities?.[name]
    return [[name, { chart, valuesPath: wanted?.valuesPath ?? valuesPathOf(name) }] as const]
  })
  return found.length === 0 ? undefined : Object.fromEntries(found)
}

function sameCharts(before: Observation['utilities'], now: NonNullable<Observation['utilities']>): boolean {
  return JSON.stringify(before) === JSON.stringify(now)
}
