/** Connections to all clusters, opened when first asked for. */
import { FleetError } from '../fleet/errors.ts'
import type { Clock, Randomness } from '../ports/clock.ts'
import type {
  ClusterApi,
  ClusterCredentials,
  ClusterName,
  Clusters,
  CredentialSource,
  Endpoint,
} from '../ports/clusters.ts'
import { openClusterApi, type OpenClusterApi } from './cluster-api.ts'
import { endpointOf } from './kubeconfig.ts'

export interface ClustersOptions {
  readonly credentials: CredentialSource
  readonly clock: Clock
  readonly randomness: Randomness
  /** Makes an endpoint of an EKS cluster's name and region; absent: such credentials are refused. */
  readonly eksEndpoint?: (credentials: Extract<ClusterCredentials, { source: 'eks' }>) => Promise<Endpoint>
  readonly onRestart?: (cluster: ClusterName, kind: string) => void
}

export function createClusters(options: ClustersOptions): Clusters {
  const { credentials, clock, randomness, eksEndpoint, onRestart } = options
  const open = new Map<ClusterName, OpenClusterApi>()
  async function endpoint(name: ClusterName): Promise<Endpoint> {
    const found = await credentials.read(name)
    if (found.source === 'kubeconfig') return await endpointOf(found.text)
    if (eksEndpoint === undefined)
      throw new FleetError(
        'credentials-invalid',
        'The credentials are of an EKS cluster; add eks to cluster-credentials',
      )
    return await eksEndpoint(found)
  }
  const unsubscribe = credentials.onChange((name) => open.get(name)?.renewCredentials())
  return {
    get(name): ClusterApi {
      let api = open.get(name)
      if (api === undefined) {
        api = openClusterApi({
          name,
          endpoint: () => endpoint(name),
          clock,
          randomness,
          ...(onRestart === undefined ? {} : { onRestart: (kind: string) => onRestart(name, kind) }),
        })
        open.set(name, api)
      }
      return api
    },
    async retain(names) {
      const gone = [...open].filter(([name]) => !names.has(name))
      for (const [name] of gone) open.delete(name)
      await Promise.all(gone.map(([, api]) => api.close()))
    },
    async close() {
      unsubscribe()
      await Promise.all([...open.values()].map((api) => api.close()))
      open.clear()
    },
  }
}
