/** Which keys of the secret backend the fleet at HEAD refers to, kept up with every change. */
import type { Fleet, IntentChange } from '../fleet/fleet.ts'
import type { FleetPath } from '../fleet/ids.ts'
import { secretKeysIn } from '../fleet/secret-references.ts'

export class SecretReferences {
  readonly #byPath = new Map<FleetPath, ReadonlySet<string>>()
  readonly #counts = new Map<string, number>()

  /** Reads every intent once; later changes cost what they touch. */
  constructor(fleet: Fleet) {
    for (const path of fleet.paths()) this.#set(path, secretKeysIn(fleet.intent(path)))
  }

  has(key: string): boolean {
    return this.#counts.has(key)
  }

  keys(): Iterable<string> {
    return this.#counts.keys()
  }

  /** Documents that refer to a key. Looks at all; for the few that something is wrong with. */
  pathsOf(key: string): readonly FleetPath[] {
    return [...this.#byPath].filter(([, keys]) => keys.has(key)).map(([path]) => path)
  }

  /** May be told the same change more than once. */
  apply(changes: readonly IntentChange[]): {
    readonly lost: readonly string[]
    readonly gained: readonly string[]
  } {
    const before = new Map<string, boolean>()
    for (const { path, after } of changes) {
      const next = secretKeysIn(after)
      for (const key of [...(this.#byPath.get(path) ?? []), ...next])
        if (!before.has(key)) before.set(key, this.has(key))
      this.#set(path, next)
    }
    const touched = [...before]
    return {
      lost: touched.filter(([key, was]) => was && !this.has(key)).map(([key]) => key),
      gained: touched.filter(([key, was]) => !was && this.has(key)).map(([key]) => key),
    }
  }

  #set(path: FleetPath, keys: ReadonlySet<string>): void {
    for (const key of keys) this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1)
    for (const key of this.#byPath.get(path) ?? []) {
      const left = (this.#counts.get(key) ?? 0) - 1
      if (left > 0) this.#counts.set(key, left)
      else this.#counts.delete(key)
    }
    if (keys.size > 0) this.#byPath.set(path, keys)
    else this.#byPath.delete(path)
  }
}
