/** Whether a change that is asked for goes in at once, or somebody has to agree first. Pure: it is decided with the change. */
import { isDeepStrictEqual } from 'node:util'
import type { Fleet, IntentChange } from './fleet.ts'
import type {
  ChangePolicy,
  Cluster,
  Group,
  Installation,
  InstallationRequest,
  Intent,
  ReviewPolicy,
} from './intents.ts'
import { isLarger } from './sizes.ts'

export type ReviewKind =
  | 'deletion'
  | 'size-up'
  | 'group-version'
  | 'cluster-removal'
  | 'more-than-installations'

export interface ReviewReason {
  readonly kind: ReviewKind
  /** For people, without a full stop. */
  readonly detail: string
}

export type ChangeVerdict =
  | { readonly way: 'direct' }
  | { readonly way: 'review'; readonly reasons: readonly ReviewReason[] }

/** Who asks: the token. */
export interface Asker {
  readonly token: string
  readonly role: 'reader' | 'writer' | 'admin'
}

const DIRECT: ChangeVerdict = { way: 'direct' }

/** @param fleet before the changes */
export function decideChange(
  policy: ChangePolicy | undefined,
  fleet: Fleet,
  changes: readonly IntentChange[],
  asker: Asker,
): ChangeVerdict {
  const review = policy?.review
  if (review === undefined || isExempt(review, asker)) return DIRECT
  const reasons = [
    ...changes.flatMap((change) => reasonsOf(review, fleet, change)),
    ...tooMany(review, fleet, changes),
  ]
  return reasons.length === 0 ? DIRECT : { way: 'review', reasons }
}

function isExempt({ exempt }: ReviewPolicy, { token, role }: Asker): boolean {
  return exempt?.tokens?.includes(token) === true || exempt?.roles?.some((name) => name === role) === true
}

function reasonsOf(
  review: ReviewPolicy,
  fleet: Fleet,
  { before, after }: IntentChange,
): readonly ReviewReason[] {
  const reasons: ReviewReason[] = []
  const add = (kind: ReviewKind, detail: string): void => void reasons.push({ kind, detail })
  if (isWaitingOrPlaced(after)) {
    const was = isWaitingOrPlaced(before) ? before : undefined
    const { name } = after.metadata
    if (review.deletions === true && wantsDeletion(was, after))
      add('deletion', `installation ${name} is to be deleted`)
    if (review.sizeUps === true && growsFrom(was?.spec.size, after.spec.size))
      add('size-up', `installation ${name} grows from ${was?.spec.size} to ${after.spec.size}`)
  }
  if (before?.kind === 'Group' && after?.kind === 'Group' && review.groupVersions === true) {
    const members = fleet.memberCount(before.metadata.name)
    const fields = changedFields(before, after)
    if (members > 0 && fields.length > 0)
      add(
        'group-version',
        `${fields.join(', ')} of group ${before.spec.displayName} change for ${members} members`,
      )
  }
  if (review.clusterRemovals === true && before?.kind === 'Cluster' && isRemoved(before, after))
    add('cluster-removal', `cluster ${before.metadata.name} is to be deleted`)
  return reasons
}

function isWaitingOrPlaced(intent: Intent | undefined): intent is Installation | InstallationRequest {
  return intent?.kind === 'Installation' || intent?.kind === 'InstallationRequest'
}

const DELETING = ['deletion', 'deletion-pending'] as const

/** It was not going before; or it gets a planned time, or an earlier one. */
export function wantsDeletion(
  before: Installation | InstallationRequest | undefined,
  { spec }: Installation | InstallationRequest,
): boolean {
  const goes = (kind: string | undefined): boolean => DELETING.some((one) => one === kind)
  if (goes(spec.operation?.kind) && !goes(before?.spec.operation?.kind)) return true
  return (
    isEarlier(spec.deletion?.scheduledAt, before?.spec.deletion?.scheduledAt) ||
    (goes(spec.operation?.kind) &&
      isEarlier(spec.deletion?.pendingExpiresAt, before?.spec.deletion?.pendingExpiresAt) &&
      before?.spec.deletion?.pendingExpiresAt !== undefined)
  )
}

function isEarlier(now: string | undefined, was: string | undefined): boolean {
  if (now === undefined) return false
  return was === undefined || Date.parse(now) < Date.parse(was)
}

function growsFrom(before: string | undefined, after: string | undefined): boolean {
  return before !== undefined && after !== undefined && isLarger(after, before)
}

/** Of what members run. */
function changedFields(before: Group, after: Group): readonly string[] {
  return (['version', 'image', 'env'] as const).filter(
    (field) => !isDeepStrictEqual(before.spec[field], after.spec[field]),
  )
}

function isRemoved(before: Cluster, after: Intent | undefined): boolean {
  if (after?.kind !== 'Cluster') return true
  if (after.metadata.deletedAt !== undefined && before.metadata.deletedAt === undefined) return true
  return after.spec.operation.kind === 'deletion' && before.spec.operation.kind !== 'deletion'
}

function tooMany(
  { moreThanInstallations: most }: ReviewPolicy,
  fleet: Fleet,
  changes: readonly IntentChange[],
): readonly ReviewReason[] {
  if (most === undefined) return []
  const touched = touchedInstallations(fleet, changes, most)
  if (touched <= most) return []
  return [
    {
      kind: 'more-than-installations',
      detail: `more than ${most} installations are touched by one request`,
    },
  ]
}

/**
 * Installations whose documents change, members of groups that change, and what is on clusters that change.
 * @param enough it stops counting one by one above this
 */
function touchedInstallations(fleet: Fleet, changes: readonly IntentChange[], enough: number): number {
  const ids = new Set<string>()
  for (const { before, after } of changes) {
    const intent = after ?? before
    if (isWaitingOrPlaced(intent) && intent.metadata.id !== undefined) ids.add(intent.metadata.id)
    if (intent?.kind === 'Group' && reachesMembers(before, after)) {
      if (fleet.memberCount(intent.metadata.name) > enough) return fleet.memberCount(intent.metadata.name)
      for (const { metadata } of fleet.installationsIn(intent.metadata.name)) ids.add(metadata.id)
    }
    if (intent?.kind === 'Cluster' && reachesInstallations(before, after)) {
      const { installations } = fleet.occupancy(intent.metadata.name)
      if (installations > enough) return installations
      for (const { metadata } of fleet.installationsOn(intent.metadata.name)) ids.add(metadata.id)
    }
  }
  return ids.size
}

function reachesMembers(before: Intent | undefined, after: Intent | undefined): boolean {
  if (before?.kind !== 'Group' || after?.kind !== 'Group') return false
  return before.spec.sequence !== after.spec.sequence
}

/** Names, locks, annotations and whether it takes new ones do not: whatever asks for an operation does. */
function reachesInstallations(before: Intent | undefined, after: Intent | undefined): boolean {
  if (before?.kind !== 'Cluster' || after?.kind !== 'Cluster') return false
  return before.spec.operation.generation !== after.spec.operation.generation
}

const DEFAULT_EXPIRE_HOURS = 168

/** How long a review may be open, milliseconds. */
export function reviewLifetime(policy: ChangePolicy | undefined): number {
  return (policy?.review?.expireHours ?? DEFAULT_EXPIRE_HOURS) * 3_600_000
}
