/** Puts a change on a branch of its own for review. Only its documents: what is rendered follows when it is merged. */
import { FleetError } from '../../fleet/errors.ts'
import type { IntentChange } from '../../fleet/fleet.ts'
import type { RefName } from '../../fleet/ids.ts'
import {
  asksForTheSame,
  REVIEW_REASONS_TRAILER,
  REVIEW_SEAL_TRAILER,
  REVIEW_TIME_TRAILER,
  REVIEW_TRAILER,
} from '../../fleet/reviewed-change.ts'
import type { CommitText, RequestContext } from '../../fleet/transaction.ts'
import {
  type OpenReview,
  type Proposed,
  REVIEW_BRANCHES,
  type ReviewRequest,
} from '../../ports/change-reviews.ts'
import type { NewObject } from '../contracts.ts'
import { commitObject } from '../objects.ts'
import { commitMessage, identity } from './commit-message.ts'
import { requireNoOther, type ReviewBranchIndex } from './review-branches.ts'
import { reviewSeal } from './review-seal.ts'
import type { WriterOptions } from './types.ts'
import { intentTexts, type Prepared, prepare, type WindowBase } from './window.ts'

/**
 * The head must stand still meanwhile: nothing is being pushed or built.
 * @throws FleetError the refusal, `review-open`, `stale-lease`, and what a push throws
 */
export async function proposeChange(
  base: WindowBase,
  request: ReviewRequest<unknown>,
  reviews: ReviewBranchIndex,
  options: WriterOptions,
): Promise<Proposed<unknown>> {
  const prepared = prepare(base, { kind: 'transaction', ...request })
  if ('error' in prepared) throw prepared.error
  const root = base.editor.root
  try {
    const { value, changes } = prepared
    const same = reviews.list().find((review) => isRepeated(review, request.context, changes))
    if (same !== undefined) return { value, review: same }
    if (changes.length === 0) return { value, review: undefined }
    requireNoOther(
      reviews.list(),
      changes,
      request.reasons.map(({ kind }) => kind),
    )
    const objects = await reviewCommit(base, prepared, request, options)
    if (objects === undefined) return { value, review: undefined }
    return { value, review: await push(objects, request, reviews, options) }
  } finally {
    base.editor.reset(root)
    base.index.apply(prepared.inverse)
  }
}

/** @throws FleetError `idempotency-conflict` */
function isRepeated(
  review: OpenReview,
  { idempotencyKey: key, requestDigest: digest }: RequestContext,
  changes: readonly IntentChange[],
): boolean {
  if (key === undefined || review.idempotencyKey !== key) return asksForTheSame(review.changes, changes)
  if (review.requestDigest === digest) return true
  throw new FleetError(
    'idempotency-conflict',
    `The idempotency key ${key} was used for another request, which waits for its review (${review.id}).`,
  )
}

/** The commit is the last one. Undefined: the documents are as they are wanted already. */
async function reviewCommit(
  base: WindowBase,
  prepared: Prepared,
  request: ReviewRequest<unknown>,
  { committer, clock, sign, reviewKey }: WriterOptions,
): Promise<readonly NewObject[] | undefined> {
  const { context } = request
  const root = base.editor.root
  const made = await base.editor.apply(await intentTexts(base, prepared))
  if (base.editor.root === root) return undefined
  const seal =
    reviewKey === undefined || base.head === undefined
      ? undefined
      : reviewSeal(reviewKey, { id: request.id, base: base.head, tree: base.editor.root })
  const commit = commitObject({
    tree: base.editor.root,
    parents: base.head === undefined ? [] : [base.head],
    author: identity(context.actor.name, context.actor.email, context.now),
    committer: identity(committer.name, committer.email, clock.now()),
    sign,
    message: commitMessage(textOf(prepared.text, request, seal), context),
  })
  return [...made, commit]
}

function textOf(
  text: CommitText,
  { id, reasons, context }: ReviewRequest<unknown>,
  seal: string | undefined,
): CommitText {
  const why = reasons.map(({ detail }) => `Needs a review: ${detail}`)
  return {
    subject: text.subject,
    body: [text.body, ...why].filter((line) => line !== undefined && line !== '').join('\n'),
    trailers: {
      ...text.trailers,
      [REVIEW_TRAILER]: id,
      [REVIEW_TIME_TRAILER]: new Date(context.now).toISOString(),
      ...(seal === undefined ? {} : { [REVIEW_SEAL_TRAILER]: seal }),
      [REVIEW_REASONS_TRAILER]: [...new Set(reasons.map(({ kind }) => kind))].join(', '),
    },
  }
}

async function push(
  objects: readonly NewObject[],
  { id }: ReviewRequest<unknown>,
  reviews: ReviewBranchIndex,
  { home }: WriterOptions,
): Promise<Proposed<unknown>['review']> {
  // Ids are letters and digits.
  const ref = `refs/heads/${REVIEW_BRANCHES}${id}` as RefName
  const next = objects.at(-1)?.oid
  if (next === undefined) return undefined
  const pushed = await home.push([{ ref, expected: undefined, next }], objects)
  if (pushed.outcome === 'stale')
    throw new FleetError('stale-lease', `The branch ${ref} is there already: ${pushed.detail}`)
  await reviews.add(ref, next)
  return reviews.list().find((review) => review.id === id)
}
