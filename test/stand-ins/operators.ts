/** All stand-ins of a cluster that runs installations, started together. */
import { INSTALLATION_RESOURCES } from '../../scripts/testbed/custom-resources.ts'
import type { KubernetesApi } from '../../scripts/testbed/kubernetes-api.ts'
import { startCloudNativePg } from './cloudnative-pg.ts'
import type { StandIn } from './controller.ts'
import { startCrossplane } from './crossplane.ts'
import { startExternalSecrets } from './external-secrets.ts'
import { startMattermostOperator } from './mattermost-operator.ts'

/** Managed resources that rendered installations hold. */
const MANAGED = [
  'clusters.rds.aws.m.upbound.io',
  'clusterinstances.rds.aws.m.upbound.io',
  'subnetgroups.rds.aws.m.upbound.io',
  'keys.kms.aws.m.upbound.io',
  'policies.iam.aws.m.upbound.io',
  'roles.iam.aws.m.upbound.io',
  'rolepolicyattachments.iam.aws.m.upbound.io',
  'users.iam.aws.m.upbound.io',
  'userpolicyattachments.iam.aws.m.upbound.io',
  'accesskeys.iam.aws.m.upbound.io',
  'buckets.s3.aws.m.upbound.io',
  'bucketlifecycleconfigurations.s3.aws.m.upbound.io',
  'bucketpublicaccessblocks.s3.aws.m.upbound.io',
  'bucketserversideencryptionconfigurations.s3.aws.m.upbound.io',
  'bucketversionings.s3.aws.m.upbound.io',
  'records.route53.aws.m.upbound.io',
  'roles.postgresql.sql.m.crossplane.io',
  'databases.postgresql.sql.m.crossplane.io',
  'schemas.postgresql.sql.m.crossplane.io',
  'grants.postgresql.sql.m.crossplane.io',
] as const

/** The custom resources of everything that is rendered for an installation. */
export const RENDERED_RESOURCES = [...INSTALLATION_RESOURCES, ...MANAGED] as const

export interface OperatorStandIns {
  readonly mattermost: StandIn
  readonly externalSecrets: StandIn
  readonly cloudNativePg: StandIn
  readonly crossplane: StandIn
  close(): Promise<void>
}

export interface OperatorOptions {
  readonly api: KubernetesApi
  /** What the backend of the ClusterSecretStore holds. */
  readonly backend?: (store: string, key: string) => Promise<string | undefined>
  /** False: the cluster has no AWS kinds. */
  readonly crossplane?: boolean
  readonly onError?: (key: string, error: unknown) => void
}

export function startOperators(options: OperatorOptions): OperatorStandIns {
  const { api, crossplane = true, onError } = options
  const common = onError === undefined ? { api } : { api, onError }
  const standIns = {
    mattermost: startMattermostOperator(common),
    externalSecrets: startExternalSecrets(
      options.backend === undefined ? common : { ...common, backend: options.backend },
    ),
    cloudNativePg: startCloudNativePg(api, onError),
    crossplane: startCrossplane({ ...common, kinds: crossplane ? MANAGED : [] }),
  }
  return {
    ...standIns,
    async close() {
      await Promise.all(Object.values(standIns).map((standIn) => standIn.close()))
    },
  }
}
