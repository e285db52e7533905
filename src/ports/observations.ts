/**
 * What is observed. Not in git; can be thrown away and is built again. `generation` is that of the intent's operation
 * when this was seen.
 */
import type { Id } from '../fleet/ids.ts'
import type { JsonObject } from '../fleet/intents.ts'

export type ObservedKind = 'installation' | 'cluster' | 'clusterInstallation' | 'group'

export interface Observation {
  /** A state of the wire (`stable`, `update-in-progress`, …). */
  readonly state: string
  readonly generation: number
  readonly observedAt: number
  /** Why it is in this state, for people. */
  readonly reason?: string
  /** Since when it has been in this state, milliseconds since 1970. */
  readonly since?: number
  /** Group sequence seen running (installations). */
  readonly groupSequence?: number
  /** Versions of utilities seen running (clusters). */
  readonly utilities?: Readonly<Record<string, { readonly chart: string; readonly valuesPath: string }>>
  /** Kubernetes metadata seen (clusters): the API's ProvisionerMetadata fields. */
  readonly metadata?: JsonObject
  /** Whether what was asked for last is known to be there (clusters). */
  readonly changeApplied?: boolean
}

export interface Observations {
  get(kind: ObservedKind, id: Id): Observation | undefined
  set(kind: ObservedKind, id: Id, observation: Observation): void
  remove(kind: ObservedKind, id: Id): void
  /** Called after each change; returns the unsubscription. */
  onChange(listener: (kind: ObservedKind, id: Id) => void): () => void
}

/** Who works on an object at the moment (the original's row lock), with an end. */
export interface Lease {
  readonly holder: string
  readonly acquiredAt: number
}

export interface Leases {
  /** `scheduling` is a second lease of clusters. */
  get(kind: ObservedKind, id: Id, purpose?: 'operation' | 'scheduling'): Lease | undefined
  acquire(kind: ObservedKind, id: Id, holder: string, purpose?: 'operation' | 'scheduling'): boolean
  release(kind: ObservedKind, id: Id, holder: string, purpose?: 'operation' | 'scheduling'): void
}
