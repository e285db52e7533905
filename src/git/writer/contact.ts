/** How it stands with the home: when it last answered, and what keeps the writer from writing. */
import { type ErrorCode, FleetError, isFleetError } from '../../fleet/errors.ts'
import type { Problem } from '../../fleet/files.ts'
import type { ObjectId, RefName } from '../../fleet/ids.ts'
import type { Clock } from '../../ports/clock.ts'
import type { HomeContact } from '../../ports/writer.ts'
import type { RepositoryHome } from '../contracts.ts'
import { MAIN } from './projections.ts'

/** The others are about one push, not about the home. */
const TROUBLES: readonly ErrorCode[] = [
  'remote-unavailable',
  'remote-denied',
  'history-rewritten',
  'repository-damaged',
]

export interface FetchedTips {
  readonly main: ObjectId
  readonly tips: ReadonlyMap<RefName, ObjectId>
}

export class Contact implements HomeContact {
  readonly #home: RepositoryHome
  readonly #clock: Clock
  #at: number
  #trouble: FleetError | undefined
  #troubles = 0

  constructor(home: RepositoryHome, clock: Clock) {
    this.#home = home
    this.#clock = clock
    this.#at = clock.now()
  }

  get at(): number {
    return this.#at
  }

  get trouble(): FleetError | undefined {
    return this.#trouble
  }

  get troubles(): number {
    return this.#troubles
  }

  /** @throws FleetError what `RepositoryHome.fetch` throws, `history-rewritten` when main is gone */
  async fetch(): Promise<FetchedTips> {
    try {
      const tips = await this.#home.fetch()
      const main = tips.get(MAIN)
      if (main === undefined)
        throw new FleetError(
          'history-rewritten',
          `${MAIN} is gone from the fleet repository; push it back from a clone`,
        )
      this.succeeded()
      return { main, tips }
    } catch (error) {
      this.failed(error)
      throw error
    }
  }

  succeeded(): void {
    this.#at = this.#clock.now()
    this.#trouble = undefined
  }

  failed(error: unknown): void {
    if (!isFleetError(error) || !TROUBLES.includes(error.code)) return
    if (this.#trouble === undefined) this.#troubles += 1
    this.#trouble = error
  }

  /** The trouble as people see it beside what is wrong in documents. */
  problems(): readonly Problem[] {
    if (this.#trouble === undefined) return []
    return [{ path: '.', line: 0, column: 0, code: this.#trouble.code, detail: this.#trouble.message }]
  }
}
