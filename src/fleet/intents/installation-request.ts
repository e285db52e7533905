/** An installation that has no cluster yet. */
import type { Id } from '../ids.ts'
import type { API_VERSION, Timestamp } from './common.ts'
import type { DatabaseKind, FilestoreKind } from './data-kinds.ts'
import type { DatabaseIntent, DnsName, FilestoreIntent, InstallationSpec } from './installation.ts'

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
