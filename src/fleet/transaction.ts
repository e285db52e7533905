/**
 * Every change of the fleet is a transaction against one revision: `(fleet, request) -> changes | refusal`. It is pure:
 * whatever is random or from a clock was decided when the request came in, so it can run again on a newer revision.
 */
import { type FleetError, isFleetError } from './errors.ts'
import type { Fleet, IntentChange } from './fleet.ts'

export interface Actor {
  readonly name: string
  readonly email: string
}

export interface RequestContext {
  readonly requestId: string
  readonly actor: Actor
  /** When the request came in, milliseconds since 1970. */
  readonly now: number
  readonly idempotencyKey?: string
  /** SHA-256 of method, path and body (secrets taken out), to notice a key that is used again for something else. */
  readonly requestDigest?: string
}

/** What a person reads in `git log`. `subject` such as "Create installation acme on prod-1"; `body` old → new, why. */
export interface CommitText {
  readonly subject: string
  readonly body?: string
  /** `Installation`, `Cluster`, `Group`: ids of what the commit is about. */
  readonly trailers: Readonly<Record<string, string>>
}

export interface TransactionResult<Value> {
  /** Empty: nothing to commit, the request is answered all the same. */
  readonly changes: readonly IntentChange[]
  readonly text: CommitText
  readonly value: Value
}

/** @throws FleetError as the refusal */
export type Transaction<Value> = (fleet: Fleet, context: RequestContext) => TransactionResult<Value>

export type Outcome<Value> =
  | { readonly refused: FleetError }
  | { readonly refused?: undefined; readonly result: TransactionResult<Value> }

/** Runs a transaction. A FleetError is a refusal; any other error is a defect and goes on. */
export function transact<Value>(
  fleet: Fleet,
  transaction: Transaction<Value>,
  context: RequestContext,
): Outcome<Value> {
  try {
    return { result: transaction(fleet, context) }
  } catch (error) {
    if (isFleetError(error)) return { refused: error }
    throw error
  }
}
