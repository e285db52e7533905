/** EKS clusters need no stored credentials: name and region say where, the rights of Fleetwright itself say who. */
import { FleetError } from '../fleet/errors.ts'
import type { Cluster } from '../fleet/intents.ts'
import type { ClusterCredentials, ClusterName, CredentialSource } from '../ports/clusters.ts'

export interface EksCredentialsOptions {
  readonly clusterOf: (cluster: ClusterName) => Cluster | undefined
  readonly region: () => string | undefined
  /** Role to act as on all of them; absent: none is assumed. */
  readonly roleArn?: string
}

export function createEksCredentials(options: EksCredentialsOptions): CredentialSource {
  const { clusterOf, region, roleArn } = options
  return {
    async read(name): Promise<ClusterCredentials> {
      if (clusterOf(name)?.spec.provisioner !== 'eks')
        throw new FleetError(
          'credentials-missing',
          'Its document does not say that it is on EKS (spec.provisioner)',
        )
      const there = region()
      if (there === undefined)
        throw new FleetError(
          'credentials-invalid',
          'The region of the EKS cluster is not known; set aws-region, or spec.aws.region in fleet.yaml',
        )
      return {
        source: 'eks',
        clusterName: name,
        region: there,
        ...(roleArn === undefined ? {} : { roleArn }),
      }
    },
    // The document is part of the fleet; tokens are made anew by themselves.
    onChange: () => () => undefined,
    close: async () => undefined,
  }
}
