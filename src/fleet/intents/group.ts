/** A group of installations that run one configuration. */
import type { API_VERSION, Env, JsonObject, Metadata } from './common.ts'
import type { DriftSettings } from './fleet-settings.ts'

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
    /** For its members, instead of the fleet's. */
    readonly drift?: DriftSettings
    /** Configurations of older sequences that members still run, oldest first: a change does not touch members at once. */
    readonly previous?: readonly (GroupConfiguration & { readonly sequence: number })[]
  }
}
