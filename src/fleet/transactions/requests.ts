/** From a request to a placed installation: requests that people commit, and installations that wait. */
import { FleetError } from '../errors.ts'
import type { Fleet, IntentChange } from '../fleet.ts'
import type { FleetPath, Id } from '../ids.ts'
import type { Installation } from '../intents.ts'
import { databasePath, installationPath, requestPath } from '../paths.ts'
import { type Placement, place } from '../placement.ts'
import { completed, requestOf } from '../requests.ts'
import { requireFreeNames } from '../rules/names.ts'
import type { Transaction, TransactionResult } from '../transaction.ts'

/** Trailer: URL of the pull request that a commit follows from. */
export const PULL_REQUEST = 'Pull-Request'

const MOST_TITLE = 200

export interface AcceptRequest {
  readonly path: FleetPath
  /** Installation, cluster installation, logical database, then one for each DNS name. */
  readonly ids: readonly Id[]
  readonly placement: 'now' | 'deferred'
  /** The pull request that brought it in. */
  readonly origin?: { readonly number: number; readonly url: string; readonly title: string }
}

/** A request that a person committed gets an id, and a place if one is there. */
export function acceptRequest({
  path,
  ids,
  placement,
  origin,
}: AcceptRequest): Transaction<Installation | undefined> {
  return (fleet, context) => {
    const request = fleet.newRequests().get(path)
    if (request === undefined)
      return { changes: [], text: { subject: `Nothing to do for ${path}`, trailers: {} }, value: undefined }
    const [id, clusterInstallationId, logicalDatabaseId, ...dnsIds] = ids
    if (id === undefined || clusterInstallationId === undefined || logicalDatabaseId === undefined)
      throw new RangeError('a request needs at least three ids')
    const createdAt = new Date(context.now).toISOString()
    const installation = inGroup(fleet, completed(request, fleet.settings, { id, createdAt, dnsIds }))
    requireFreeNames(fleet, installation)
    const settled = settle(fleet, installation, {
      clusterInstallationId,
      logicalDatabaseId,
      now: createdAt,
      placement,
    })
    const changes = [{ path, before: request, after: undefined }, ...settled.changes]
    return {
      changes,
      text: {
        ...settled.text,
        body: joined(askedFor(path, origin), settled.text.body),
        trailers: {
          ...settled.text.trailers,
          ...(origin === undefined ? {} : { [PULL_REQUEST]: origin.url }),
        },
      },
      value: settled.value.installation,
    }
  }
}

/** One line, whatever people call a pull request: other lines of the text are read again. */
function askedFor(path: FleetPath, origin: AcceptRequest['origin']): string {
  if (origin === undefined) return `Asked for in ${path}`
  const title = origin.title.replaceAll(/\s+/g, ' ').slice(0, MOST_TITLE)
  return `Asked for in ${path}, pull request ${origin.number}: ${title}`
}

/** A new member starts with what its group has now. */
function inGroup(fleet: Fleet, installation: Installation): Installation {
  const { group: name } = installation.spec
  const group = typeof name === 'string' ? fleet.group(name) : undefined
  if (group === undefined) return installation
  const { sequence, templateSet } = group.spec
  const own = templateSet === undefined ? {} : { templateSet }
  return { ...installation, spec: { ...installation.spec, groupSequence: sequence, ...own } }
}

export interface SettleInput {
  readonly clusterInstallationId: Id
  readonly logicalDatabaseId: Id
  readonly now: string
  readonly placement: 'now' | 'deferred'
}

export interface Settled {
  readonly installation: Installation
  /** Undefined when placement was deferred. */
  readonly placement: Placement | undefined
}

/** Writes a new installation where it belongs: on a cluster, or under `requests/` while none fits. */
export function settle(
  fleet: Fleet,
  installation: Installation,
  input: SettleInput,
): TransactionResult<Settled> {
  const { id, name } = installation.metadata
  const trailers = { Installation: id }
  const path = requestPath(id)
  if (input.placement === 'deferred') {
    const change = { path, before: undefined, after: requestOf(installation, undefined) }
    const text = { subject: `Accept installation ${name}`, body: 'Placement is switched off.', trailers }
    return { changes: [change], text, value: { installation, placement: undefined } }
  }
  const placement = place(fleet, installation, input)
  if (placement.outcome === 'waiting') {
    const change = { path, before: undefined, after: requestOf(installation, placement.reason) }
    const text = {
      subject: `Accept installation ${name}, which waits for a cluster`,
      body: `Waits: ${placement.reason}`,
      trailers,
    }
    return { changes: [change], text, value: { installation, placement } }
  }
  const placed = placedOn(installation, placement, input)
  const text = {
    subject: `Create installation ${name} on ${placement.cluster}`,
    body: describe(placed, placement.reason),
    trailers: { ...trailers, Cluster: fleet.cluster(placement.cluster)?.metadata.id ?? '' },
  }
  return { changes: placementChanges(placed, placement), text, value: { installation: placed, placement } }
}

/** An installation that waits is placed. Refused while nothing fits. */
export function placeWaiting(input: {
  readonly id: Id
  readonly ids: readonly Id[]
  readonly now: number
}): Transaction<Settled> {
  return (fleet) => {
    const before = fleet.intent(requestPath(input.id))
    const installation = fleet.installation(input.id)
    if (installation === undefined || before === undefined || !waitsForCluster(installation))
      throw new FleetError('not-found', `No installation ${input.id} waits for a cluster`)
    const [clusterInstallationId, logicalDatabaseId] = input.ids
    if (clusterInstallationId === undefined || logicalDatabaseId === undefined)
      throw new RangeError('placement needs two ids')
    const settled = settle(fleet, installation, {
      clusterInstallationId,
      logicalDatabaseId,
      now: new Date(input.now).toISOString(),
      placement: 'now',
    })
    if (settled.value.placement?.outcome !== 'placed')
      throw new FleetError(
        'invalid-state',
        `Nothing fits ${installation.metadata.name}: ${settled.value.placement?.reason}`,
      )
    const { name } = installation.metadata
    const subject = `Place installation ${name} on ${settled.value.placement.cluster}`
    return {
      ...settled,
      changes: [{ path: requestPath(input.id), before, after: undefined }, ...settled.changes],
      text: { ...settled.text, subject },
    }
  }
}

/** One that is to be deleted does not get a cluster any more. */
export function waitsForCluster({ spec }: Installation): boolean {
  return spec.placement === undefined && spec.operation.kind === 'creation'
}

/** Whether a placement would succeed now; costs one look at each cluster. */
export function wouldBePlaced(fleet: Fleet, installation: Installation): boolean {
  const input = { logicalDatabaseId: installation.metadata.id, now: installation.metadata.createdAt }
  return place(fleet, installation, input).outcome === 'placed'
}

function placedOn(
  installation: Installation,
  placement: Extract<Placement, { outcome: 'placed' }>,
  input: SettleInput,
): Installation {
  const clusterInstallation = {
    id: input.clusterInstallationId,
    cluster: placement.cluster,
    createdAt: input.now,
    active: true,
  }
  return {
    ...installation,
    spec: {
      ...installation.spec,
      database: placement.database,
      filestore: placement.filestore,
      placement: { cluster: placement.cluster },
      clusterInstallations: [clusterInstallation],
    },
  }
}

function placementChanges(
  placed: Installation,
  placement: Extract<Placement, { outcome: 'placed' }>,
): readonly IntentChange[] {
  const change = {
    path: installationPath(placement.cluster, placed.metadata.id),
    before: undefined,
    after: placed,
  }
  const shared = placement.sharedDatabase
  if (shared === undefined) return [change]
  return [{ path: databasePath(shared.before.metadata.name), ...shared }, change]
}

function describe({ spec }: Installation, reason: string): string {
  const primary = spec.dns.find((dns) => dns.primary === true)?.name ?? spec.dns[0]?.name ?? ''
  return [
    `Address: ${primary}`,
    `Version: ${spec.version}, size: ${spec.size}`,
    `Database: ${spec.database.kind}${spec.database.shared === undefined ? '' : ` in ${spec.database.shared.database}`}`,
    `File store: ${spec.filestore.kind}`,
    `Placement: ${reason}`,
  ].join('\n')
}

function joined(...lines: readonly (string | undefined)[]): string {
  return lines.filter((line) => line !== undefined && line !== '').join('\n')
}
