/** Several places where credentials may be, asked in order: the first that has some for a cluster is the one it uses. */
import { FleetError, isFleetError } from '../fleet/errors.ts'
import type { CredentialSource } from '../ports/clusters.ts'

/** A place that fails is not passed over: a cluster must not get other credentials because of a fault. */
export function chainCredentials(sources: readonly CredentialSource[]): CredentialSource {
  return {
    async read(cluster) {
      const missing: string[] = []
      for (const source of sources) {
        try {
          return await source.read(cluster)
        } catch (error) {
          if (!isFleetError(error) || error.code !== 'credentials-missing') throw error
          missing.push(error.message)
        }
      }
      throw new FleetError('credentials-missing', missing.join('; '))
    },
    onChange(listener) {
      const ends = sources.map((source) => source.onChange(listener))
      return () => {
        for (const end of ends) end()
      }
    },
    async close() {
      await Promise.all(sources.map((source) => source.close()))
    },
  }
}
