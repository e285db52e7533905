/** What happens while clusters are observed and the world is told, counted as it happens. */
import { Counter, Histogram, type Registry } from 'prom-client'
import type { EngineName } from '../fleet/intents.ts'
import type { ClusterName } from '../ports/clusters.ts'
import type { DeliveryOutcome } from '../ports/store.ts'
import type { AppliedStep } from './applied-times.ts'
import type { CloudPass } from './cloud-sweep.ts'
import type { SweepResult } from './sweep-cluster.ts'

export interface ObservationMetrics {
  /** A watch of a kind was opened again. */
  watchRestarted(cluster: ClusterName, kind: string): void
  /** @param lagMilliseconds since the event */
  delivered(outcome: DeliveryOutcome['outcome'], lagMilliseconds: number): void
  nudged(count: number): void
  applied(step: AppliedStep, engine: EngineName, seconds: number): void
  swept(seconds: number, result: SweepResult): void
  /** A pass over what the fleet has on AWS. */
  askedCloud(seconds: number, result: CloudPass): void
  pinged(ok: boolean, seconds: number): void
}

const PING_SECONDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const SECONDS = [0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 30, 60, 180, 600, 1800]

export function createObservationMetrics(registry: Registry): ObservationMetrics {
  const registers = [registry]
  const restarts = new Counter({
    name: 'fleetwright_watch_restarts_total',
    help: 'Watches that were opened again, by cluster and kind',
    labelNames: ['cluster', 'kind'],
    registers,
  })
  const lag = new Histogram({
    name: 'fleetwright_event_lag_seconds',
    help: 'From an event to an attempt to deliver it, by how the attempt ended (delivered, retry, dead)',
    labelNames: ['outcome'],
    buckets: SECONDS,
    registers,
  })
  const nudges = new Counter({
    name: 'fleetwright_nudges_total',
    help: 'Objects of engines that were told to look now',
    registers,
  })
  const applied = new Histogram({
    name: 'fleetwright_commit_to_applied_seconds',
    help: 'From a commit on the remote until the engine has applied it (synced) and its Mattermost resource lives (live)',
    labelNames: ['step', 'engine'],
    buckets: SECONDS,
    registers,
  })
  const sweeps = new Histogram({
    name: 'fleetwright_drift_sweep_seconds',
    help: 'A sweep of a whole cluster for drift',
    buckets: SECONDS,
    registers,
  })
  const swept = new Counter({
    name: 'fleetwright_drift_sweep_objects_total',
    help: 'Objects that sweeps listed, and of those the ones that were compared, and differed',
    labelNames: ['result'],
    registers,
  })
  const cloud = new Histogram({
    name: 'fleetwright_aws_pass_seconds',
    help: 'A pass over everything that the fleet has on AWS',
    buckets: SECONDS,
    registers,
  })
  const lookups = new Counter({
    name: 'fleetwright_aws_lookups_total',
    help: 'What AWS was asked about: known, or unknown because AWS did not answer',
    labelNames: ['outcome'],
    registers,
  })
  const pings = new Histogram({
    name: 'fleetwright_ping_seconds',
    help: 'Until a workspace answered, or was given up, by outcome (answered, failed)',
    labelNames: ['outcome'],
    buckets: PING_SECONDS,
    registers,
  })
  for (const outcome of ['known', 'unknown']) lookups.inc({ outcome }, 0)
  for (const outcome of ['answered', 'failed']) pings.zero({ outcome })
  for (const outcome of ['delivered', 'retry', 'dead']) lag.zero({ outcome })
  for (const result of ['listed', 'compared', 'suspect']) swept.inc({ result }, 0)
  return {
    watchRestarted: (cluster, kind) => restarts.inc({ cluster, kind }),
    delivered: (outcome, milliseconds) => lag.observe({ outcome }, milliseconds / 1000),
    nudged: (count) => nudges.inc(count),
    applied: (step, engine, seconds) => applied.observe({ step, engine }, seconds),
    swept(seconds, { objects, compared, suspects }) {
      sweeps.observe(seconds)
      swept.inc({ result: 'listed' }, objects)
      swept.inc({ result: 'compared' }, compared)
      swept.inc({ result: 'suspect' }, suspects)
    },
    askedCloud(seconds, { known, unknown }) {
      cloud.observe(seconds)
      lookups.inc({ outcome: 'known' }, known)
      lookups.inc({ outcome: 'unknown' }, unknown)
    },
    pinged: (ok, seconds) => pings.observe({ outcome: ok ? 'answered' : 'failed' }, seconds),
  }
}
