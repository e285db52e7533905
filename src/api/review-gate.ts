/** The change policy at the door of the writer: decided in the transaction, so on the very head that it commits to. */
import { type Asker, type ChangeVerdict, decideChange, type ReviewReason } from '../fleet/change-policy.ts'
import { FleetError, isFleetError } from '../fleet/errors.ts'
import type { Fleet } from '../fleet/fleet.ts'
import type { Transaction } from '../fleet/transaction.ts'

/** @throws FleetError (in the transaction) `review-required` */
export function gated<Value>(transaction: Transaction<Value>, asker: Asker): Transaction<Value> {
  return (fleet, context) => {
    const result = transaction(fleet, context)
    const verdict = decideChange(fleet.settings.spec.changePolicy, fleet, result.changes, asker)
    if (verdict.way === 'review') throw reviewRequired(verdict.reasons)
    return result
  }
}

/** Of a plan, which writes nothing. @param tell what would be decided */
export function observed<Value>(
  transaction: Transaction<Value>,
  asker: Asker,
  tell: (verdict: ChangeVerdict) => void,
): Transaction<Value> {
  return (fleet, context) => {
    const result = transaction(fleet, context)
    tell(decideChange(fleet.settings.spec.changePolicy, fleet, result.changes, asker))
    return result
  }
}

function reviewRequired(reasons: readonly ReviewReason[]): FleetError {
  const why = reasons.map(({ detail }) => detail).join('; ')
  return new FleetError(
    'review-required',
    `This needs a review (${why}), and there is no forge to open a pull request on. Configure one, or change spec.changePolicy of fleet.yaml.`,
    { reasons },
  )
}

/** Why a change was sent to review; undefined: the error is another one. */
export function reviewReasons(error: unknown): readonly ReviewReason[] | undefined {
  if (!isFleetError(error) || error.code !== 'review-required') return undefined
  // As `reviewRequired` put them in.
  return error.data.reasons as readonly ReviewReason[]
}

/** What a change would have given, with each object as it is: nothing has changed yet. */
export function asItIs<Value>(fleet: Fleet, value: Value): Value {
  // Every object is put in the place of one of its own kind.
  return present(fleet, value) as Value
}

function present(fleet: Fleet, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  if (!isObjectOfFleet(value))
    return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, present(fleet, entry)]))
  const { id } = value.metadata
  switch (value.kind) {
    case 'Installation':
      return fleet.installation(id) ?? value
    case 'Group':
      return fleet.groupById(id) ?? value
    default:
      return fleet.clusterById(id) ?? value
  }
}

type ObjectOfFleet = NonNullable<ReturnType<Fleet['installation' | 'groupById' | 'clusterById']>>

function isObjectOfFleet(value: object): value is ObjectOfFleet {
  return (
    'kind' in value && (value.kind === 'Installation' || value.kind === 'Group' || value.kind === 'Cluster')
  )
}
