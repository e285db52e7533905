import type { Clock } from '../../src/ports/clock.ts'
import { systemClock } from '../../src/system/clock.ts'

/** Time that goes so many times faster than that of the machine: pauses of minutes take a moment, in the right order. */
export function hurriedClock(times: number): Clock {
  const [now, monotonic] = [systemClock.now(), systemClock.monotonic()]
  const passed = (): number => (systemClock.monotonic() - monotonic) * times
  return {
    now: () => Math.round(now + passed()),
    monotonic: () => monotonic + passed(),
    sleep: (milliseconds, signal) => systemClock.sleep(milliseconds / times, signal),
  }
}
