/**
 * The intents: documents of the fleet repository (`fleet-repo-schema/*.json` is their published form; a test holds
 * both to each other). Everything here is wanted, nothing is observed.
 */
import type { Id } from './ids.ts'

export const API_VERSION = 'fleet.fleetwright.dev/v1'

/** RFC 3339 in UTC with milliseconds, for example `2026-11-23T09:00:00.000Z`. */
export type Timestamp = string
/** DNS label, at most 40 characters; name of a folder or file. */
export type Slug = string

export interface Metadata {
  readonly id: Id
  readonly name: Slug
  readonly createdAt: Timestamp
  /** Set when the object was deleted through the API; the document stays as a record. */
  readonly deletedAt?: Timestamp
  /** Placement annotations (names only), sorted. */
  readonly annotations?: readonly string[]
}

/** Where a secret value is kept; the value itself never enters git. */
export interface SecretReference {
  /** Key in the secret backend. Every new value gets a new key, so a reference pins its value. */
  readonly key: string
  /** Property within the secret, when it holds a JSON object. */
  readonly property?: string
}

/** A value of the environment: in clear, kept in the secret backend, or a Kubernetes `valueFrom` as given. */
export type EnvValue =
  | { readonly value: string }
  | { readonly secret: SecretReference }
  | { readonly valueFrom: JsonObject }
export type Env = Readonly<Record<string, EnvValue>>

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject
export interface JsonObject {
  readonly [key: string]: JsonValue
}

export type EngineName = 'argocd' | 'flux'

// --- Fleet ------------------------------------------------------------------------------------------------------

export interface FleetSettings {
  readonly apiVersion: typeof API_VERSION
  readonly kind: 'Fleet'
  readonly metadata: { readonly name: Slug }
  readonly spec: {
    /** Parent domain of installations made without one. */
    readonly domain: string
    readonly environment: string
    readonly engine: EngineName
    /** What the engines pull from; the Secret (by name, in the engine's namespace) they log in with. */
    readonly repository: { readonly url: string; readonly secretName?: string }
    readonly templateSet: string
    readonly dns: {
      readonly provider: 'route53' | 'external-dns'
      readonly zoneId?: string
      readonly ttlSeconds: number
    }
    /** ClusterSecretStore of External Secrets on every cluster, which reads the secret backend. */
    readonly secretStore: { readonly name: string; readonly keyPrefix: string }
    readonly aws?: AwsSettings
    readonly defaults: {
      readonly version: string
      readonly image: string
      readonly size: string
      readonly affinity: Affinity
      readonly database: DatabaseKind
      readonly filestore: FilestoreKind
      readonly ingressClass: string
      readonly ndots: number
    }
    readonly placement: {
      /** Percent of a cluster's installation capacity that placement may fill, 10 to 100. */
      readonly thresholdPercent: number
      /** Installations a cluster takes when it says no capacity itself. */
      readonly installationsPerCluster: number
    }
    readonly limits: {
      readonly installationsPerSharedDatabase: number
      readonly installationsPerPgbouncerDatabase: number
      readonly schemasPerLogicalDatabase: number
    }
    /** Always allowed to reach installations that restrict their IP ranges. */
    readonly internalIpRanges?: readonly string[]
    readonly probes?: { readonly liveness?: JsonObject; readonly readiness?: JsonObject }
    /** Networks that imported clusters may be in, beside those of present clusters and shared databases. */
    readonly vpcs?: readonly string[]
    /** Regular expressions (case-insensitive, whole name): values of such variables are secret. Added to the built-in list. */
    readonly secretEnvNames?: readonly string[]
    /** What every cluster has, unless it says otherwise. */
    readonly utilities?: Utilities
    readonly deletion: {
      readonly pendingSeconds: number
      readonly keepDatabase: boolean
      readonly keepFilestore: boolean
    }
    /** What happens to a rendered file that a person edited: overwritten in the next commit, or held as it is. */
    readonly editedManifests: 'overwrite' | 'hold'
  }
}

export interface AwsSettings {
  readonly region: string
  readonly accountId: string
  readonly databaseSubnetGroup: { readonly name: string; readonly subnetIds: readonly string[] }
  readonly databaseSecurityGroupIds: readonly string[]
  readonly sharedBucket: string
  readonly bifrostBucket: string
  readonly auroraPostgresqlVersion: string
  /** Role that lets engines' provider pods act, as ClusterProviderConfig name of Crossplane. */
  readonly providerConfig: string
}

// --- Cluster ----------------------------------------------------------------------------------------------------

export interface NodeGroup {
  readonly name: string
  readonly instanceType: string
  readonly minCount: number
  readonly maxCount: number
  readonly publicSubnet?: boolean
  readonly securityGroup?: boolean
}

export type NodeGroupChange = Pick<NodeGroup, 'name'> & Partial<NodeGroup>

/** What can be installed on clusters beside installations; a template set knows the chart of each. In the order they are needed. */
export const UTILITY_NAMES = [
  'mattermost-operator',
  'external-secrets',
  'crossplane',
  'cloudnative-pg',
  'pgbouncer',
  'nginx',
  'nginx-internal',
  'external-dns',
  'prometheus-operator',
  'thanos',
  'fluentbit',
  'teleport',
  'promtail',
  'node-problem-detector',
  'rtcd',
  'metrics-server',
  'velero',
  'cloudprober',
] as const
export type UtilityName = (typeof UTILITY_NAMES)[number]

export interface UtilityVersion {
  /** Chart version, or `unmanaged`: what is installed is left alone. */
  readonly chart: string
  /** As the API was given it: answered, not read. What is rendered comes from git only. */
  readonly valuesPath?: string
  /** Where the chart is, when the template set knows no public place or another is wanted. */
  readonly repository?: string
  /** Helm values, over those of the template set. */
  readonly values?: JsonObject
}
export type Utilities = Readonly<Partial<Record<UtilityName, UtilityVersion>>>

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

/**
 * The last thing that was asked of an object. `generation` grows by one with every request that something has to be
 * done for; an observation says which generation it has seen, so `state()` can tell what is still only requested.
 */
export interface Operation<Kind extends string> {
  readonly kind: Kind
  readonly generation: number
  readonly requestedAt: Timestamp
}

// --- Group ------------------------------------------------------------------------------------------------------

export interface GroupConfiguration {
  readonly version?: string
  readonly image?: string
  readonly env?: Env
  readonly scheduling?: {
    readonly nodeSelector?: Readonly<Record<string, string>>
    readonly tolerations?: readonly JsonObject[]
  }
}

export interface Group {
  readonly apiVersion: typeof API_VERSION
  readonly kind: 'Group'
  readonly metadata: Metadata
  readonly spec: GroupConfiguration & {
    readonly displayName: string
    readonly description?: string
    readonly maxRolling: number
    /** Grows with every change of the configuration. */
    readonly sequence: number
    readonly apiLocked?: boolean
    readonly templateSet?: string
    /** Configurations of older sequences that members still run, oldest first: a change does not touch members at once. */
    readonly previous?: readonly (GroupConfiguration & { readonly sequence: number })[]
  }
}

// --- SharedDatabase ---------------------------------------------------------------------------------------------

export interface SharedDatabase {
  readonly apiVersion: typeof API_VERSION
  readonly kind: 'SharedDatabase'
  readonly metadata: Metadata
  readonly spec: {
    readonly databaseKind: DatabaseKind
    readonly rdsClusterId: string
    readonly vpc: string
    readonly writerEndpoint: string
    readonly readerEndpoint?: string
    readonly port: number
    /** Secret-backend key with the administrator's credentials (properties username, password), for provider-sql. */
    readonly adminSecretKey: string
    readonly maxInstallations?: number
    readonly maxInstallationsPerLogicalDatabase?: number
    readonly logicalDatabases?: readonly {
      readonly id: Id
      readonly name: string
      readonly createdAt: Timestamp
      readonly deletedAt?: Timestamp
    }[]
  }
}

// --- Installation -----------------------------------------------------------------------------------------------

export type Affinity = 'isolated' | 'multitenant'

export const DATABASE_KINDS = [
  'aws-rds',
  'aws-rds-postgres',
  'aws-multitenant-rds',
  'aws-multitenant-rds-postgres',
  'aws-multitenant-rds-postgres-pgbouncer',
  'perseus',
  'mysql-operator',
  'external',
  'cloudnative-pg',
] as const
export type DatabaseKind = (typeof DATABASE_KINDS)[number]

export const FILESTORE_KINDS = [
  'aws-s3',
  'aws-multitenant-s3',
  'bifrost',
  'local-ephemeral',
  'minio-operator',
] as const
export type FilestoreKind = (typeof FILESTORE_KINDS)[number]

export interface DnsName {
  readonly id: Id
  readonly name: string
  readonly primary?: boolean
  readonly createdAt: Timestamp
  readonly deletedAt?: Timestamp
}

export interface DatabaseIntent {
  readonly kind: DatabaseKind
  /** Own RDS cluster only. */
  readonly single?: {
    readonly primaryInstanceType: string
    readonly replicaInstanceType?: string
    readonly replicasCount: number
  }
  /** External only: key in the secret backend, made by whoever runs the database. */
  readonly externalSecretKey?: string
  /** Assigned by placement, shared kinds: name of the SharedDatabase, database and schema inside it. */
  readonly shared?: {
    readonly database: Slug
    readonly logicalDatabase: string
    readonly schema?: string
    readonly schemaId?: Id
  }
}

export interface FilestoreIntent {
  readonly kind: FilestoreKind
  /** Assigned by placement. */
  readonly bucket?: string
  readonly prefix?: string
}

export interface AllowedIpRange {
  readonly cidrBlock: string
  readonly description?: string
  readonly enabled: boolean
  readonly ownerId?: string
}

export interface Volume {
  readonly type: 'secret'
  readonly mountPath: string
  readonly readOnly: boolean
  /** One backend key; its JSON object has one property a file. */
  readonly secret: SecretReference
  /** Name the API shows and the Kubernetes Secret has. */
  readonly backingSecret: string
  /** How the files are kept in the backend; absent: as they are. */
  readonly encoding?: 'base64'
}

export type InstallationOperation =
  | 'creation'
  | 'update'
  | 'hibernation'
  | 'wake-up'
  | 'deletion-pending'
  | 'deletion-cancellation'
  | 'deletion'
  | 'dns-migration'

export interface ClusterInstallation {
  readonly id: Id
  readonly cluster: Slug
  readonly createdAt: Timestamp
  readonly deletedAt?: Timestamp
  readonly active: boolean
  readonly apiLocked?: boolean
}

export interface InstallationSpec {
  readonly owner: string
  /** Absent: never had a group (the API says ""). null: left one (the API says null). */
  readonly group?: Slug | null
  /** Sequence of the group's configuration that is rendered. */
  readonly groupSequence?: number
  readonly version: string
  readonly image: string
  readonly size: string
  readonly affinity: Affinity
  /** At least one, exactly one is primary, deleted ones stay as a record. */
  readonly dns: readonly DnsName[]
  readonly database: DatabaseIntent
  readonly filestore: FilestoreIntent
  readonly licence?: SecretReference
  readonly env?: Env
  readonly priorityEnv?: Env
  readonly podProbeOverrides?: { readonly liveness?: JsonObject; readonly readiness?: JsonObject }
  readonly command?: readonly string[]
  readonly allowedIpRanges?: readonly AllowedIpRange[]
  /** By name. */
  readonly volumes?: Readonly<Record<string, Volume>>
  readonly hibernated?: boolean
  readonly apiLocked?: boolean
  readonly deletionLocked?: boolean
  readonly deletion?: { readonly pendingExpiresAt?: Timestamp; readonly scheduledAt?: Timestamp }
  /** Absent while the installation waits for a cluster. */
  readonly placement?: { readonly cluster: Slug }
  readonly clusterInstallations?: readonly ClusterInstallation[]
  readonly templateSet: string
  readonly operation: Operation<InstallationOperation>
}

export interface Installation {
  readonly apiVersion: typeof API_VERSION
  readonly kind: 'Installation'
  readonly metadata: Metadata
  readonly spec: InstallationSpec
}

/**
 * What a person adds under `requests/`, or the API when nothing fits yet. Short forms are allowed: `dns` as plain names,
 * `database` and `filestore` as their kind; whatever is absent comes from the fleet's defaults. With `metadata.id` the
 * installation exists already (it has been acknowledged) and waits for placement.
 */
export interface InstallationRequest {
  readonly apiVersion: typeof API_VERSION
  readonly kind: 'InstallationRequest'
  readonly metadata: {
    readonly id?: Id
    readonly name: string
    readonly createdAt?: Timestamp
    readonly annotations?: readonly string[]
  }
  readonly spec: Partial<
    Omit<InstallationSpec, 'dns' | 'database' | 'filestore' | 'placement' | 'clusterInstallations'>
  > & {
    readonly owner: string
    readonly dns?: readonly (string | DnsName)[]
    readonly database?: DatabaseKind | DatabaseIntent
    readonly filestore?: FilestoreKind | FilestoreIntent
    /** Why it still waits; written by Fleetwright. */
    readonly waitingFor?: string
  }
}

export interface Tombstone {
  readonly apiVersion: typeof API_VERSION
  readonly kind: 'Tombstone'
  readonly metadata: Metadata
  readonly spec: {
    readonly actor: string
    /** Nothing is removed before this. */
    readonly notBefore: Timestamp
    readonly keep: { readonly database: boolean; readonly filestore: boolean }
    /** When the last rendered file was removed. */
    readonly removedAt?: Timestamp
    /** The installation as it was, so that the API can answer for ever and a recovery is possible. */
    readonly installation: Installation
  }
}

export type Intent =
  | FleetSettings
  | Cluster
  | Group
  | SharedDatabase
  | Installation
  | InstallationRequest
  | Tombstone
export type IntentKind = Intent['kind']
