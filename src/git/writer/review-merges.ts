/**
 * Reviews among the commits of others. A merge is found by what arrived, whichever way it was merged; whether it counts is
 * decided again. All of a review's documents count, or none.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Fleet, IntentChange } from '../../fleet/fleet.ts'
import { type MergedDocument, reviewObjection } from '../../fleet/reviewed-change.ts'
import type { Admission, Refused } from '../../fleet/rules/admit.ts'
import type { OpenReview } from '../../ports/change-reviews.ts'
import type { HistoryEntry } from '../../ports/writer.ts'
import type { ChangedFile, ReadChanges } from './ingest.ts'

export interface ReviewCandidate {
  readonly review: OpenReview
  /** Its commit arrived, or one that names it. Otherwise only its content tells. */
  readonly isNamed: boolean
}

/** A merge that must not count: its documents become what they were. */
export interface UndoneReview {
  readonly review: OpenReview
  readonly reason: string
  readonly files: readonly ChangedFile[]
}

/** A merge brings the commit itself, a rebase a copy of it, a squash its text. What names a review is only looked at more closely. */
export function reviewCandidates(
  reviews: readonly OpenReview[],
  arrived: readonly HistoryEntry[],
): readonly ReviewCandidate[] {
  return reviews.map((review) => ({
    review,
    isNamed: arrived.some((entry) => entry.commit === review.commit || names(entry, review.id)),
  }))
}

function names({ subject, body, trailers }: HistoryEntry, id: string): boolean {
  return `${subject}\n${body}\n${Object.values(trailers).join('\n')}`.includes(id)
}

export interface ReviewMerges {
  readonly counted: readonly OpenReview[]
  readonly undone: readonly { readonly review: OpenReview; readonly reason: string }[]
  readonly undonePaths: ReadonlySet<string>
  readonly keyOf: (change: IntentChange) => string | undefined
}

/** @param fleet before what arrived */
export function judgeReviewMerges(
  fleet: Fleet,
  read: ReadChanges,
  candidates: readonly ReviewCandidate[],
): ReviewMerges {
  const counted: OpenReview[] = []
  const undone: { review: OpenReview; reason: string }[] = []
  const byPath = new Map(read.changes.map((change) => [change.path as string, change]))
  for (const { review, isNamed } of candidates) {
    const documents = review.changes.map((asked) => mergedDocument(fleet, asked, read, byPath))
    const arrived = review.changes.some(({ path }) => read.files.has(path))
    if (!arrived || !(isNamed || documents.every(isAsAsked))) continue
    const objection = reviewObjection(fleet, documents)
    if (objection === undefined) counted.push(review)
    else undone.push({ review, reason: objection })
  }
  const keys = new Map(
    counted.flatMap(({ id, changes }) => changes.map(({ path }) => [path as string, `review ${id}`])),
  )
  return {
    counted,
    undone,
    undonePaths: pathsOf(undone.map(({ review }) => review)),
    keyOf: ({ path }) => keys.get(path),
  }
}

function mergedDocument(
  fleet: Fleet,
  asked: IntentChange,
  read: ReadChanges,
  byPath: ReadonlyMap<string, IntentChange>,
): MergedDocument {
  const { path } = asked
  if ((read.problems.get(path)?.length ?? 0) > 0) return { asked, merged: 'unreadable' }
  const change = byPath.get(path)
  return { asked, merged: change === undefined ? fleet.intent(path) : change.after }
}

function isAsAsked({ asked, merged }: MergedDocument): boolean {
  return isDeepStrictEqual(asked.after, merged)
}

function pathsOf(reviews: readonly OpenReview[]): ReadonlySet<string> {
  return new Set(reviews.flatMap(({ changes }) => changes.map(({ path }) => path)))
}

/** What is left when these paths are as they were. */
export function without(read: ReadChanges, paths: ReadonlySet<string>): ReadChanges {
  if (paths.size === 0) return read
  return {
    ...read,
    changes: read.changes.filter(({ path }) => !paths.has(path)),
    problems: new Map([...read.problems].map(([path, found]) => [path, paths.has(path) ? [] : found])),
  }
}

/** What the rules of the fleet refuse is undone too; the refused rest is somebody else's. */
export function settleReviewMerges(
  read: ReadChanges,
  merges: ReviewMerges,
  { refused }: Admission,
): {
  readonly completed: readonly OpenReview[]
  readonly undone: readonly UndoneReview[]
  readonly refused: readonly Refused[]
} {
  const broken = new Map<string, string>()
  const others: Refused[] = []
  for (const group of refused) {
    const key = group.changes.map(merges.keyOf).find((found) => found !== undefined)
    if (key === undefined) others.push(group)
    else broken.set(key, group.problems.map(({ path, detail }) => `${path}: ${detail}`).join('; '))
  }
  const reasonOf = ({ id }: OpenReview): string | undefined => broken.get(`review ${id}`)
  const refusedReviews = merges.counted.flatMap((review) => {
    const reason = reasonOf(review)
    return reason === undefined ? [] : [{ review, reason }]
  })
  return {
    completed: merges.counted.filter((review) => reasonOf(review) === undefined),
    undone: [...merges.undone, ...refusedReviews].map(({ review, reason }) => ({
      review,
      reason,
      files: review.changes.flatMap(({ path }) => read.files.get(path) ?? []),
    })),
    refused: others,
  }
}
