/** Five truths of an installation, each with its time: requested, committed, synced, live, working (docs/architecture.md). */
import { FleetError } from '../../fleet/errors.ts'
import type { Installation } from '../../fleet/intents.ts'
import type { InstallationSight } from '../../fleet/observed/sight.ts'
import { installationFolder, requestPath } from '../../fleet/paths.ts'
import type { Drift } from '../../ports/drifts.ts'
import type { ObservedInstallation } from '../../ports/sights.ts'
import type { FleetHistory } from '../../ports/writer.ts'
import type { HandlerContext, Parts } from '../context.ts'
import { type Answer, json, type Route } from '../routes.ts'
import { contactView, time } from '../views/contact.ts'
import { stateOf } from '../views/installation.ts'
import { driftView } from './drift.ts'
import { reviewView } from './reviews.ts'
import { STATUS_SCHEMA } from './status-schema.ts'

type StatusParts = Pick<Parts, 'writer' | 'changeReviews' | 'history' | 'observations' | 'sights' | 'drifts'>

export function statusRoute(parts: StatusParts): Route {
  return {
    method: 'GET',
    path: '/api/fleet/installations/{id}/status',
    operationId: 'getFleetInstallationStatus',
    role: 'reader',
    wire: false,
    summary: 'What is wanted of an installation, how far it has come, and how it is',
    responses: { 200: { description: 'Five truths, each with its time', schema: STATUS_SCHEMA } },
    handler: (context) => answerStatus(parts, context),
  }
}

async function answerStatus(parts: StatusParts, context: HandlerContext): Promise<Answer> {
  const { writer, history, sights, drifts } = parts
  const id = context.id()
  const installation = writer.fleet.installation(id)
  if (installation === undefined) throw new FleetError('not-found', `There is no installation ${id}.`)
  const observed = sights.installation(id)
  const cluster = installation.spec.placement?.cluster
  const contact = cluster === undefined ? undefined : sights.cluster(cluster)?.contact
  const state = stateOf(parts, writer.fleet, installation)
  return json(200, {
    id,
    name: installation.metadata.name,
    cluster: cluster ?? null,
    state,
    ...verdictView(observed),
    awaitingReview: parts.changeReviews
      .list()
      .filter(({ review }) => review.trailers.Installation === id)
      .map(reviewView),
    requested: requestedView(installation),
    committed: await committedView(history, installation),
    synced: syncedView(observed?.sight),
    live: liveView(observed?.sight, installation, drifts.of(id)),
    working: workingView(observed),
    observation: contact === undefined ? { stale: true, observedAt: null } : contactView(contact),
  })
}

function verdictView(observed: ObservedInstallation | undefined): object {
  if (observed === undefined) return { reason: 'Not observed', stuck: false }
  const { reason, stuck, wayOut } = observed.verdict
  return { reason, stuck, since: time(observed.stateSince), ...(wayOut === undefined ? {} : { wayOut }) }
}

function requestedView({ spec }: Installation): object {
  const { kind, generation, requestedAt } = spec.operation
  return { operation: kind, generation, at: requestedAt }
}

/** The last commit that touched it. */
async function committedView(
  history: FleetHistory,
  { metadata, spec }: Installation,
): Promise<object | null> {
  const { id } = metadata
  const path = spec.placement === undefined ? requestPath(id) : installationFolder(spec.placement.cluster, id)
  const [entry] = await history.log({ paths: [path], limit: 1 })
  return entry === undefined ? null : { commit: entry.commit, at: entry.at, subject: entry.subject }
}

function syncedView(sight: InstallationSight | undefined): object {
  const engine = sight?.engine
  if (engine === undefined) return { synced: null, reason: 'No engine was heard' }
  const { name, sync, revision, current, message, observedAt } = engine
  return {
    engine: engine.engine,
    unit: name,
    synced: sync === 'synced' && current,
    sync,
    revision: revision ?? null,
    current,
    at: time(observedAt),
    ...(message === undefined ? {} : { reason: message }),
  }
}

function liveView(
  sight: InstallationSight | undefined,
  { spec }: Installation,
  drifts: readonly Drift[],
): object {
  const found = sight?.mattermost
  if (sight === undefined || found === undefined)
    return { live: sight === undefined ? null : false, reason: 'There is no Mattermost resource' }
  const { operationGeneration, version, image, replicas } = found
  const live = operationGeneration !== undefined && operationGeneration >= spec.operation.generation
  return {
    live: live && drifts.length === 0,
    generation: operationGeneration ?? null,
    version: version ?? null,
    image: image ?? null,
    replicas: replicas ?? null,
    at: time(sight.observedAt),
    drift: drifts.map(driftView),
  }
}

function workingView(observed: ObservedInstallation | undefined): object {
  if (observed === undefined) return { health: 'unknown', reason: 'NotObserved', message: 'Not observed' }
  const { verdict, healthSince, sight } = observed
  const parts =
    sight?.resources.map(({ kind, name, report, since }) => ({
      kind,
      name,
      ...report,
      since: time(since),
    })) ?? []
  return {
    ...verdict.health,
    since: time(healthSince),
    resources: parts,
    pods: sight?.pods ?? null,
    ping: sight?.ping ?? null,
  }
}
