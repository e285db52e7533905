import { FleetError } from '../fleet/errors.ts'
import type { Id } from '../fleet/ids.ts'
import type { Leases, ObservedKind } from '../ports/observations.ts'

/**
 * The original's row lock: nothing may be changed while somebody works on the object.
 * @throws FleetError `lease-held`
 */
export function requireFree(
  leases: Leases,
  kind: ObservedKind,
  id: Id,
  purpose: 'operation' | 'scheduling' = 'operation',
): void {
  const lease = leases.get(kind, id, purpose)
  if (!lease) return
  const since = new Date(lease.acquiredAt).toISOString()
  throw new FleetError(
    'lease-held',
    `Another operation (${lease.holder}) holds the ${kind} ${id} since ${since}; try again later.`,
  )
}
