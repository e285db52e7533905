/** The one way from a handler to a commit: dry run, secrets before the commit, the commit's id in the answer. */
import { type ErrorCode, isFleetError } from '../fleet/errors.ts'
import type { RequestContext } from '../fleet/transaction.ts'
import type { Committed, Plan } from '../ports/writer.ts'
import type { Change, NewSecret, Parts } from './context.ts'
import { type Answer, json } from './routes.ts'

/** After these nobody knows whether the commit was written: its secrets stay, an orphan is removed later. */
const UNCERTAIN: readonly ErrorCode[] = ['remote-unavailable', 'internal', 'repository-damaged']

type SubmitParts = Pick<Parts, 'writer' | 'secrets' | 'logger'>

/** @throws FleetError what the writer or the secret backend refuses with */
export async function submitChange<Value>(
  parts: SubmitParts,
  change: Change<Value>,
  request: RequestContext,
): Promise<Answer> {
  const { value, commit } = await commitWithSecrets(parts, change, request)
  const answer = change.answer(value)
  return commit === undefined
    ? answer
    : { ...answer, headers: { ...answer.headers, 'Fleetwright-Commit': commit } }
}

async function commitWithSecrets<Value>(
  parts: SubmitParts,
  { transaction, secrets = [] }: Change<Value>,
  request: RequestContext,
): Promise<Committed<Value>> {
  try {
    for (const { key, value } of secrets) await parts.secrets.put(key, value)
    const committed = await parts.writer.submit(transaction, request)
    if (committed.commit === undefined) await takeBack(parts, secrets)
    return committed
  } catch (error) {
    if (isFleetError(error) && !UNCERTAIN.includes(error.code)) await takeBack(parts, secrets)
    throw error
  }
}

/** @throws FleetError the refusal */
export async function planChange<Value>(
  parts: SubmitParts,
  change: Change<Value>,
  request: RequestContext,
): Promise<Answer> {
  const plan = await parts.writer.plan(change.transaction, request)
  return json(200, describePlan(plan, change.placement?.(plan.value)))
}

function describePlan(plan: Plan<unknown>, placement: unknown): unknown {
  return {
    dryRun: true,
    subject: plan.subject,
    ...(plan.body === undefined ? {} : { body: plan.body }),
    ...(placement === undefined ? {} : { placement }),
    files: plan.files,
    diff: plan.diff,
    base: plan.base,
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
