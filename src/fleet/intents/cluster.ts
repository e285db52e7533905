/** A cluster and its machines. */
import type { API_VERSION, JsonObject, Metadata, Operation, Timestamp } from './common.ts'
import type { EngineName } from './fleet-settings.ts'
import type { Utilities } from './utilities.ts'

export interface NodeGroup {
  readonly name: string
  readonly instanceType: string
  readonly minCount: number
  readonly maxCount: number
  readonly publicSubnet?: boolean
  readonly securityGroup?: boolean
}

export type NodeGroupChange = Pick<NodeGroup, 'name'> & Partial<NodeGroup>

export interface KubernetesChange {
  readonly version?: string
  readonly ami?: string
  readonly maxPodsPerNode?: number
  readonly networking?: string
  readonly kmsKeyId?: string
  readonly vpc?: string
  readonly clusterRoleArn?: string
  readonly nodeRoleArn?: string
  readonly masterInstanceType?: string
  readonly masterCount?: number
  readonly nodeInstanceType?: string
  readonly nodeMinCount?: number
  readonly nodeMaxCount?: number
  /** By type of the group (`worker`, …): what changes of it; a new one is complete. */
  readonly nodeGroups?: Readonly<Record<string, NodeGroupChange>>
  /** How nodes are drained meanwhile; null: nothing was said about it. Only upgrades and new sizes have it. */
  readonly rotatorConfig?: JsonObject | null
}

/** Kubernetes and its machines as they are wanted. */
export type KubernetesIntent = Omit<KubernetesChange, 'rotatorConfig'>

export type ClusterOperation =
  | 'creation'
  | 'provisioning'
  | 'upgrade'
  | 'resize'
  | 'nodegroups-creation'
  | 'nodegroups-deletion'
  | 'deletion'

export interface Cluster {
  readonly apiVersion: typeof API_VERSION
  readonly kind: 'Cluster'
  readonly metadata: Metadata
  readonly spec: {
    readonly displayName?: string
    readonly provider: 'aws' | 'external'
    readonly provisioner: 'eks' | 'kops' | 'external'
    readonly engine?: EngineName
    /** How the engines name the cluster: Argo CD `destination.name`, Flux kubeconfig Secret. Default: metadata.name. */
    readonly engineClusterName?: string
    /** Name of the secret with the kubeconfig (external clusters). */
    readonly credentialsSecret?: string
    readonly zones?: readonly string[]
    readonly networking?: string
    readonly vpc?: string
    /** Everything that is wanted of Kubernetes and its machines: all requests together. */
    readonly kubernetes?: KubernetesIntent
    /** What the last request asked for, until it is known to be there: the original's ChangeRequest. */
    readonly change?: KubernetesChange
    /** Each wins over the fleet's. */
    readonly utilities?: Utilities
    /** Utilities that the last provisioning left as they are; the API shows them blank. */
    readonly unchangedUtilities?: readonly string[]
    readonly pgbouncer?: PgbouncerSettings
    readonly allowInstallations: boolean
    readonly apiLocked?: boolean
    readonly capacity?: { readonly installations?: number; readonly thresholdPercent?: number }
    /** Until then more installations may be deleted from the cluster in an hour than the limit says: the second key. */
    readonly deletionLimitLiftedUntil?: Timestamp
    readonly ingress?: { readonly className?: string; readonly loadBalancerHostname?: string }
    /** For IAM roles of service accounts: issuer without `https://`. */
    readonly oidcProvider?: string
    readonly templateSet: string
    readonly operation: Operation<ClusterOperation>
  }
}

export interface PgbouncerSettings {
  readonly minPoolSize: number
  readonly defaultPoolSize: number
  readonly reservePoolSize: number
  readonly maxClientConnections: number
  readonly maxDatabaseConnectionsPerPool: number
  readonly serverIdleTimeout: number
  readonly serverLifetime: number
  readonly serverResetQueryAlways: number
}
