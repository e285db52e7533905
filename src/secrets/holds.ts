/** Which keys requests under way rely on, in this process. Other replicas are kept off by the sweep's age threshold. */
import { FleetError } from '../fleet/errors.ts'
import type { SecretHolds } from '../ports/secrets.ts'

export function createSecretHolds(): SecretHolds {
  const held = new Map<string, number>()
  const leaving = new Set<string>()
  function release(keys: readonly string[]): void {
    for (const key of keys) {
      const left = (held.get(key) ?? 0) - 1
      if (left > 0) held.set(key, left)
      else held.delete(key)
    }
  }
  return {
    hold(keys) {
      const gone = keys.find((key) => leaving.has(key))
      if (gone !== undefined)
        throw new FleetError(
          'secret-removed',
          `The secret value ${gone} is being removed; set the value anew.`,
        )
      for (const key of keys) held.set(key, (held.get(key) ?? 0) + 1)
      let done = false
      return () => {
        if (!done) release(keys)
        done = true
      }
    },
    isHeld: (key) => held.has(key),
    async removing(key, remove) {
      if (held.has(key) || leaving.has(key)) return false
      leaving.add(key)
      try {
        await remove()
        return true
      } finally {
        leaving.delete(key)
      }
    },
  }
}
