/** States of the wire, computed from what is wanted and what was observed; never stored. */
import type { Fleet } from './fleet.ts'
import type { Id } from './ids.ts'
import type {
  Cluster,
  ClusterInstallation,
  ClusterOperation,
  Installation,
  InstallationOperation,
} from './intents.ts'
import { requestPath } from './paths.ts'

/** What of an observation decides a state. */
export interface Seen {
  readonly state: string
  /** Generation of the operation that was seen. */
  readonly generation: number
}

/**
 * State of an installation. Until an observation has seen the last operation, it is only requested.
 * @param waitingFor why placement found no cluster; undefined when it found one or was not tried
 */
export function installationState(
  installation: Installation,
  seen: Seen | undefined,
  waitingFor?: string,
): string {
  const { operation } = installation.spec
  if (seen !== undefined && seen.generation >= operation.generation) return seen.state
  if (operation.kind === 'creation' && waitingFor !== undefined) return 'creation-no-compatible-clusters'
  return `${operation.kind}-requested`
}

/** Why an installation still waits for a cluster, as written at the last try. */
export function waitingReason(fleet: Fleet, id: Id): string | undefined {
  const request = fleet.intent(requestPath(id))
  return request?.kind === 'InstallationRequest' ? request.spec.waitingFor : undefined
}

export function clusterState(cluster: Cluster, seen: Seen | undefined): string {
  const { operation } = cluster.spec
  if (seen !== undefined && seen.generation >= operation.generation) return seen.state
  return `${operation.kind}-requested`
}

/** State of one deployment of an installation. */
export function clusterInstallationState(
  installation: Installation,
  clusterInstallation: ClusterInstallation,
  seen: Seen | undefined,
): string {
  const { operation } = installation.spec
  // As recorded: a deleted one answers the state it was last seen in.
  if (seen !== undefined && seen.generation >= operation.generation) return seen.state
  if (clusterInstallation.deletedAt !== undefined) return 'deleted'
  if (operation.kind === 'deletion') return 'deletion-requested'
  return operation.kind === 'creation' ? 'creation-requested' : 'reconciling'
}

const CREATING = [
  'creation-requested',
  'creation-pre-provisioning',
  'creation-in-progress',
  'creation-configuring-dns',
  'creation-no-compatible-clusters',
  'creation-final-tasks',
  'creation-failed',
] as const

/** States from which an operation may be requested (reference: mattermost-cloud, installation states). */
const INSTALLATION_FROM: Readonly<Record<InstallationOperation, readonly string[]>> = {
  creation: ['creation-requested', 'creation-failed'],
  update: ['stable', 'update-requested', 'update-failed'],
  hibernation: ['stable'],
  'wake-up': ['hibernating'],
  'deletion-pending': [
    'stable',
    'update-requested',
    'update-in-progress',
    'update-failed',
    'hibernating',
    'deletion-pending-requested',
    'deletion-pending-in-progress',
  ],
  'deletion-cancellation': ['deletion-pending'],
  deletion: [
    ...CREATING,
    'deletion-requested',
    'deletion-in-progress',
    'deletion-final-cleanup',
    'deletion-failed',
  ],
  'dns-migration': ['hibernating'],
}

const CLUSTER_FROM: Readonly<Record<ClusterOperation, readonly string[]>> = {
  creation: ['creation-requested', 'creation-failed'],
  provisioning: ['stable', 'provisioning-requested', 'provisioning-failed'],
  upgrade: ['stable', 'upgrade-requested', 'upgrade-failed'],
  resize: ['stable', 'resize-requested', 'resize-failed'],
  'nodegroups-creation': ['stable', 'nodegroups-creation-requested', 'nodegroups-creation-failed'],
  'nodegroups-deletion': ['stable', 'nodegroups-deletion-requested', 'nodegroups-deletion-failed'],
  deletion: [
    'stable',
    'creation-requested',
    'creation-failed',
    'provisioning-failed',
    'upgrade-requested',
    'upgrade-failed',
    'deletion-requested',
    'deletion-failed',
  ],
}

export function mayRequestOnInstallation(operation: InstallationOperation, state: string): boolean {
  return INSTALLATION_FROM[operation].includes(state)
}

export function mayRequestOnCluster(operation: ClusterOperation, state: string): boolean {
  return CLUSTER_FROM[operation].includes(state)
}
