/**
 * How it stands with the forge. While it cannot be reached, or lets Fleetwright in no more, it is left alone for pauses that
 * grow; what was to be said stays to be said.
 */
import { FleetError, isFleetError } from '../../fleet/errors.ts'
import type { Problem } from '../../fleet/files.ts'
import type { Clock, Randomness } from '../../ports/clock.ts'

const FIRST_PAUSE = 1_000
const LONGEST_PAUSE = 5 * 60_000
/** A token is not put right within seconds; asking with a bad one again and again gets an address locked out. */
const FIRST_PAUSE_DENIED = 60_000

export interface ForgeContactOptions {
  readonly clock: Clock
  readonly randomness: Randomness
  readonly onFailure: (code: FleetError['code']) => void
}

export class ForgeContact {
  readonly #options: ForgeContactOptions
  #trouble: FleetError | undefined
  #failures = 0
  #againAt = 0

  constructor(options: ForgeContactOptions) {
    this.#options = options
  }

  /** Whether the forge may be asked now. */
  get isOpen(): boolean {
    return this.#options.clock.monotonic() >= this.#againAt
  }

  /** @throws FleetError what the forge says; `forge-unavailable` without asking while it is left alone */
  async ask<Value>(question: () => Promise<Value>): Promise<Value> {
    if (!this.isOpen)
      throw new FleetError(
        'forge-unavailable',
        'The forge is left alone for a while.',
        {},
        { cause: this.#trouble },
      )
    try {
      const answer = await question()
      this.#trouble = undefined
      this.#failures = 0
      return answer
    } catch (error) {
      this.#failed(error)
      throw error
    }
  }

  problems(): readonly Problem[] {
    if (this.#trouble === undefined) return []
    const { code, message } = this.#trouble
    const detail = `pull requests are not checked or answered until this is put right: ${message}`
    return [{ path: '.', line: 0, column: 0, code, detail }]
  }

  #failed(error: unknown): void {
    if (!isFleetError(error)) return
    this.#options.onFailure(error.code)
    // What is refused is this one request; others may well be fine.
    if (!isAway(error)) return
    const { clock } = this.#options
    // Several that were under way fail together: that is one failure.
    if (!this.isOpen) return
    this.#trouble = error
    const first = error.code === 'forge-denied' ? FIRST_PAUSE_DENIED : FIRST_PAUSE
    const pause = Math.min(first * 2 ** this.#failures, LONGEST_PAUSE) * this.#jitter()
    this.#failures += 1
    this.#againAt = clock.monotonic() + Math.max(pause, waitOf(error))
  }

  #jitter(): number {
    return 0.75 + (this.#options.randomness.bytes(1)[0] ?? 0) / 512
  }
}

/** The forge cannot be asked at the moment, for whatever reason. */
export function isAway(error: unknown): boolean {
  return isFleetError(error) && (error.code === 'forge-unavailable' || error.code === 'forge-denied')
}

/** What the forge asks to wait, in its own bounds. */
function waitOf({ data }: FleetError): number {
  const { retryAfter } = data
  return typeof retryAfter === 'number' && retryAfter > 0 ? Math.min(retryAfter, 60 * 60_000) : 0
}
