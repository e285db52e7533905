/** The one way from a handler to a commit, or to a review: dry run, secrets before the commit, its id in the answer. */
import type { ChangeVerdict } from '../fleet/change-policy.ts'
import { type ErrorCode, FleetError, isFleetError } from '../fleet/errors.ts'
import { idFromBytes } from '../fleet/ids.ts'
import { newSecretKeys } from '../fleet/reviewed-change.ts'
import type { RequestContext, Transaction } from '../fleet/transaction.ts'
import type { ReviewState } from '../ports/change-reviews.ts'
import type { Committed, Plan } from '../ports/writer.ts'
import type { Change, NewSecret, Parts } from './context.ts'
import { asItIs, gated, observed, reviewReasons } from './review-gate.ts'
import { type Answer, json, type Role } from './routes.ts'

/** After these nobody knows whether the commit was written: its secrets stay, an orphan is removed later. */
const UNCERTAIN: readonly ErrorCode[] = ['remote-unavailable', 'internal', 'repository-damaged']

type SubmitParts = Pick<
  Parts,
  'writer' | 'changeReviews' | 'secrets' | 'secretHolds' | 'randomness' | 'logger'
>

export interface Submission {
  readonly request: RequestContext
  readonly role: Role
  /** Of the original's API: its status codes stay, also when a review is opened. */
  readonly wire: boolean
}

/** @throws FleetError what the writer or the secret backend refuses with, `review-required` without a forge */
export async function submitChange<Value>(
  parts: SubmitParts,
  change: Change<Value>,
  submission: Submission,
): Promise<Answer> {
  const { secrets = [], restores = [] } = change
  const release = parts.secretHolds.hold([...secrets.map(({ key }) => key), ...restores])
  const done = await commitWithSecrets(parts, change, submission).finally(release)
  if ('review' in done)
    return reviewAnswer(
      change.answer(asItIs(parts.writer.fleet, done.value), undefined),
      done.review,
      submission,
    )
  const answer = change.answer(done.value, done.commit)
  return done.commit === undefined
    ? answer
    : { ...answer, headers: { ...answer.headers, 'Fleetwright-Commit': done.commit } }
}

/** Nothing has changed yet; where it can be agreed to is in the headers. */
function reviewAnswer(answer: Answer, { review, pullRequest }: ReviewState, { wire }: Submission): Answer {
  const url = pullRequest?.url
  return {
    ...answer,
    status: wire ? answer.status : 202,
    headers: {
      ...answer.headers,
      'Fleetwright-Review': review.id,
      ...(url === undefined ? {} : { 'Fleetwright-Pull-Request': url, Location: url }),
    },
  }
}

type Done<Value> = Committed<Value> | { readonly value: Value; readonly review: ReviewState }

async function commitWithSecrets<Value>(
  parts: SubmitParts,
  { transaction, secrets = [], restores = [] }: Change<Value>,
  submission: Submission,
): Promise<Done<Value>> {
  await requireStored(parts, restores)
  const ours: NewSecret[] = []
  try {
    for (const secret of secrets) await putSecret(parts, secret, ours)
    const done = await commitOrPropose(parts, transaction, submission)
    const kept = 'review' in done ? newSecretKeys(done.review.review.changes) : []
    const isUsed = !('review' in done) && done.commit !== undefined
    await takeBack(
      parts,
      ours.filter(({ key }) => !isUsed && !kept.includes(key)),
    )
    return done
  } catch (error) {
    if (isFleetError(error) && !UNCERTAIN.includes(error.code)) await takeBack(parts, ours)
    throw error
  }
}

/** @throws FleetError the refusal */
async function commitOrPropose<Value>(
  { writer, changeReviews, randomness }: SubmitParts,
  transaction: Transaction<Value>,
  { request, role }: Submission,
): Promise<Done<Value>> {
  try {
    return await writer.submit(gated(transaction, { token: request.actor.name, role }), request)
  } catch (error) {
    const reasons = reviewReasons(error)
    if (reasons === undefined || !changeReviews.isPossible) throw error
    const id = idFromBytes(randomness.bytes(26))
    const { value, review } = await writer.propose({ id, reasons, transaction, context: request })
    if (review === undefined) return { value, commit: undefined, files: [] }
    return { value, review: await changeReviews.open(review) }
  }
}

/** @param ours gets what may have been stored, also when the backend's answer was lost; never what others stored */
async function putSecret({ secrets }: SubmitParts, secret: NewSecret, ours: NewSecret[]): Promise<void> {
  try {
    await secrets.put(secret.key, secret.value)
  } catch (error) {
    if (!isFleetError(error) || error.code !== 'secret-exists') ours.push(secret)
    throw error
  }
  ours.push(secret)
}

/** @throws FleetError the refusal */
export async function planChange<Value>(
  parts: SubmitParts,
  change: Change<Value>,
  { request, role }: Submission,
): Promise<Answer> {
  await requireStored(parts, change.restores ?? [])
  let verdict: ChangeVerdict = { way: 'direct' }
  const transaction = observed(change.transaction, { token: request.actor.name, role }, (found) => {
    verdict = found
  })
  const plan = await parts.writer.plan(transaction, request)
  return json(200, describePlan(plan, change.placement?.(plan.value), verdict))
}

function describePlan(plan: Plan<unknown>, placement: unknown, verdict: ChangeVerdict): unknown {
  return {
    dryRun: true,
    subject: plan.subject,
    ...(plan.body === undefined ? {} : { body: plan.body }),
    ...(placement === undefined ? {} : { placement }),
    ...(verdict.way === 'direct' ? {} : { needsReview: verdict.reasons.map(({ detail }) => detail) }),
    files: plan.files,
    diff: plan.diff,
    base: plan.base,
  }
}

/** Git must not refer again to what is not there any more. @throws FleetError `secret-removed` */
async function requireStored({ secrets }: SubmitParts, keys: readonly string[]): Promise<void> {
  for (const key of keys) {
    if ((await secrets.get(key)) !== undefined) continue
    throw new FleetError(
      'secret-removed',
      `The secret value ${key} was removed from the secret backend after its grace period; set the value anew.`,
    )
  }
}

async function takeBack({ secrets, logger }: SubmitParts, values: readonly NewSecret[]): Promise<void> {
  for (const { key } of values) {
    try {
      await secrets.remove(key)
    } catch (error) {
      // The refusal is what the caller must hear of; the orphan is found and removed later.
      logger.warn({ err: error, key }, 'could not take a secret back')
    }
  }
}
