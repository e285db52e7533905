/** Drift that is known: what lives on a cluster and is not what git says. Kept in memory, found again after a start. */
import type { FieldManager } from '../fleet/drift/manager.ts'
import type { Id } from '../fleet/ids.ts'
import type { JsonValue, Slug } from '../fleet/intents.ts'

export interface DriftedField {
  readonly path: string
  /** Secrets are masked. Absent: should not be there. */
  readonly wanted?: JsonValue
  /** Absent: is not there. */
  readonly found?: JsonValue
  readonly manager?: FieldManager
}

export interface Drift {
  readonly cluster: Slug
  readonly installation: Id
  /** `extra`: pruned from git, still alive. */
  readonly type: 'changed' | 'missing' | 'extra'
  readonly object: {
    readonly apiVersion: string
    readonly kind: string
    readonly namespace: string
    readonly name: string
  }
  readonly fields: readonly DriftedField[]
  /** When it was first seen, milliseconds since 1970. */
  readonly since: number
  /** How it was confirmed before it was reported. */
  readonly confirmedBy: 'dry-run' | 'second-look'
  readonly healing?: Healing
}

/** The engine was asked to apply git again. */
export interface Healing {
  readonly times: number
  /** Milliseconds since 1970. */
  readonly lastAt: number
  /** It was asked often enough: somebody has to look. */
  readonly gaveUp: boolean
}

export interface Drifts {
  all(): readonly Drift[]
  of(installation: Id): readonly Drift[]
}

export const NO_DRIFTS: Drifts = { all: () => [], of: () => [] }
