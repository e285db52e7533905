/** The digest by which a request is recognised when it is sent again. */
import { createHash } from 'node:crypto'
import type { JsonValue } from '../fleet/intents.ts'
import { parseJson } from './decode.ts'

export interface DigestInput {
  readonly actor: string
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly body: Uint8Array
  /** See `Route.secretFields`. */
  readonly secretFields: readonly string[]
}

/**
 * SHA-256, hex, of who asks for what. The digest is kept in git, where a short secret could be found out by trying, so
 * secret values are left out. Spaces and the order of keys do not count.
 * @throws FleetError `invalid-json`
 */
export function requestDigest({ actor, method, path, query, body, secretFields }: DigestInput): string {
  const secrets = secretFields.map((field) => field.toLowerCase().split('.'))
  const parameters = [...query].filter(([name]) => name !== 'dry_run').sort()
  const parts = [actor, method, path, parameters, canonical(parseJson(body) ?? {}, secrets)]
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex')
}

function canonical(value: JsonValue, secrets: readonly (readonly string[])[]): JsonValue {
  if (value === null || typeof value !== 'object') return value
  if (isList(value)) return value.map((entry) => canonicalAt('*', entry, secrets))
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return entries.map(([key, entry]) => [key, canonicalAt(key, entry, secrets)])
}

function canonicalAt(key: string, value: JsonValue, secrets: readonly (readonly string[])[]): JsonValue {
  const folded = key.toLowerCase()
  const below = secrets.filter(([first]) => first === '*' || first === folded).map(([, ...rest]) => rest)
  return below.some((rest) => rest.length === 0) ? 'secret' : canonical(value, below)
}

function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value)
}
