/** Puts the parts of a server together. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import type { Parts } from '../api/context.ts'
import { type ApiServer, createApiServer } from '../api/server.ts'
import { stateOf as installationStateOf } from '../api/views/installation.ts'
import { type Configuration, isRemote } from '../configuration/settings.ts'
import { createDocumentReader, createDocuments } from '../fleet/documents.ts'
import type { Id } from '../fleet/ids.ts'
import { FLEET_PATH } from '../fleet/paths.ts'
import type { StateOf } from '../fleet/transactions/installations/common.ts'
import type { RepositoryHome } from '../git/contracts.ts'
import { openEmbeddedHome } from '../git/embedded/home.ts'
import type { FleetIdentity } from '../git/fleet-identity.ts'
import { createHistory } from '../git/history.ts'
import { createGitHttpHandler } from '../git/http-server.ts'
import { openRemoteHome } from '../git/remote/home.ts'
import { openReviews } from '../git/review/reviews.ts'
import { createFleetWriter } from '../git/writer/create.ts'
import { createWriterMetrics } from '../git/writer/metrics.ts'
import type { RepositoryWriter, WriterOptions } from '../git/writer/types.ts'
import { startDeletionLoop } from '../reconcile/deletion.ts'
import { type Loop, startLoop } from '../reconcile/loop.ts'
import { startMaintenance } from '../reconcile/maintenance.ts'
import { startPlacementLoop } from '../reconcile/placement.ts'
import { contactedForge } from '../reconcile/review-forge.ts'
import { startReviewLoop } from '../reconcile/reviews.ts'
import { startSecretSweep } from '../reconcile/secret-sweep.ts'
import { createRenderChanges } from '../render/render.ts'
import { createSecretHolds } from '../secrets/holds.ts'
import { openTokenFile } from '../secrets/token-file.ts'
import { createMemoryLeases } from '../store/memory.ts'
import { createPooledRandomness, systemClock, systemRandomness } from '../system/clock.ts'
import { readTemplateSets, TEMPLATE_FOLDER } from '../system/template-files.ts'
import { composeForge, type ForgeOptions, NO_FORGE, type OpenForge } from './compose-forge.ts'
import { mirrorTargets, startMirrors } from './compose-mirrors.ts'
import { composeObservation, type RunningObservation } from './compose-observation.ts'
import { openSecrets, reportSweeps } from './compose-secrets.ts'
import { openSigning } from './compose-signing.ts'
import { fleetTransport } from './fleet-transport.ts'
import { type ConfiguredGitHubApp, configuredGitHubApp } from './github-app.ts'
import { openIdentity } from './open-identity.ts'
import { writableHome } from './protected-main.ts'
import { pushPace } from './push-pace.ts'
import { openReviewKey } from './review-key.ts'

/** A head that the fleet repository did not confirm for this long is not served as ready; milliseconds. */
const STALE_AFTER = 120_000
const EXAMPLE_FLEET = join(import.meta.dirname, '../../examples/fleet.yaml')

export interface RunningServer {
  readonly api: ApiServer
  readonly parts: Parts
  readonly observation: RunningObservation
  /** Of the admin, in clear, when it was made or given just now. */
  readonly adminToken: string | undefined
  close(): Promise<void>
}

/** @throws FleetError what keeps the server from starting */
export async function composeServer(configuration: Configuration, version: string): Promise<RunningServer> {
  const { data } = configuration
  // A line a request: the process does not wait for each. What is not written yet is written when it exits.
  const logger = pino({ level: configuration['log-level'] }, pino.destination({ dest: 2, sync: false }))
  const registry = new Registry()
  const signing = await openSigning(configuration, logger)
  const app = await configuredGitHubApp(configuration, systemClock)
  const sets = await readTemplateSets(TEMPLATE_FOLDER)
  const interval = Number(configuration['poll-seconds']) * 1000
  const placement = configuration.loops === 'none' ? 'deferred' : 'now'
  const clock = systemClock
  const randomness = createPooledRandomness(systemRandomness)
  const onError = (error: unknown): void => logger.warn({ err: error }, 'a background task failed')
  const targets = mirrorTargets(configuration)
  const identity = await openIdentity({ configuration, clock, onError })
  const direct = await openHome(configuration, identity, app)
  const history = createHistory(direct.gitDirectory)
  const actor = signing.writer.committer
  const committer = actor.name
  const { forge, home } = await openForge(direct, {
    ...{ configuration, history, committer, registry, clock, randomness, logger, onError },
    ...(app === undefined ? {} : { gitHubApp: app.app }),
    sawRepository: identity.sawRepository,
  })
  const pace = pushPace(configuration)
  const writer = await openWriter({
    home,
    history,
    render: createRenderChanges(sets),
    clock,
    randomness,
    ...signing.writer,
    placement,
    reviewKey: await openReviewKey(data, randomness),
    ...(pace === undefined ? {} : { pace }),
    ...(forge === undefined ? {} : { findOrigin: forge.findOrigin }),
    observer: createWriterMetrics(registry, onError),
    initialFiles: [{ path: FLEET_PATH, text: await readFile(EXAMPLE_FLEET, 'utf8') }],
  })
  const tokens = await openTokenFile({ path: join(data, 'tokens.json'), clock, randomness })
  const adminToken = await tokens.ensureAdmin(configuration['admin-token'])
  const secrets = await openSecrets(configuration, () => writer.fleet)
  const observation = await composeObservation({
    configuration,
    writer,
    secrets,
    objects: home.objects,
    registry,
    clock,
    randomness,
    onError,
  })
  const secretHolds = createSecretHolds()
  const changeReviews = startReviewLoop({
    ...{ writer, history, secrets, clock, onError },
    forge: forge === undefined ? undefined : contactedForge(forge.forge, forge.contact),
    holds: secretHolds,
  })
  const sweep =
    placement === 'now'
      ? startSecretSweep({
          ...{ writer, history, secrets, clock, onError },
          holds: secretHolds,
          graceMilliseconds: Number(configuration['secret-grace-days']) * 86_400_000,
          onSwept: reportSweeps(registry, logger),
        })
      : undefined
  const { observations, sights } = observation
  const stateOf: StateOf = (fleet, installation) => installationStateOf(observation, fleet, installation)
  const deletions =
    placement === 'now'
      ? startDeletionLoop({
          ...{ writer, clock, randomness, actor, stateOf, observations, sights, onError },
        })
      : undefined
  const work = {
    ...{ writer, observations, sights, store: observation.store },
    reviews: await openReviews({
      ...{ writer, home, clock, randomness, placement },
      folder: join(data, 'reviews.git'),
    }),
    onEnded: () => changeReviews.wake(),
    recorded: (id: Id) => observation.tracker.recorded('installation', id)?.state,
  }
  const forgeWork = forge?.start(work) ?? NO_FORGE
  const mirrors = startMirrors({
    ...{ targets, directory: home.gitDirectory, writer, registry, clock, randomness, onError },
  })
  const parts: Parts = {
    writer,
    history,
    clock,
    randomness,
    logger,
    registry,
    tokens,
    observations,
    sights,
    drifts: observation.drifts,
    store: observation.store,
    settled: () => observation.tracker.settled(),
    leases: createMemoryLeases(clock),
    secrets,
    secretHolds,
    changeReviews,
    problems: () => [
      ...writer.problems(),
      ...signing.problems(),
      ...(sweep?.problems() ?? []),
      ...(deletions?.problems() ?? []),
      ...forgeWork.problems(),
      ...mirrors.problems(),
    ],
    pullRequests: forgeWork.pullRequests,
    ...(forgeWork.hooks === undefined ? {} : { hooks: forgeWork.hooks }),
    documents: createDocumentReader(createDocuments()),
    // Clones of a remote repository come from there.
    ...(isRemote(configuration.fleet) ? {} : { gitHandler: createGitHttpHandler(home.gitDirectory) }),
    options: { version, placement, staleAfterMilliseconds: Math.max(STALE_AFTER, 3 * interval) },
  }
  const loops: readonly Loop[] = [
    startLoop({ clock, interval, run: () => writer.poll(), onError }),
    startLoop({ clock, interval, run: () => signing.refresh(), onError }),
    startMaintenance({ writer, maintain: () => home.maintain(), clock, onError }),
    changeReviews,
    ...(sweep === undefined ? [] : [sweep]),
    ...(deletions === undefined ? [] : [deletions]),
    ...(placement === 'now' ? [startPlacementLoop({ writer, clock, randomness, actor, onError })] : []),
  ]
  const api = createApiServer(parts)
  return {
    api,
    parts,
    observation,
    adminToken: adminToken ?? configuration['admin-token'],
    async close() {
      await api.close()
      await Promise.all(loops.map((loop) => loop.close()))
      await forgeWork.close()
      await mirrors.close()
      await work.reviews.close()
      await observation.close()
      await writer.close()
      await identity.close()
      await parts.secrets.close()
      app?.app.stop()
    },
  }
}

async function openForge(
  home: RepositoryHome,
  options: ForgeOptions,
): Promise<{ readonly forge: OpenForge | undefined; readonly home: RepositoryHome }> {
  try {
    const forge = await composeForge(options)
    return { forge, home: await writableHome(home, options.configuration, forge?.forge, options.clock) }
  } catch (error) {
    await home.close()
    throw error
  }
}

/** A home that cannot be written is closed again, so that the process ends. */
async function openWriter(options: WriterOptions): Promise<RepositoryWriter> {
  try {
    return await createFleetWriter(options)
  } catch (error) {
    await options.home.close()
    throw error
  }
}

/** @throws FleetError what `openEmbeddedHome` and `openRemoteHome` throw */
async function openHome(
  configuration: Configuration,
  identity: FleetIdentity,
  app: ConfiguredGitHubApp | undefined,
): Promise<RepositoryHome> {
  const { data, fleet = join(data, 'fleet.git') } = configuration
  const transport = fleetTransport(fleet, configuration, app)
  if (transport === undefined) return await openEmbeddedHome(fleet, identity)
  return await openRemoteHome({ transport, folder: join(data, 'remote'), identity })
}
