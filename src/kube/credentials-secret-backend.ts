/** Kubeconfigs in a secret backend, one secret a cluster. */
import { FleetError, isFleetError } from '../fleet/errors.ts'
import type { ClusterCredentials, ClusterName } from '../ports/clusters.ts'
import type { SecretBackend } from '../ports/secrets.ts'
import { versioned } from './credentials-control-cluster.ts'

export interface SecretBackendCredentialsOptions {
  readonly backend: Pick<SecretBackend, 'get'>
  /** For people: where the backend keeps its secrets. */
  readonly place: string
  readonly secretOf: (cluster: ClusterName) => string
}

/** @throws FleetError as `CredentialSource.read`; none shows a value of a secret */
export function createSecretBackendReader(
  options: SecretBackendCredentialsOptions,
): (cluster: ClusterName) => Promise<ClusterCredentials> {
  const { backend, place, secretOf } = options
  return async (cluster) => {
    const name = secretOf(cluster)
    const text = await backend.get(name).catch((error: unknown) => {
      if (!isFleetError(error)) throw error
      const code =
        error.code === 'secret-backend-unavailable' ? 'credentials-unavailable' : 'credentials-invalid'
      throw new FleetError(code, `The kubeconfig ${name} in ${place} cannot be read: ${error.message}`)
    })
    if (text === undefined)
      throw new FleetError('credentials-missing', `There is no secret ${name} in ${place}`)
    return versioned(text)
  }
}
