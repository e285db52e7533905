/** What documents of several kinds have. */
import type { Id } from '../ids.ts'

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

/**
 * The last thing that was asked of an object. `generation` grows by one with every request that something has to be
 * done for; an observation says which generation it has seen, so `state()` can tell what is still only requested.
 */
export interface Operation<Kind extends string> {
  readonly kind: Kind
  readonly generation: number
  readonly requestedAt: Timestamp
}
