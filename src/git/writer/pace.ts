/**
 * How often the home is pushed to: a token bucket, and a pause when the home asks for one. Nothing is refused for it; what
 * waits goes into one larger window.
 */
import { type FleetError, isFleetError } from '../../fleet/errors.ts'
import type { Clock } from '../../ports/clock.ts'
import type { RepositoryHome } from '../contracts.ts'
import type { WriterObserver } from './types.ts'

const MINUTE = 60_000
/** When the home does not say how long. */
const FIRST_PAUSE_MILLISECONDS = 1_000
const LONGEST_PAUSE_MILLISECONDS = 10 * MINUTE

export interface PaceLimit {
  readonly perMinute: number
  /** Pushes that may follow each other at once when nothing was pushed for a while; at least 1. */
  readonly burst: number
}

export class Pace {
  readonly #clock: Clock
  readonly #observer: Pick<WriterObserver, 'paced' | 'limited'>
  readonly #limit: PaceLimit | undefined
  /** When the bucket is full again; each push takes a token's time of it. */
  #fullAt: number
  #pauseUntil: number
  #pause = FIRST_PAUSE_MILLISECONDS
  #waited = 0
  #isPressed = false

  constructor(clock: Clock, observer: Pick<WriterObserver, 'paced' | 'limited'>, limit?: PaceLimit) {
    this.#clock = clock
    this.#observer = observer
    this.#limit = limit
    this.#fullAt = clock.monotonic()
    this.#pauseUntil = this.#fullAt
  }

  /** Milliseconds until the next push may be made; 0: now. */
  get delay(): number {
    return Math.max(0, Math.ceil(Math.max(this.#pauseUntil, this.#tokenAt) - this.#clock.monotonic()))
  }

  /** The home asked for a pause, which is not over. */
  get isPaused(): boolean {
    return this.#pauseUntil > this.#clock.monotonic()
  }

  /** The last push had to wait: the next window may be larger. */
  get isPressed(): boolean {
    return this.#isPressed
  }

  /** What is to be pushed has waited so long for its turn, milliseconds. */
  waited(milliseconds: number): void {
    this.#waited += milliseconds
    this.#isPressed = true
  }

  /** A push is made now. */
  take(): void {
    const now = this.#clock.monotonic()
    if (this.#limit !== undefined) this.#fullAt = Math.max(this.#fullAt, now) + this.#tokenTime
    this.#observer.paced(this.#waited)
    this.#isPressed = this.#waited > 0
    this.#waited = 0
  }

  /** The home took something: it has no reason to be spared any more. */
  succeeded(): void {
    this.#pause = FIRST_PAUSE_MILLISECONDS
  }

  /** @returns whether the home asks for a pause by this error, and has not done what it was asked */
  limitedBy(error: unknown): error is FleetError {
    if (!isFleetError(error) || error.data.limited !== true) return false
    const { retryAfter } = error.data
    const told = typeof retryAfter === 'number' ? Math.max(retryAfter, FIRST_PAUSE_MILLISECONDS) : this.#pause
    const pause = Math.min(told, LONGEST_PAUSE_MILLISECONDS)
    this.#pause = Math.min(this.#pause * 2, MINUTE)
    this.#pauseUntil = Math.max(this.#pauseUntil, this.#clock.monotonic() + pause)
    this.#observer.limited(pause)
    return true
  }

  get #tokenTime(): number {
    return this.#limit === undefined ? 0 : MINUTE / this.#limit.perMinute
  }

  get #tokenAt(): number {
    return this.#limit === undefined ? 0 : this.#fullAt - (this.#limit.burst - 1) * this.#tokenTime
  }
}

/** The same home, whose pushes keep to the pace. Windows have waited for their turn already. */
export function pacedHome(home: RepositoryHome, pace: Pace, clock: Clock): RepositoryHome {
  return {
    ...home,
    async push(updates, objects) {
      while (pace.delay > 0) {
        const since = clock.monotonic()
        await clock.sleep(pace.delay)
        pace.waited(clock.monotonic() - since)
      }
      pace.take()
      return await home.push(updates, objects)
    },
  }
}
