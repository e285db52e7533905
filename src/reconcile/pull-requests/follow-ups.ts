/** How far one request of a merged pull request has come, from git and what is observed. */
import type { Fleet } from '../../fleet/fleet.ts'
import { type FleetPath, type Id, isId } from '../../fleet/ids.ts'
import type { Installation } from '../../fleet/intents.ts'
import type { FollowUp } from '../../fleet/review/follow-up-comment.ts'
import { installationState, waitingReason } from '../../fleet/state.ts'
import type { Observations } from '../../ports/observations.ts'
import type { Sights } from '../../ports/sights.ts'
import type { FleetStore } from '../../ports/store.ts'
import type { FleetHistory, FleetWriter } from '../../ports/writer.ts'

const LIVE = 'stable'
/** Commits of one document that are looked at for the reason of its placement. */
const MOST_COMMITS = 10

export interface FollowedRequest {
  readonly path: FleetPath
  /** Undefined until it is accepted. */
  readonly id: Id | undefined
  /** Why it is where it is. */
  readonly reason?: string
  /** It is there, or will not come any more: what happens later is no business of the pull request. */
  readonly end?: FollowUp
}

export interface Observed {
  readonly observations: Pick<Observations, 'get' | 'onChange'>
  readonly sights: Pick<Sights, 'installation'>
  readonly store: Pick<FleetStore, 'events'>
  /** State of an installation as it was last told. */
  readonly recorded: (id: Id) => string | undefined
}

export interface FollowUpParts extends Observed {
  readonly writer: Pick<FleetWriter, 'fleet' | 'problems'>
  readonly history: Pick<FleetHistory, 'log'>
}

export interface Followed {
  readonly request: FollowedRequest
  /** Undefined: it is about to be accepted. */
  readonly followUp: FollowUp | undefined
}

export function isAtItsEnd({ end }: FollowedRequest): boolean {
  return end !== undefined
}

export async function followUpOf(parts: FollowUpParts, request: FollowedRequest): Promise<Followed> {
  if (request.end !== undefined) return { request, followUp: request.end }
  const problems = parts.writer.problems().filter(({ path }) => path === request.path)
  if (request.id === undefined && problems.length > 0)
    return { request, followUp: { step: 'refused', path: request.path, problems } }
  const id = request.id ?? (await acceptedAs(parts, request.path))
  if (id === undefined) return unaccepted(parts, request)
  const installation = parts.writer.fleet.installation(id)
  if (installation === undefined) return ended(request, { step: 'gone', path: request.path })
  return await ofInstallation(parts, { ...request, id }, installation)
}

function unaccepted({ writer }: FollowUpParts, request: FollowedRequest): Followed {
  const { path } = request
  const isThere = writer.fleet.intent(path) !== undefined
  return isThere ? { request, followUp: undefined } : ended(request, { step: 'gone', path })
}

function ended(request: FollowedRequest, followUp: FollowUp): Followed {
  return { request: { ...request, end: followUp }, followUp }
}

/** The id that a document was given when it was corrected after it had been held. */
async function acceptedAs({ history }: FollowUpParts, path: FleetPath): Promise<Id | undefined> {
  const [last] = await history.log({ paths: [path], limit: 1 })
  const id = last?.trailers.Installation ?? ''
  return isId(id) ? id : undefined
}

async function ofInstallation(
  parts: FollowUpParts,
  request: FollowedRequest & { readonly id: Id },
  installation: Installation,
): Promise<Followed> {
  const { fleet } = parts.writer
  const { id, name } = installation.metadata
  const { spec } = installation
  const named = { id, name, address: addressOf(installation) }
  const cluster = spec.placement?.cluster
  if (cluster === undefined) {
    const reason = waitingReason(fleet, id)
    const followUp: FollowUp =
      reason === undefined ? { ...named, step: 'accepted' } : { ...named, step: 'waiting', reason }
    return { request, followUp }
  }
  const liveAt = await liveSince(parts, installation)
  if (liveAt !== undefined) {
    const milliseconds = Math.max(0, liveAt - Date.parse(installation.metadata.createdAt))
    const { version } = spec
    return ended(request, { ...named, step: 'live', cluster, state: LIVE, version, milliseconds })
  }
  const troubled = trouble(parts, installation)
  if (troubled !== undefined) return { request, followUp: { ...named, ...troubled, cluster } }
  const reason = request.reason ?? (await placementReason(parts, fleet, id))
  return { request: { ...request, reason }, followUp: { ...named, step: 'placed', cluster, reason } }
}

function addressOf({ spec }: Installation): string {
  const names = spec.dns.filter(({ deletedAt }) => deletedAt === undefined)
  return (names.find(({ primary }) => primary === true) ?? names[0])?.name ?? ''
}

/** When it was first seen running; the event log knows it of earlier processes too. */
async function liveSince(
  { observations, store }: FollowUpParts,
  { metadata, spec }: Installation,
): Promise<number | undefined> {
  const { id } = metadata
  const events = await store.events({
    resourceType: 'installation',
    resourceId: id,
    page: 0,
    perPage: -1,
  })
  const first = events.findLast(({ newState }) => newState === LIVE)
  if (first !== undefined) return first.at
  const seen = observations.get('installation', id)
  const isLive = seen?.state === LIVE && seen.generation >= spec.operation.generation
  return isLive ? (seen.since ?? seen.observedAt) : undefined
}

function trouble(
  { observations, sights }: FollowUpParts,
  installation: Installation,
): Pick<Extract<FollowUp, { step: 'stuck' | 'failed' }>, 'step' | 'state' | 'reason' | 'wayOut'> | undefined {
  const { id } = installation.metadata
  const verdict = sights.installation(id)?.verdict
  const state = installationState(installation, observations.get('installation', id))
  const failed = state.endsWith('-failed')
  if (verdict?.stuck !== true && !failed) return undefined
  const { reason = observations.get('installation', id)?.reason ?? state, wayOut } = verdict ?? {}
  return { step: failed ? 'failed' : 'stuck', state, reason, ...(wayOut === undefined ? {} : { wayOut }) }
}

/** As the commit says that placed it. */
async function placementReason({ history }: FollowUpParts, fleet: Fleet, id: Id): Promise<string> {
  const path = fleet.pathOf(id)
  const entries = path === undefined ? [] : await history.log({ paths: [path], limit: MOST_COMMITS })
  for (const { body } of entries) {
    const reason = /^Placement: (.+)$/m.exec(body)?.[1]
    if (reason !== undefined) return reason
  }
  return 'as its commit says'
}
