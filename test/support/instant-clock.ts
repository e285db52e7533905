/** A clock on which waiting takes no time: whoever sleeps is woken at once, and then it is later. */
import type { Clock } from '../../src/ports/clock.ts'

export interface InstantClock extends Clock {
  /** Milliseconds since it was made. */
  readonly time: number
  pass(milliseconds: number): void
}

export function createInstantClock(): InstantClock {
  let time = 0
  return {
    get time() {
      return time
    },
    pass(milliseconds) {
      time += milliseconds
    },
    now: () => 1_795_424_400_000 + time,
    monotonic: () => time,
    async sleep(milliseconds, signal) {
      // Others have their turn, and may end the sleep.
      for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve))
      if (signal?.aborted) throw signal.reason
      time += milliseconds
    },
  }
}
