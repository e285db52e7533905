/** What is left of an installation that was deleted. */
import type { API_VERSION, Metadata, Timestamp } from './common.ts'
import type { Installation } from './installation.ts'

export interface Tombstone {
  readonly apiVersion: typeof API_VERSION
  readonly kind: 'Tombstone'
  readonly metadata: Metadata
  readonly spec: {
    readonly actor: string
    /** Nothing is removed before this. */
    readonly notBefore: Timestamp
    readonly keep: { readonly database: boolean; readonly filestore: boolean }
    /** When its manifest was emptied: from then on the engine removes it from the cluster. */
    readonly emptiedAt?: Timestamp
    /** When its documents were removed: nothing of it is left but what is kept. */
    readonly removedAt?: Timestamp
    /** The installation as it was, so that the API can answer for ever and a recovery is possible. */
    readonly installation: Installation
  }
}
