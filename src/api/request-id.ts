import { idFromBytes } from '../fleet/ids.ts'
import type { Randomness } from '../ports/clock.ts'

/** It goes into commit trailers and the log, so only what is harmless there is taken over. */
const WELL_FORMED = /^[A-Za-z0-9._:-]{1,64}$/

/** The caller's `X-Request-Id`, or a new id. */
export function requestIdOf(header: string | undefined, randomness: Randomness): string {
  return header !== undefined && WELL_FORMED.test(header) ? header : idFromBytes(randomness.bytes(26))
}
