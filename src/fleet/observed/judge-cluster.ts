/** State on the wire of a cluster, from what is wanted and what is seen of it (reference: mattermost-cloud §2.1). */
import type { Cluster, ClusterOperation } from '../intents.ts'
import type { Contact, EngineSight, ResourceSight } from './sight.ts'
import type { NodeCapacity } from './workloads.ts'

export interface ClusterSightInput {
  readonly contact: Contact
  readonly fresh: boolean
  readonly nodes: NodeCapacity
  /** What the engine says of the cluster's own unit; undefined when no engine was heard. */
  readonly engine: EngineSight | undefined
  /** What it is made of, as Crossplane and AWS say. */
  readonly resources: readonly ResourceSight[]
}

export interface ClusterVerdict {
  readonly state: string
  readonly reason: string
  readonly completed: boolean
}

/** @param completedGeneration the last generation whose operation is known to have reached its end */
export function judgeCluster(
  { spec }: Cluster,
  { contact, nodes, engine, resources }: ClusterSightInput,
  completedGeneration?: number,
): ClusterVerdict {
  const { kind, generation } = spec.operation
  if (completedGeneration !== undefined && completedGeneration >= generation)
    return { state: 'stable', reason: contact.problem?.detail ?? 'Stable', completed: true }
  const requested = `${kind}-requested`
  const unready = unreadyOf(resources)
  if (unready !== undefined && kind !== 'deletion')
    return { state: inProgress(kind), reason: unready, completed: false }
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
  // Versions and sizes are Crossplane's to reach: nothing seen here says that they have been.
  if (kind !== 'creation' && kind !== 'provisioning')
    return { state: requested, reason: `Waits for the ${kind} to be carried out`, completed: false }
  return { state: 'stable', reason: 'Stable', completed: true }
}

/** On the wire while it is carried out; those of machines are not told apart from being asked for. */
function inProgress(kind: ClusterOperation): string {
  if (kind === 'creation') return 'creation-in-progress'
  return kind === 'provisioning' ? 'provision-in-progress' : `${kind}-requested`
}

/** What has failed comes before what is on its way. */
function unreadyOf(resources: readonly ResourceSight[]): string | undefined {
  const found =
    resources.find(({ report }) => report.health === 'degraded' || report.health === 'missing') ??
    resources.find(({ report }) => report.health === 'progressing')
  if (found === undefined) return undefined
  const { kind, name, report } = found
  return `${kind} ${name}: ${report.message === '' ? report.reason : report.message}`
}
