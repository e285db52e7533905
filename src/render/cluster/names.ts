/** Names of what points an engine at a cluster. */
import type { Cluster, FleetSettings, UtilityName } from '../../fleet/intents.ts'

export const ARGOCD_NAMESPACE = 'argocd'
export const FLUX_NAMESPACE = 'flux-system'

/** Names what applies the control tree. No object of a cluster is called this: theirs end with a part. */
export const FLEET_NAME = 'fleetwright'
export const CONTROL_REF = 'refs/heads/control'

/** The cluster that the engine itself runs on, as Argo CD names it. */
export const CONTROL_CLUSTER = 'in-cluster'

/** What is made once a cluster. No part is the end of another one, so names of two clusters never meet. */
export const PARTS = ['system', 'utilities', 'manifests', 'installations'] as const

/** How the engine names the cluster: Argo CD's cluster, Flux' kubeconfig Secret. */
export function engineNameOf({ metadata, spec }: Cluster): string {
  return spec.engineClusterName ?? metadata.name
}

/** Secret with the kubeconfig; undefined for the cluster that Flux runs on. */
export function kubeconfigOf(cluster: Cluster): string | undefined {
  const name = engineNameOf(cluster)
  return name === CONTROL_CLUSTER ? undefined : name
}

export function objectNameOf(
  { metadata }: Cluster,
  part: (typeof PARTS)[number] | UtilityName | `shard-${string}`,
): string {
  return `${metadata.name}-${part}`
}

/** Secret that Flux logs in with; Argo CD finds its own by the URL. */
export function loginOf({ repository }: FleetSettings['spec']): string | false {
  return repository.secretName ?? false
}
