/** Engines that do not get to what git has. */
import type { EngineSight } from '../observed/sight.ts'

export type EngineDrift = 'engine-out-of-sync' | 'engine-stuck'

/** An engine that has not applied what git has for this long is stuck, milliseconds. */
const STUCK = 2 * 60_000

/** @param requestedAt RFC 3339, of the last operation */
export function engineDrift(
  { sync, current }: Pick<EngineSight, 'sync' | 'current'>,
  requestedAt: string,
  now: number,
): EngineDrift | undefined {
  if (current) return sync === 'out-of-sync' ? 'engine-out-of-sync' : undefined
  return now - Date.parse(requestedAt) > STUCK ? 'engine-stuck' : undefined
}
