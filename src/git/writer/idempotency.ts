/** Earlier requests by their idempotency key, read back from commit trailers: the log is the memory. */
import type { ObjectId } from '../../fleet/ids.ts'
import type { EarlierRequest, FleetHistory } from '../../ports/writer.ts'

/** Enough for a day at one commit a second; the oldest are forgotten first. */
const REMEMBERED = 100_000

export class IdempotencyMemory {
  readonly #requests = new Map<string, EarlierRequest>()

  async load(history: FleetHistory, limit: number): Promise<void> {
    const entries = await history.log({ limit })
    for (const entry of [...entries].reverse()) this.remember(entry.commit, entry.trailers)
  }

  remember(commit: ObjectId, trailers: Readonly<Record<string, string>>): void {
    const key = trailers['Idempotency-Key']
    if (key === undefined) return
    this.#requests.delete(key)
    this.#requests.set(key, { commit, requestDigest: trailers['Request-Digest'], trailers })
    if (this.#requests.size <= REMEMBERED) return
    const oldest = this.#requests.keys().next()
    if (!oldest.done) this.#requests.delete(oldest.value)
  }

  find(key: string): EarlierRequest | undefined {
    return this.#requests.get(key)
  }
}
