/** State on the wire of a cluster, from what is wanted and what is seen of it (reference: mattermost-cloud §2.1). */
import type { Cluster } from '../intents.ts'
import type { Contact, EngineSight } from './sight.ts'
import type { NodeCapacity } from './workloads.ts'

export interface ClusterSightInput {
  readonly contact: Contact
  readonly fresh: boolean
  readonly nodes: NodeCapacity
  /** What the engine says of the cluster's own unit; undefined when no engine was heard. */
  readonly engine: EngineSight | undefined
}

export interface ClusterVerdict {
  readonly state: string
  readonly reason: string
  readonly completed: boolean
}

/** @param completedGeneration the last generation whose operation is known to have reached its end */
export function judgeCluster(
  { spec }: Cluster,
  { contact, nodes, engine }: ClusterSightInput,
  completedGeneration?: number,
): ClusterVerdict {
  const { kind, generation } = spec.operation
  if (completedGeneration !== undefined && completedGeneration >= generation)
    return { state: 'stable', reason: contact.problem?.detail ?? 'Stable', completed: true }
  const requested = `${kind}-requested`
  if (!contact.connected)
    return {
      state: requested,
      reason: contact.problem?.detail ?? 'The cluster has not answered yet',
      completed: false,
    }
  if (nodes.ready === 0)
    return {
      state: kind === 'creation' ? 'waiting-for-nodes' : requested,
      reason: `None of ${nodes.nodes} nodes is ready`,
      completed: false,
    }
  if (engine?.sync === 'failed')
    return {
      state: 'provision-in-progress',
      reason: `The engine cannot apply the utilities: ${engine.message ?? 'it does not say why'}`,
      completed: false,
    }
  if (engine !== undefined && !(engine.sync === 'synced' && engine.current))
    return { state: 'provision-in-progress', reason: 'The engine applies the utilities', completed: false }
  // Versions and sizes are Crossplane's to reach; until its resources are watched, such an operation stays requested.
  if (kind !== 'creation' && kind !== 'provisioning')
    return { state: requested, reason: `Waits for the ${kind} to be carried out`, completed: false }
  return { state: 'stable', reason: 'Stable', completed: true }
}
