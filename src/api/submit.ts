/** The one way from a handler to a commit: dry run, secrets before the commit, the commit's id in the answer. */
import { type ErrorCode, FleetError, isFleetError } from '../fleet/errors.ts'
import type { RequestContext } from '../fleet/transaction.ts'
import type { Committed, Plan } from '../ports/writer.ts'
import type { Change, NewSecret, Parts } from './context.ts'
import { type Answer, json } from './routes.ts'

/** After these nobody knows whether the commit was written: its secrets stay, an orphan is removed later. */
const UNCERTAIN: readonly ErrorCode[] = ['remote-unavailable', 'internal', 'repository-damaged']

type SubmitParts = Pick<Parts, 'writer' | 'secrets' | 'secretHolds' | 'logger'>

/** @throws FleetError what the writer or the secret backend refuses with */
export async function submitChange<Value>(
  parts: SubmitParts,
  change: Change<Value>,
  request: RequestContext,
): Promise<Answer> {
  const { secrets = [], restores = [] } = change
  const release = parts.secretHolds.hold([...secrets.map(({ key }) => key), ...restores])
  const { value, commit } = await commitWithSecrets(parts, change, request).finally(release)
  const answer = change.answer(value, commit)
  return commit === undefined
    ? answer
    : { ...answer, headers: { ...answer.headers, 'Fleetwright-Commit': commit } }
}

async function commitWithSecrets<Value>(
  parts: SubmitParts,
  { transaction, secrets = [], restores = [] }: Change<Value>,
  request: RequestContext,
): Promise<Committed<Value>> {
  await requireStored(parts, restores)
  const ours: NewSecret[] = []
  try {
    for (const secret of secrets) await putSecret(parts, secret, ours)
    const committed = await parts.writer.submit(transaction, request)
    if (committed.commit === undefined) await takeBack(parts, ours)
    return committed
  } catch (error) {
    if (isFleetError(error) && !UNCERTAIN.includes(error.code)) await takeBack(parts, ours)
    throw error
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
  request: RequestContext,
): Promise<Answer> {
  await requireStored(parts, change.restores ?? [])
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
