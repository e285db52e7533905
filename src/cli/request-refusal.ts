/** Why a request that a person wrote would be refused, on the lines of its document. */
import type { Documents } from '../fleet/documents.ts'
import { type FleetError, isFleetError } from '../fleet/errors.ts'
import type { Problem } from '../fleet/files.ts'
import type { FleetIndex } from '../fleet/fleet-index.ts'
import { type FleetPath, type Id, idFromBytes } from '../fleet/ids.ts'
import { refuseViolations } from '../fleet/rules/check.ts'
import { transact, type TransactionResult } from '../fleet/transaction.ts'
import { acceptRequest } from '../fleet/transactions/requests.ts'
import type { Clock, Randomness } from '../ports/clock.ts'

export type Decided =
  | { readonly refused: FleetError }
  | { readonly refused?: undefined; readonly result: TransactionResult<unknown> }

/** What the server would do with a request; the index stays as it is. Ids are made up. */
export function decideRequest(
  index: FleetIndex,
  path: FleetPath,
  { clock, randomness }: { readonly clock: Clock; readonly randomness: Randomness },
): Decided {
  const newId = (): Id => idFromBytes(randomness.bytes(26))
  const ids = Array.from({ length: 16 }, newId)
  const context = { requestId: newId(), actor: { name: 'checkout', email: '' }, now: clock.now() }
  const outcome = transact(index, acceptRequest({ path, ids, placement: 'now' }), context)
  if (outcome.refused !== undefined) return outcome
  try {
    refuseViolations(index, outcome.result.changes)
    return outcome
  } catch (error) {
    if (isFleetError(error)) return { refused: error }
    throw error
  }
}

export function refusalProblems(
  path: FleetPath,
  refused: FleetError,
  text: string,
  documents: Documents,
): readonly Problem[] {
  const details = refused.data.errors ?? [{ pointer: '', detail: refused.message }]
  return details.map(({ pointer, detail }) => ({
    path,
    ...documents.locate(text, pointer),
    code: refused.code,
    detail,
    pointer,
  }))
}
