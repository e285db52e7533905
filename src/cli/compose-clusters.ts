/** Connections to the clusters, and where their credentials come from. */
import { join } from 'node:path'
import type { EksEndpoints } from '../aws/eks/endpoint.ts'
import type { Configuration } from '../configuration/settings.ts'
import { createClusters } from '../kube/clusters.ts'
import { chainCredentials } from '../kube/credentials-chain.ts'
import { createControlClusterReader } from '../kube/credentials-control-cluster.ts'
import { createEksCredentials } from '../kube/credentials-eks.ts'
import { openCredentialsFolder } from '../kube/credentials-folder.ts'
import { createSecretBackendReader } from '../kube/credentials-secret-backend.ts'
import { pollCredentials } from '../kube/polled-credentials.ts'
import type { Clock, Randomness } from '../ports/clock.ts'
import { type ClusterName, type Clusters, CONTROL_CLUSTER, type CredentialSource } from '../ports/clusters.ts'
import type { FleetWriter } from '../ports/writer.ts'
import { openSecretsManagerOf, regionOf } from './compose-secrets.ts'

/** Name of what the control cluster's credentials are in. */
const CONTROL_NAME = 'control'

export interface ClustersOptions {
  readonly configuration: Configuration
  readonly writer: Pick<FleetWriter, 'fleet'>
  readonly clock: Clock
  readonly randomness: Randomness
  /** A watch of a kind was opened again. */
  readonly onRestart?: (cluster: ClusterName, kind: string) => void
}

export interface Connections {
  readonly clusters: Clusters
  close(): Promise<void>
}

/** @throws FleetError `invalid-configuration` */
export async function composeClusters(options: ClustersOptions): Promise<Connections> {
  const { configuration, clock, randomness, onRestart } = options
  let eks: Promise<EksEndpoints> | undefined
  const names = configuration['cluster-credentials'].split(',')
  const sources = await Promise.all(names.map((name) => openSource(name, options, () => clusters)))
  const credentials = chainCredentials(sources)
  const clusters: Clusters = createClusters({
    credentials,
    clock,
    randomness,
    ...(onRestart === undefined ? {} : { onRestart }),
    async eksEndpoint(reference) {
      eks ??= openEks(configuration, clock)
      return await (await eks).endpoint(reference)
    },
  })
  return {
    clusters,
    async close() {
      await clusters.close()
      await credentials.close()
      await eks?.then((open) => open.close())
    },
  }
}

/** The libraries are loaded by those who have a cluster on EKS only. */
async function openEks(configuration: Configuration, clock: Clock): Promise<EksEndpoints> {
  const { createEksEndpoints } = await import('../aws/eks/endpoint.ts')
  const endpoint = configuration['aws-endpoint']
  return createEksEndpoints({ clock, ...(endpoint === undefined ? {} : { endpoint }) })
}

/** @param clusters for the source that asks the control cluster */
async function openSource(
  name: string,
  options: ClustersOptions,
  clusters: () => Clusters,
): Promise<CredentialSource> {
  const { configuration, writer } = options
  const region = (): string | undefined => regionOf(configuration, writer.fleet)
  const secretOf = (cluster: ClusterName): string =>
    cluster === CONTROL_CLUSTER
      ? CONTROL_NAME
      : (writer.fleet.cluster(cluster)?.spec.credentialsSecret ?? cluster)
  const present = (): readonly ClusterName[] => writer.fleet.clusters().map(({ metadata }) => metadata.name)
  switch (name) {
    case 'control-cluster': {
      const namespace = configuration['credentials-namespace']
      const control = () => clusters().get(CONTROL_CLUSTER)
      const read = createControlClusterReader({ control, namespace, secretOf, region })
      return pollCredentials({ ...options, clusters: present, read })
    }
    case 'aws-secrets-manager': {
      const backend = openSecretsManagerOf(configuration, () => writer.fleet)
      const place = 'AWS Secrets Manager'
      const read = createSecretBackendReader({ backend, place, secretOf })
      const polled = pollCredentials({ ...options, clusters: present, read })
      return { ...polled, close: () => polled.close().then(() => backend.close()) }
    }
    case 'eks': {
      const roleArn = configuration['eks-role']
      const role = roleArn === undefined ? {} : { roleArn }
      return createEksCredentials({ clusterOf: (cluster) => writer.fleet.cluster(cluster), region, ...role })
    }
    default:
      return await openCredentialsFolder({
        folder: configuration.credentials ?? join(configuration.data, 'credentials'),
        fileOf: (cluster) => writer.fleet.cluster(cluster)?.spec.credentialsSecret,
        clusters: present,
      })
  }
}
