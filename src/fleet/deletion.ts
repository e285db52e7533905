/** What a deletion keeps, how fast a cluster may lose its installations, and how far a deletion has come. */
import type { Fleet } from './fleet.ts'
import type { FleetSettings, Installation, Slug, Timestamp, Tombstone } from './intents.ts'

const HOUR_MILLISECONDS = 3_600_000
/** This many a cluster and hour, or this share of its installations when that is more. */
const LEAST_LIMIT = 5
const LIMIT_SHARE = 0.01

/** Manifests of an installation follow from its phase. `leaving`: nothing protects it any more. `emptied`: all of it goes. */
export type DeletionPhase = 'lives' | 'leaving' | 'emptied'

export function deletionPhase(installation: Installation, tombstone: Tombstone | undefined): DeletionPhase {
  if (installation.spec.operation.kind !== 'deletion' || tombstone === undefined) return 'lives'
  return tombstone.spec.emptiedAt === undefined ? 'leaving' : 'emptied'
}

/** What will still be there: by the fleet's settings where they decide, as it is where they cannot. */
export function keptData(settings: FleetSettings['spec'], { spec }: Installation): Tombstone['spec']['keep'] {
  const { keepDatabase, keepFilestore } = settings.deletion
  return {
    // An external database belongs to somebody else.
    database: spec.database.kind === 'external' || keepDatabase,
    filestore: keepsFiles(spec.filestore.kind, keepFilestore),
  }
}

function keepsFiles(kind: Installation['spec']['filestore']['kind'], keep: boolean): boolean {
  switch (kind) {
    // Nothing in git names the files of one installation in a bucket that many share.
    case 'aws-multitenant-s3':
    case 'bifrost':
      return true
    // Lives and ends with the pods.
    case 'local-ephemeral':
      return false
    default:
      return keep
  }
}

/** The database lives on the cluster itself: keeping it means keeping its namespace. */
export function staysOnCluster({ spec }: Tombstone): boolean {
  return spec.keep.database && spec.installation.spec.database.kind === 'cloudnative-pg'
}

/** Where a cluster stands with its limit. */
export interface DeletionLimit {
  /** Installations an hour. */
  readonly most: number
  /** Begun within the last hour. */
  readonly begun: number
  /** When the next may begin, milliseconds since 1970; not later than now while the limit is not reached. */
  readonly nextAt: number
}

export function deletionLimit(fleet: Fleet, cluster: Slug, now: number): DeletionLimit {
  const { installations } = fleet.occupancy(cluster)
  const most = Math.max(LEAST_LIMIT, Math.floor(installations * LIMIT_SHARE))
  const times = fleet
    .tombstonesOn(cluster)
    .map(({ spec }) => Date.parse(spec.notBefore))
    .filter((at) => at > now - HOUR_MILLISECONDS)
    .sort((a, b) => b - a)
  const blocking = times[most - 1]
  return { most, begun: times.length, nextAt: blocking === undefined ? now : blocking + HOUR_MILLISECONDS }
}

/** Why a deletion that was asked for does not go on; undefined: nothing holds it back. */
export function deletionHold(
  fleet: Fleet,
  installation: Installation,
  now: number,
): { readonly code: 'api-locked' | 'deletion-locked' | 'guarded'; readonly detail: string } | undefined {
  const { deletionLocked, apiLocked, placement } = installation.spec
  const { name } = installation.metadata
  if (deletionLocked === true)
    return {
      code: 'deletion-locked',
      detail: `Installation ${name} is locked against deletion; unlock it first`,
    }
  if (apiLocked === true)
    return {
      code: 'api-locked',
      detail: `Installation ${name} is locked against changes through the API; unlock it first`,
    }
  if (placement === undefined || fleet.tombstone(installation.metadata.id) !== undefined) return undefined
  const { cluster } = placement
  const liftedUntil = fleet.cluster(cluster)?.spec.deletionLimitLiftedUntil
  if (isLater(liftedUntil, now)) return undefined
  const { most, begun, nextAt } = deletionLimit(fleet, cluster, now)
  if (begun < most) return undefined
  const detail = `${begun} deletions began on cluster ${cluster} within an hour, and ${most} are the most; the next one begins at ${new Date(nextAt).toISOString()}, or at once when spec.deletionLimitLiftedUntil of the cluster is set to a time ahead`
  return { code: 'guarded', detail }
}

function isLater(timestamp: Timestamp | undefined, now: number): boolean {
  return timestamp !== undefined && Date.parse(timestamp) > now
}
