/**
 * Where Crossplane keeps what a cluster itself is made of: one namespace of the control cluster, each resource with a label that
 * names its cluster (reference: operator-and-crossplane §4).
 */
import { keepManagedResource } from './crossplane.ts'
import { pick } from './json.ts'
import { type JudgedKind, managed } from './kinds.ts'
import type { LiveObject } from './objects.ts'

export const INFRASTRUCTURE_NAMESPACE = 'fleetwright-clusters'
export const CLUSTER_LABEL = 'fleetwright.dev/cluster'

export const INFRASTRUCTURE_KINDS: readonly JudgedKind[] = [
  ...managed('eks.aws.m.upbound.io', 'v1beta1', [
    ['AccessEntry', 'accessentries'],
    ['Addon', 'addons'],
    ['Cluster', 'clusters'],
    ['NodeGroup', 'nodegroups'],
    ['PodIdentityAssociation', 'podidentityassociations'],
  ]),
  ...managed('iam.aws.m.upbound.io', 'v1beta1', [
    ['OpenIDConnectProvider', 'openidconnectproviders'],
    ['Role', 'roles'],
    ['RolePolicyAttachment', 'rolepolicyattachments'],
  ]),
  ...managed('kms.aws.m.upbound.io', 'v1beta1', [['Key', 'keys']]),
].map((judged) => ({ ...judged, keep: keepWithCluster }))

/** Name of the cluster that a resource belongs to; undefined: it says none. */
export function clusterOf({ metadata }: Pick<LiveObject, 'metadata'>): string | undefined {
  return metadata.labels?.[CLUSTER_LABEL]
}

function keepWithCluster(object: LiveObject): LiveObject {
  const kept = keepManagedResource(object)
  return { ...kept, metadata: { ...kept.metadata, labels: pick(object.metadata.labels, [CLUSTER_LABEL]) } }
}
