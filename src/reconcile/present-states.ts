/** States as they are now, computed from what is wanted and what was observed. */
import type { Fleet } from '../fleet/fleet.ts'
import type { Id } from '../fleet/ids.ts'
import type { Installation } from '../fleet/intents.ts'
import { clusterInstallationState, clusterState, installationState, waitingReason } from '../fleet/state.ts'
import type { Observation, Observations, ObservedKind } from '../ports/observations.ts'

/** The state of one thing, as it is to be recorded. */
export interface Present {
  readonly kind: ObservedKind
  readonly id: Id
  readonly state: string
  readonly generation: number
  readonly reason?: string
  readonly extraData: Readonly<Record<string, string>>
}

export function* everything(fleet: Fleet, observations: Observations): Iterable<Present> {
  for (const { metadata } of fleet.clusters()) {
    const found = metadata.deletedAt === undefined ? ofCluster(fleet, metadata.id, observations) : undefined
    if (found !== undefined) yield found
  }
  for (const installation of fleet.installations()) yield* ofInstallation(fleet, installation, observations)
}

export function ofCluster(fleet: Fleet, id: Id, observations: Observations): Present | undefined {
  const cluster = fleet.clusterById(id)
  if (cluster === undefined) return undefined
  const seen = observations.get('cluster', id)
  const { generation } = cluster.spec.operation
  const extraData = { Environment: fleet.settings.spec.environment }
  return { kind: 'cluster', id, state: clusterState(cluster, seen), generation, ...reasonOf(seen), extraData }
}

export function ofInstallation(
  fleet: Fleet,
  installation: Installation,
  observations: Observations,
): readonly Present[] {
  const { metadata, spec } = installation
  const { generation } = spec.operation
  const seen = observations.get('installation', metadata.id)
  const extraData = { Environment: fleet.settings.spec.environment, Name: metadata.name }
  const state = installationState(installation, seen, waitingReason(fleet, metadata.id))
  const deployments = (spec.clusterInstallations ?? []).map((deployment): Present => {
    const seenThere = observations.get('clusterInstallation', deployment.id)
    const cluster = fleet.cluster(deployment.cluster)?.metadata.id ?? ''
    return {
      kind: 'clusterInstallation',
      id: deployment.id,
      state: clusterInstallationState(installation, deployment, seenThere),
      generation,
      extraData: { Environment: fleet.settings.spec.environment, ClusterID: cluster },
    }
  })
  return [
    { kind: 'installation', id: metadata.id, state, generation, ...reasonOf(seen), extraData },
    ...deployments,
  ]
}

function reasonOf(seen: Observation | undefined): { readonly reason?: string } {
  return seen?.reason === undefined ? {} : { reason: seen.reason }
}
