/** Values of drifted fields as they may be shown: what could be a secret is not. */
import type { JsonValue } from '../intents.ts'
import { isJsonObject } from '../observed/json.ts'
import { isSecretEnvName } from '../secret-names.ts'
import type { FieldDifference, Step } from './compare.ts'

const MASKED = '(secret)'
const SECRET_KEY =
  /(?:password|passwd|token|secret|credential|accesskey|privatekey|apikey|connectionstring|datasource)$/i
/** Names of secrets are no secrets. */
const REFERENCE_KEY =
  /(?:secretname|secretref|secretkeyref|secretstoreref|secretsmanager|licensesecret|tlssecret|name|key)$/i
const LONGEST = 500

/** @param extra the fleet's own patterns of secret variables */
export function masked(difference: FieldDifference, extra: readonly string[] = []): FieldDifference {
  const { steps, wanted, found } = difference
  const secret = isSecretPath(steps, extra)
  return { ...difference, wanted: shown(wanted, secret, extra), found: shown(found, secret, extra) }
}

function shown(
  value: JsonValue | undefined,
  secret: boolean,
  extra: readonly string[],
): JsonValue | undefined {
  if (value === undefined || value === null) return value
  if (secret && typeof value !== 'boolean') return MASKED
  if (typeof value === 'string') return value.length > LONGEST ? `${value.slice(0, LONGEST)}…` : value
  if (Array.isArray(value)) return value.map((item) => shown(item, false, extra) ?? null)
  if (!isJsonObject(value)) return value
  const named = typeof value.name === 'string' && isSecretEnvName(value.name, extra)
  return Object.fromEntries(
    Object.entries(value).map(([key, entry]) => [
      key,
      shown(entry, (named && key === 'value') || isSecretKey(key), extra) ?? null,
    ]),
  )
}

function isSecretPath(steps: readonly Step[], extra: readonly string[]): boolean {
  return steps.some((step, at) => {
    if ('name' in step) {
      const next = steps[at + 1]
      return isSecretEnvName(step.name, extra) && next !== undefined && 'key' in next && next.key === 'value'
    }
    return at === steps.length - 1 && 'key' in step && isSecretKey(step.key)
  })
}

function isSecretKey(key: string): boolean {
  return SECRET_KEY.test(key) && !REFERENCE_KEY.test(key)
}
