/** The clock and randomness of this machine. */
import { randomBytes } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import type { Clock, Randomness } from '../ports/clock.ts'

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (milliseconds, signal) => wait(milliseconds, undefined, signal === undefined ? {} : { signal }),
}

export const systemRandomness: Randomness = { bytes: (count) => randomBytes(count) }

const POOL_BYTES = 4096

/** Draws from the system in larger pieces: a call for each id costs more than the id. */
export function createPooledRandomness(source: Randomness): Randomness {
  let pool = new Uint8Array()
  return {
    bytes(count) {
      if (count > POOL_BYTES / 16) return source.bytes(count)
      if (pool.length < count) pool = Uint8Array.from(source.bytes(POOL_BYTES))
      const bytes = pool.slice(0, count)
      // What was given out is not kept.
      pool.fill(0, 0, count)
      pool = pool.subarray(count)
      return bytes
    },
  }
}
