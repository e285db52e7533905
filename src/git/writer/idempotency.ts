/** Earlier requests by their idempotency key, read back from commit trailers: the log is the memory. */
import { isReviewCommit } from '../../fleet/reviewed-change.ts'
import type { ObjectId } from '../../fleet/ids.ts'
import type { EarlierRequest } from '../../ports/writer.ts'

/** Enough for a day at one commit a second; the oldest are forgotten first. */
const REMEMBERED = 100_000

export class IdempotencyMemory {
  readonly #requests = new Map<string, EarlierRequest>()

  remember(commit: ObjectId, trailers: Readonly<Record<string, string>>): void {
    const key = trailers['Idempotency-Key']
    // Merged is not carried out: that is what the commit after it says.
    if (key === undefined || isReviewCommit(trailers)) return
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
