/** Reading fields of JSON that somebody else wrote: what has another type is not there. */
import type { JsonObject, JsonValue } from '../intents.ts'

export function textAt(object: JsonObject | undefined, key: string): string | undefined {
  const value = object?.[key]
  return typeof value === 'string' ? value : undefined
}

export function numberAt(object: JsonObject | undefined, key: string): number | undefined {
  const value = object?.[key]
  return typeof value === 'number' ? value : undefined
}

export function objectAt(object: JsonObject | undefined, key: string): JsonObject | undefined {
  const value = object?.[key]
  return isJsonObject(value) ? value : undefined
}

export function listAt(object: JsonObject | undefined, key: string): readonly JsonValue[] {
  const value = object?.[key]
  return Array.isArray(value) ? value : []
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The given keys of an object, those that are there. */
export function pick<Value>(
  object: Readonly<Record<string, Value>> | undefined,
  keys: readonly string[],
): Record<string, Value> {
  const result: Record<string, Value> = {}
  for (const key of keys) {
    const value = object?.[key]
    if (value !== undefined) result[key] = value
  }
  return result
}

export interface Condition {
  readonly type: string
  readonly status: string
  readonly reason: string
  readonly message: string
  readonly observedGeneration: number | undefined
}

/** `status.conditions`; undefined when there are none yet. */
export function conditionsOf(status: JsonObject | undefined): readonly Condition[] | undefined {
  const conditions = status?.conditions
  if (!Array.isArray(conditions)) return undefined
  return conditions.filter(isJsonObject).map((condition) => ({
    type: textAt(condition, 'type') ?? '',
    status: textAt(condition, 'status') ?? 'Unknown',
    reason: textAt(condition, 'reason') ?? '',
    message: textAt(condition, 'message') ?? '',
    observedGeneration: numberAt(condition, 'observedGeneration'),
  }))
}
