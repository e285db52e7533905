/** An installation, where it is, and what it needs. */
import type { Id } from '../ids.ts'
import type {
  API_VERSION,
  Env,
  JsonObject,
  Metadata,
  Operation,
  SecretReference,
  Slug,
  Timestamp,
} from './common.ts'
import type { Affinity, DatabaseKind, FilestoreKind } from './data-kinds.ts'

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
  readonly deletion?: {
    /** Who asked for it. */
    readonly requestedBy?: string
    readonly pendingExpiresAt?: Timestamp
    readonly scheduledAt?: Timestamp
  }
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
