/** The kinds that are watched, each with what is kept of an object and how its health is judged. */
import { keepManagedResource, keepReady, managedResourceHealth, readyHealth } from './crossplane.ts'
import type { HealthReport } from './health.ts'
import type { LiveObject, ResourceKind } from './objects.ts'

export const NAMESPACE = core('Namespace', 'namespaces', false)
export const NODE = core('Node', 'nodes', false)
export const POD = core('Pod', 'pods', true)
export const DEPLOYMENT = resource('apps', 'v1', 'Deployment', 'deployments')

/** Of the operator's deployments: all of an installation has it. */
export const DEPLOYMENT_SELECTOR = 'installation.mattermost.com/installation'
/** Pods of the operator: the update job's have no other label in common with the rest. */
export const POD_SELECTOR = 'app in (mattermost,mattermost-jobserver,mattermost-update-check)'

/** How the health of a kind is judged: by our functions, by Argo CD (Lua) and by Flux (CEL). */
export type HealthRule = 'mattermost' | 'managed-resource' | 'ready'

export interface JudgedKind {
  readonly kind: ResourceKind
  readonly rule: Exclude<HealthRule, 'mattermost'>
  readonly keep: (object: LiveObject) => LiveObject
  readonly health: (object: LiveObject) => HealthReport
}

/** What an installation consists of beside its Mattermost resource and pods (templates/v1/installation). */
export const JUDGED_KINDS: readonly JudgedKind[] = [
  ...managed('rds.aws.m.upbound.io', 'v1beta1', [
    ['Cluster', 'clusters'],
    ['ClusterInstance', 'clusterinstances'],
    ['SubnetGroup', 'subnetgroups'],
  ]),
  ...managed('s3.aws.m.upbound.io', 'v1beta1', [
    ['Bucket', 'buckets'],
    ['BucketLifecycleConfiguration', 'bucketlifecycleconfigurations'],
    ['BucketPublicAccessBlock', 'bucketpublicaccessblocks'],
    ['BucketServerSideEncryptionConfiguration', 'bucketserversideencryptionconfigurations'],
    ['BucketVersioning', 'bucketversionings'],
  ]),
  ...managed('iam.aws.m.upbound.io', 'v1beta1', [
    ['AccessKey', 'accesskeys'],
    ['Policy', 'policies'],
    ['Role', 'roles'],
    ['RolePolicyAttachment', 'rolepolicyattachments'],
    ['User', 'users'],
    ['UserPolicyAttachment', 'userpolicyattachments'],
  ]),
  ...managed('kms.aws.m.upbound.io', 'v1beta1', [['Key', 'keys']]),
  ...managed('route53.aws.m.upbound.io', 'v1beta1', [['Record', 'records']]),
  ...managed('postgresql.sql.m.crossplane.io', 'v1alpha1', [
    ['Database', 'databases'],
    ['Grant', 'grants'],
    ['Role', 'roles'],
    ['Schema', 'schemas'],
  ]),
  {
    kind: resource('external-secrets.io', 'v1', 'ExternalSecret', 'externalsecrets'),
    rule: 'ready',
    keep: keepReady,
    health: readyHealth,
  },
  {
    kind: resource('postgresql.cnpg.io', 'v1', 'Cluster', 'clusters'),
    rule: 'ready',
    keep: keepReady,
    health: readyHealth,
  },
]

/** Kinds that an installation consists of too and that have no health of their own: watched for drift. */
export const PLAIN_KINDS: readonly ResourceKind[] = [
  core('ServiceAccount', 'serviceaccounts', true),
  resource('networking.k8s.io', 'v1', 'NetworkPolicy', 'networkpolicies'),
  resource('policy', 'v1', 'PodDisruptionBudget', 'poddisruptionbudgets'),
  resource('rbac.authorization.k8s.io', 'v1', 'Role', 'roles'),
  resource('rbac.authorization.k8s.io', 'v1', 'RoleBinding', 'rolebindings'),
  resource('external-secrets.io', 'v1', 'SecretStore', 'secretstores'),
  resource('external-secrets.io', 'v1alpha1', 'PushSecret', 'pushsecrets'),
  resource('generators.external-secrets.io', 'v1alpha1', 'Password', 'passwords'),
]

/** Kinds of Crossplane's managed resources. */
export function managed(
  group: string,
  version: string,
  names: readonly (readonly [string, string])[],
): readonly JudgedKind[] {
  return names.map(([kind, plural]) => ({
    kind: resource(group, version, kind, plural),
    rule: 'managed-resource',
    keep: keepManagedResource,
    health: managedResourceHealth,
  }))
}

function resource(group: string, version: string, kind: string, plural: string): ResourceKind {
  return { group, version, kind, plural, namespaced: true }
}

function core(kind: string, plural: string, namespaced: boolean): ResourceKind {
  return { group: '', version: 'v1', kind, plural, namespaced }
}
