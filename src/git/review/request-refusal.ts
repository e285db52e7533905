/** Why a request that a person wrote would be refused, on the lines of its document. */
import type { Documents } from '../../fleet/documents.ts'
import { type FleetError, isFleetError } from '../../fleet/errors.ts'
import type { Problem } from '../../fleet/files.ts'
import type { FleetIndex } from '../../fleet/fleet-index.ts'
import { type FleetPath, type Id, idFromBytes } from '../../fleet/ids.ts'
import { refuseViolations } from '../../fleet/rules/check.ts'
import { transact } from '../../fleet/transaction.ts'
import { acceptRequest } from '../../fleet/transactions/requests.ts'
import type { Clock, Randomness } from '../../ports/clock.ts'
import type { Decidable } from '../writer/window.ts'

interface Source {
  readonly clock: Clock
  readonly randomness: Randomness
  readonly placement: 'now' | 'deferred'
}

/** The acceptance of a request; ids are made up. */
export function requestItem(path: FleetPath, { clock, randomness, placement }: Source): Decidable {
  const newId = (): Id => idFromBytes(randomness.bytes(26))
  const ids = Array.from({ length: 16 }, newId)
  const context = { requestId: newId(), actor: { name: 'review', email: '' }, now: clock.now() }
  return { kind: 'transaction', transaction: acceptRequest({ path, ids, placement }), context }
}

/** Why a request would be refused, if it would; the index stays as it is. */
export function requestRefusal(index: FleetIndex, path: FleetPath, source: Source): FleetError | undefined {
  const { transaction, context } = requestItem(path, source)
  const outcome = transact(index, transaction, context)
  if (outcome.refused !== undefined) return outcome.refused
  try {
    refuseViolations(index, outcome.result.changes)
    return undefined
  } catch (error) {
    if (isFleetError(error)) return error
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
