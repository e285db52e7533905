/** Secret values that only reviews refer to: held while those are open, and gone with what is cancelled. */
import { newSecretKeys } from '../fleet/reviewed-change.ts'
import { secretKeysIn } from '../fleet/secret-references.ts'
import type { OpenReview } from '../ports/change-reviews.ts'
import type { SecretBackend, SecretHolds } from '../ports/secrets.ts'
import type { FleetWriter } from '../ports/writer.ts'

export interface ReviewSecretsOptions {
  readonly writer: Pick<FleetWriter, 'fleet'>
  readonly secrets: Pick<SecretBackend, 'remove'>
  readonly holds: SecretHolds
  readonly onError: (error: unknown) => void
}

export class ReviewSecrets {
  readonly #options: ReviewSecretsOptions
  readonly #held = new Map<string, () => void>()

  constructor(options: ReviewSecretsOptions) {
    this.#options = options
  }

  /** Values that are only referred to on a branch are nobody's orphans. */
  hold({ id, changes }: OpenReview): void {
    if (this.#held.has(id)) return
    try {
      this.#held.set(id, this.#options.holds.hold(newSecretKeys(changes)))
    } catch (error) {
      this.#options.onError(error)
    }
  }

  release({ id }: OpenReview): void {
    this.#held.get(id)?.()
    this.#held.delete(id)
  }

  /**
   * Values that no document on main needs. A branch without a seal may have been made by anybody and name anybody's values:
   * what is left of such a one is an orphan, which the sweep finds, or is not its own.
   */
  async remove({ changes, isSealed }: OpenReview): Promise<void> {
    if (!isSealed) return
    const { holds, secrets, writer } = this.#options
    const isNeeded = (key: string): boolean =>
      changes.some(({ path }) => secretKeysIn(writer.fleet.intent(path)).has(key))
    for (const key of newSecretKeys(changes))
      await holds.removing(key, async () => {
        if (!isNeeded(key)) await secrets.remove(key, 'recoverable')
      })
  }
}
