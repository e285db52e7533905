/** What is observed of clusters, how it is recorded and told. */

import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Registry } from 'prom-client'
import type { Configuration } from '../configuration/settings.ts'
import { engineFor } from '../fleet/engine.ts'
import type { Fleet } from '../fleet/fleet.ts'
import type { Id } from '../fleet/ids.ts'
import type { Slug } from '../fleet/intents.ts'
import { DEADLINES } from '../fleet/observed/judge.ts'
import type { ObjectReader } from '../git/contracts.ts'
import { createFolderIds } from '../git/folder-ids.ts'
import { createManifests } from '../git/manifests.ts'
import type { Clock, Randomness } from '../ports/clock.ts'
import { CONTROL_CLUSTER } from '../ports/clusters.ts'
import { type Drift, type Drifts, NO_DRIFTS } from '../ports/drifts.ts'
import type { Observations } from '../ports/observations.ts'
import type { SecretBackend } from '../ports/secrets.ts'
import { NO_SIGHTS, type Sights } from '../ports/sights.ts'
import type { FleetStore } from '../ports/store.ts'
import type { FleetWriter } from '../ports/writer.ts'
import { startAppliedTimes } from '../reconcile/applied-times.ts'
import { startDriftDetector } from '../reconcile/drift-detector.ts'
import { type DriftHealer, startDriftHealer } from '../reconcile/drift-healer.ts'
import { startDriftSweep } from '../reconcile/drift-sweep.ts'
import { registerFleetMetrics } from '../reconcile/fleet-metrics.ts'
import { startNudger } from '../reconcile/nudge.ts'
import { createObservationMetrics, type ObservationMetrics } from '../reconcile/observation-metrics.ts'
import { startObserver } from '../reconcile/observer.ts'
import { startReminder } from '../reconcile/reminder.ts'
import { type StateTracker, startStateTracker } from '../reconcile/state-tracker.ts'
import { createMemoryObservations } from '../store/memory.ts'
import { openPostgresStore } from '../store/postgres/store.ts'
import { openSqliteStore } from '../store/sqlite/store.ts'
import { composeBeside, type RunningBeside } from './compose-beside.ts'
import { composeClusters } from './compose-clusters.ts'
import { composeNotifications } from './compose-notifications.ts'

/** An operation in one of these has reached its end. */
const ENDS = ['stable', 'hibernating', 'deletion-pending']

export interface ObservationOptions {
  readonly configuration: Configuration
  readonly writer: FleetWriter
  readonly objects: ObjectReader
  readonly clock: Clock
  readonly randomness: Randomness
  readonly secrets: SecretBackend
  readonly registry: Registry
  readonly onError: (error: unknown) => void
}

export interface RunningObservation {
  readonly observations: Observations
  readonly store: FleetStore
  readonly tracker: StateTracker
  readonly sights: Sights
  readonly drifts: Drifts
  close(): Promise<void>
}

export async function composeObservation(options: ObservationOptions): Promise<RunningObservation> {
  const { configuration, writer, clock, randomness, onError } = options
  await mkdir(configuration.data, { recursive: true, mode: 0o700 })
  const store = await openStore(options)
  const observations = createMemoryObservations()
  const completed = await remember(store, observations)
  const metrics = createObservationMetrics(options.registry)
  const notifications = await composeNotifications({ ...options, store, metrics })
  const onEvents = notifications.wake
  const tracker = await startStateTracker({
    writer,
    observations,
    store,
    clock,
    randomness,
    onError,
    onEvents,
  })
  const observer =
    configuration.loops === 'none'
      ? undefined
      : await watchClusters(options, observations, completed, metrics)
  const sights = observer?.sights ?? NO_SIGHTS
  const drifts = observer?.drifts ?? NO_DRIFTS
  registerFleetMetrics(options.registry, { writer, observations, sights, drifts, store, clock, onError })
  return {
    ...{ observations, store, tracker, sights, drifts },
    async close() {
      await observer?.close()
      await tracker.close()
      await notifications.close()
      await store.close()
    },
  }
}

/** @throws FleetError `invalid-configuration` */
async function openStore({ configuration, onError }: ObservationOptions): Promise<FleetStore> {
  const url = configuration['database-url']
  if (url === undefined) return openSqliteStore(join(configuration.data, 'store.sqlite'))
  return await openPostgresStore({ url, onError })
}

/** Until a cluster has been looked at again, the states that were recorded last are what is known. */
async function remember(store: FleetStore, observations: Observations): Promise<ReadonlyMap<Id, number>> {
  const completed = new Map<Id, number>()
  await store.states(({ kind, id, state, generation, reason, since }) => {
    if (kind === 'fleet') return
    observations.set(kind, id, {
      state,
      generation,
      observedAt: since,
      since,
      ...(reason === undefined ? {} : { reason }),
    })
    if (kind === 'installation' && ENDS.includes(state)) completed.set(id, generation)
  })
  return completed
}

async function watchClusters(
  { configuration, writer, objects, clock, randomness, onError }: ObservationOptions,
  observations: Observations,
  completed: ReadonlyMap<Id, number>,
  metrics: ObservationMetrics,
): Promise<{ readonly sights: Sights; readonly drifts: Drifts; close(): Promise<void> }> {
  const connections = await composeClusters({
    ...{ configuration, writer, clock, randomness },
    onRestart: metrics.watchRestarted,
  })
  const { clusters } = connections
  const applied = startAppliedTimes({ writer, clock, onApplied: metrics.applied })
  const folders = createFolderIds(objects)
  const drift = startDriftDetector({
    manifests: createManifests({ objects, folders, writer }),
    api: (name) => clusters.get(name),
    engineOf: (name) => engineFor(writer.fleet.settings, writer.fleet.cluster(name)),
    isSettled: (id) => observer.isSettled(id),
    secretNames: () => writer.fleet.settings.spec.secretEnvNames ?? [],
    clock,
    onError,
    onChange: (cluster, id) => healer?.changed(cluster, id),
  })
  const healer =
    configuration.nudge === 'off'
      ? undefined
      : startDriftHealer({ writer, drifts: drift, api: clusters.get(CONTROL_CLUSTER), clock, onError })
  const reminder =
    configuration.nudge === 'off'
      ? undefined
      : startReminder({ writer, api: clusters.get(CONTROL_CLUSTER), clock, onError })
  let beside: RunningBeside | undefined
  const observer = startObserver({
    writer,
    beside: {
      ofInstallation: (installation) => beside?.ofInstallation(installation) ?? { resources: [] },
      ofCluster: (cluster) => beside?.ofCluster(cluster) ?? [],
    },
    clusters,
    folders,
    drift,
    observations,
    clock,
    deadlines: {
      ...DEADLINES,
      stuck: Number(configuration['stuck-seconds']) * 1000,
      failed: Number(configuration['failed-seconds']) * 1000,
    },
    control: true,
    completed,
    onJudged(id, settled, sight) {
      applied.judged(id, settled, sight)
      // Without a cluster there is nothing that an engine could apply.
      if (sight !== undefined) reminder?.judged(id, settled)
    },
    onError,
  })
  beside = await composeBeside({ configuration, writer, clock, randomness, observer, onError, metrics })
  const sweep = startDriftSweep({
    detector: drift,
    clusters: () => connected(writer.fleet, observer),
    installationsOn: (name) => writer.fleet.installationsOn(name).map(({ metadata }) => metadata.id),
    interval: Number(configuration['drift-sweep-seconds']) * 1000,
    ...{ clock, randomness, onError },
    onSwept: (_cluster, seconds, result) => metrics.swept(seconds, result),
  })
  const nudger =
    configuration.nudge === 'off'
      ? undefined
      : startNudger({
          writer,
          api: clusters.get(CONTROL_CLUSTER),
          clock,
          onError,
          onNudged: metrics.nudged,
        })
  return {
    sights: observer,
    drifts: withHealing(drift, healer),
    async close() {
      await nudger?.close()
      await reminder?.close()
      await healer?.close()
      await sweep.close()
      applied.close()
      await beside?.close()
      await observer.close()
      await drift.close()
      await connections.close()
    },
  }
}

/** Drift, with what the engine was asked because of it. */
function withHealing(drifts: Drifts, healer: DriftHealer | undefined): Drifts {
  const healed = (drift: Drift): Drift => {
    const healing = healer?.healing(drift)
    return healing === undefined ? drift : { ...drift, healing }
  }
  return { all: () => drifts.all().map(healed), of: (id) => drifts.of(id).map(healed) }
}

function connected(fleet: Fleet, sights: Sights): readonly Slug[] {
  return fleet
    .clusters()
    .map(({ metadata }) => metadata.name)
    .filter((name) => sights.cluster(name)?.contact.connected === true)
}
