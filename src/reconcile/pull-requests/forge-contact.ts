/**
 * How it stands with the forge. While it cannot be reached, or lets Fleetwright in no more, it is left alone for pauses that
 * grow; what was to be said stays to be said. A right that is missing for one thing is told, and other things go on. While
 * the repository is not the one that this fleet is in, nothing is said in it.
 */
import { FleetError, isFleetError } from '../../fleet/errors.ts'
import type { Problem } from '../../fleet/files.ts'
import type { Clock, Randomness } from '../../ports/clock.ts'

const FIRST_PAUSE = 1_000
const LONGEST_PAUSE = 5 * 60_000
/** A token is not put right within seconds; asking with a bad one again and again gets an address locked out. */
const FIRST_PAUSE_DENIED = 60_000
/** What a forge may ask to wait at most. */
const LONGEST_WAIT = 60 * 60_000
/** What was denied is asked for again well within this; then the problem is still there. */
const DENIAL_SHOWN = 15 * 60_000
const MOST_DENIALS = 20

export interface ForgeContactOptions {
  readonly clock: Clock
  readonly randomness: Randomness
  readonly onFailure: (code: FleetError['code']) => void
}

export class ForgeContact {
  readonly #options: ForgeContactOptions
  /** By right. */
  readonly #denials = new Map<string, { readonly error: FleetError; readonly until: number }>()
  #trouble: FleetError | undefined
  #failures = 0
  #againAt = Number.NEGATIVE_INFINITY
  #isHeld: () => boolean = () => false

  constructor(options: ForgeContactOptions) {
    this.#options = options
  }

  /** As long as it says so, nothing but `look` reaches the forge. */
  holdWhile(isHeld: () => boolean): void {
    this.#isHeld = isHeld
  }

  /** Whether the forge may be asked now. */
  get isOpen(): boolean {
    return this.mayLook && !this.#isHeld()
  }

  /** Whether it may be looked at, to find out how it stands. */
  get mayLook(): boolean {
    return this.#options.clock.monotonic() >= this.#againAt
  }

  /** There is another token: one that was refused says nothing any more. */
  tokenChanged(): void {
    if (this.#trouble?.code !== 'forge-denied') return
    this.#failures = 0
    this.#againAt = Number.NEGATIVE_INFINITY
  }

  /** @throws FleetError what the forge says; `forge-unavailable` without asking while it is left alone */
  async ask<Value>(question: () => Promise<Value>): Promise<Value> {
    if (this.#isHeld())
      throw new FleetError('forge-unavailable', 'Nothing is said while the history of the fleet is in doubt.')
    return await this.look(question)
  }

  /** For what changes nothing. @throws as `ask` */
  async look<Value>(question: () => Promise<Value>): Promise<Value> {
    if (!this.mayLook)
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
      if (isFleetError(error)) this.#failed(error)
      throw error
    }
  }

  problems(): readonly Problem[] {
    const now = this.#options.clock.monotonic()
    const denials = [...this.#denials.values()].filter(({ until }) => now < until)
    const errors = [
      ...(this.#trouble === undefined ? [] : [this.#trouble]),
      ...denials.map(({ error }) => error),
    ]
    return errors.map(({ code, message }) => {
      const detail = `pull requests are not all checked and answered until this is put right: ${message}`
      return { path: '.', line: 0, column: 0, code, detail }
    })
  }

  #failed(error: FleetError): void {
    const { clock, onFailure } = this.#options
    onFailure(error.code)
    if (error.code === 'forge-denied' && !isAway(error)) return this.#denied(error)
    // Several that were under way fail together: that is one failure. What is refused is one request.
    if (!isAway(error) || !this.mayLook) return
    this.#trouble = error
    const first = error.code === 'forge-denied' ? FIRST_PAUSE_DENIED : FIRST_PAUSE
    const pause = Math.min(first * 2 ** this.#failures, LONGEST_PAUSE) * this.#jitter()
    this.#failures += 1
    this.#againAt = clock.monotonic() + Math.max(pause, waitOf(error))
  }

  #denied(error: FleetError): void {
    const right = String(error.data.right)
    if (this.#denials.size >= MOST_DENIALS) this.#denials.clear()
    this.#denials.set(right, { error, until: this.#options.clock.monotonic() + DENIAL_SHOWN })
  }

  #jitter(): number {
    return 0.75 + (this.#options.randomness.bytes(1)[0] ?? 0) / 512
  }
}

/** The forge cannot be asked anything at the moment; not: one thing takes a right that the token lacks. */
export function isAway(error: unknown): boolean {
  if (!isFleetError(error)) return false
  return (
    error.code === 'forge-unavailable' || (error.code === 'forge-denied' && error.data.right === undefined)
  )
}

/** What the forge asks to wait, in its own bounds. */
function waitOf({ data }: FleetError): number {
  const { retryAfter } = data
  return typeof retryAfter === 'number' && retryAfter > 0 ? Math.min(retryAfter, LONGEST_WAIT) : 0
}
