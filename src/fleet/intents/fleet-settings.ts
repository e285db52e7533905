/** The settings of the fleet: fleet.yaml. */
import type { ChangePolicy } from './change-policy.ts'
import type { API_VERSION, JsonObject, Slug } from './common.ts'
import type { Affinity, DatabaseKind, FilestoreKind } from './data-kinds.ts'
import type { Utilities } from './utilities.ts'

export type EngineName = 'argocd' | 'flux'

/** `heal`: the engine is asked to apply git again; nobody else changes the cluster. */
export interface DriftSettings {
  readonly policy: 'report' | 'heal'
}

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
    readonly drift?: DriftSettings
    /** Whether the engines' objects may be annotated so that they look at once; yes when absent. */
    readonly nudgeEngines?: boolean
    readonly changePolicy?: ChangePolicy
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
