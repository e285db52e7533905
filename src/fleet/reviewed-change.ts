/**
 * A change that was asked for, put on a branch for review, and merged by somebody: whether it may still count. It is decided
 * again on main as it was just before the merge; a merge never gets more rights than any commit of people has.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Fleet, IntentChange } from './fleet.ts'
import type { Intent } from './intents.ts'
import { secretKeysIn } from './secret-references.ts'
import type { CommitText, Transaction } from './transaction.ts'

export interface MergedDocument {
  /** As the request found it and made it. */
  readonly asked: IntentChange
  /** As it is on main by the merge; `unreadable`: it is no valid document any more. */
  readonly merged: Intent | undefined | 'unreadable'
}

/** Why a merged change must not count; undefined: it is what the request would do now. */
export function reviewObjection(fleet: Fleet, documents: readonly MergedDocument[]): string | undefined {
  for (const { asked, merged } of documents) {
    const { path, before, after } = asked
    const now = fleet.intent(path)
    const objection =
      counterObjection(before, now) ??
      guardObjection(fleet, after, now) ??
      contentObjection({ was: before, did: after, now }, merged)
    if (objection !== undefined) return `${path}: ${objection}`
  }
  return undefined
}

/** Another request was carried out on the object in between: what was asked for was decided on an older one. */
function counterObjection(was: Intent | undefined, now: Intent | undefined): string | undefined {
  if (isDeepStrictEqual(counterOf(was), counterOf(now))) return undefined
  return 'another request changed it after this one was asked for'
}

function counterOf(intent: Intent | undefined): unknown {
  switch (intent?.kind) {
    case undefined:
      return undefined
    case 'Installation':
    case 'InstallationRequest':
    case 'Cluster':
      return intent.spec.operation?.generation
    case 'Group':
      return intent.spec.sequence
    default:
      return 0
  }
}

/** What the request would be refused for now. */
function guardObjection(fleet: Fleet, did: Intent | undefined, now: Intent | undefined): string | undefined {
  if (now === undefined || now.kind === 'Fleet' || now.kind === 'Tombstone' || now.kind === 'SharedDatabase')
    return undefined
  if (now.spec.apiLocked === true) return 'it was locked against changes (spec.apiLocked)'
  if (now.kind === 'Cluster' && did?.kind === 'Cluster' && did.spec.operation.kind === 'deletion') {
    const { installations } = fleet.occupancy(now.metadata.name)
    return installations === 0 ? undefined : `the cluster has ${installations} installations now`
  }
  if (now.kind !== 'Installation' && now.kind !== 'InstallationRequest') return undefined
  const goes =
    did !== undefined &&
    'operation' in did.spec &&
    /^deletion(-pending)?$/.test(did.spec.operation?.kind ?? '')
  return goes && now.spec.deletionLocked === true
    ? 'it was locked against deletion (spec.deletionLocked)'
    : undefined
}

interface Versions {
  readonly was: unknown
  readonly did: unknown
  readonly now: unknown
}

function contentObjection(versions: Versions, merged: MergedDocument['merged']): string | undefined {
  if (merged === 'unreadable') return 'it cannot be read any more'
  const expected = combined(plain(versions))
  if (expected === CONFLICT) return 'the same field was changed in between'
  return isDeepStrictEqual(plain(expected), plain(merged))
    ? undefined
    : 'what was merged is not what was asked for'
}

const CONFLICT = Symbol('conflict')

/** What the request makes of the document as it is now, field by field. */
function combined({ was, did, now }: Versions): unknown {
  if (isDeepStrictEqual(was, now)) return did
  if (isDeepStrictEqual(was, did) || isDeepStrictEqual(now, did)) return now
  if (!isObject(was) || !isObject(did) || !isObject(now)) return CONFLICT
  const result: Record<string, unknown> = {}
  for (const key of new Set([...Object.keys(was), ...Object.keys(did), ...Object.keys(now)])) {
    const value = combined({ was: was[key], did: did[key], now: now[key] })
    if (value === CONFLICT) return CONFLICT
    if (value !== undefined) result[key] = value
  }
  return result
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** As it would be read from a document: keys without a value are not there. */
function plain<Value>(value: Value): Value {
  return value === undefined ? value : (JSON.parse(JSON.stringify(value)) as Value)
}

/** Trailers by which a review is known: of the commit that is reviewed, and of the one that says what became of it. */
export const REVIEW_TRAILER = 'Review'
export const REVIEW_REASONS_TRAILER = 'Review-Reasons'
/** Times of commits are seconds; which of two requests is the newer one may be decided by less. */
export const REVIEW_TIME_TRAILER = 'Review-Asked'
export const REVIEW_SEAL_TRAILER = 'Review-Seal'
export const REVIEW_OUTCOME_TRAILER = 'Review-Outcome'

export type ReviewOutcome = 'completed' | 'undone'

/** Of a commit that was put up for review, or a copy of it by a squash or rebase. */
export function isReviewCommit(trailers: Readonly<Record<string, string>>): boolean {
  return trailers[REVIEW_TRAILER] !== undefined && trailers[REVIEW_OUTCOME_TRAILER] === undefined
}

export interface MergedReview {
  readonly id: string
  readonly subject: string
  readonly trailers: Readonly<Record<string, string>>
  readonly changes: readonly IntentChange[]
}

/**
 * The record that a reviewed change counts. Time runs from the merge: a deletion can be cancelled for as long as one that was
 * not reviewed.
 */
export function completeReview({ id, subject, trailers, changes }: MergedReview): Transaction<undefined> {
  return (fleet, context) => ({
    changes: changes.flatMap((asked) => {
      const before = fleet.intent(asked.path)
      const after = before === undefined ? undefined : retimed(asked, before, context.now)
      return after === undefined ? [] : [{ path: asked.path, before, after }]
    }),
    text: {
      subject: `Complete the reviewed change: ${subject}`,
      trailers: { ...trailers, [REVIEW_TRAILER]: id, [REVIEW_OUTCOME_TRAILER]: 'completed' },
    },
    value: undefined,
  })
}

/** Undefined: no time in it is the request's. */
function retimed(
  { before: was, after: did }: IntentChange,
  present: Intent,
  now: number,
): Intent | undefined {
  if (present.kind === 'Cluster' && did?.kind === 'Cluster') {
    const operation = askedNow(
      was?.kind === 'Cluster' ? was.spec.operation : undefined,
      did.spec.operation,
      now,
    )
    if (operation === undefined || !isDeepStrictEqual(present.spec.operation, did.spec.operation))
      return undefined
    return { ...present, spec: { ...present.spec, operation } }
  }
  if (present.kind !== 'Installation' || did?.kind !== 'Installation') return undefined
  const wasOperation = was?.kind === 'Installation' ? was.spec.operation : undefined
  const operation = askedNow(wasOperation, did.spec.operation, now)
  if (operation === undefined || !isDeepStrictEqual(present.spec.operation, did.spec.operation))
    return undefined
  const expiresAt = did.spec.deletion?.pendingExpiresAt
  const hadExpiry = was?.kind === 'Installation' ? was.spec.deletion?.pendingExpiresAt : undefined
  if (expiresAt === undefined || expiresAt === hadExpiry)
    return { ...present, spec: { ...present.spec, operation } }
  const left = Date.parse(expiresAt) - Date.parse(did.spec.operation.requestedAt)
  const deletion = { ...present.spec.deletion, pendingExpiresAt: new Date(now + left).toISOString() }
  return { ...present, spec: { ...present.spec, operation, deletion } }
}

function askedNow<Asked extends { readonly generation: number; readonly requestedAt: string }>(
  was: Asked | undefined,
  did: Asked,
  now: number,
): Asked | undefined {
  return was?.generation === did.generation ? undefined : { ...did, requestedAt: new Date(now).toISOString() }
}

export function undoneText(review: MergedReview, reason: string): CommitText {
  return {
    subject: `Take back a merged change that does not count: ${review.subject}`,
    body: `${reason}. Send the request again.`,
    trailers: { [REVIEW_TRAILER]: review.id, [REVIEW_OUTCOME_TRAILER]: 'undone' },
  }
}

/** Keys of secret values that only this change refers to. */
export function newSecretKeys(changes: readonly IntentChange[]): readonly string[] {
  const before = new Set(changes.flatMap((change) => [...secretKeysIn(change.before)]))
  const after = changes.flatMap((change) => [...secretKeysIn(change.after)])
  return [...new Set(after)].filter((key) => !before.has(key))
}

/** Whether two requests ask for the same; when they were made does not count. */
export function asksForTheSame(a: readonly IntentChange[], b: readonly IntentChange[]): boolean {
  const wanted = (changes: readonly IntentChange[]): unknown =>
    Object.fromEntries(changes.map(({ path, after }) => [path, timeless(after)]))
  return isDeepStrictEqual(wanted(a), wanted(b))
}

function timeless(intent: Intent | undefined): unknown {
  const text = intent === undefined ? 'null' : JSON.stringify(intent, withoutTimes)
  return JSON.parse(text)
}

function withoutTimes(key: string, value: unknown): unknown {
  return key === 'requestedAt' || key === 'pendingExpiresAt' || key === 'deletedAt' ? '' : value
}
