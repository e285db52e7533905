/** Who wrote a field last, by `metadata.managedFields`. */
import type { JsonObject } from '../intents.ts'
import { isJsonObject, textAt } from '../observed/json.ts'
import type { LiveObject } from '../observed/objects.ts'
import type { Step } from './compare.ts'

export interface FieldManager {
  readonly name: string
  readonly operation: string
  /** RFC 3339. */
  readonly at: string | undefined
}

/** The engines' own managers: what they own is what git says. */
const ENGINE_MANAGERS = ['argocd-controller', 'kustomize-controller']

/** The one that owns the field, the latest of several; undefined: nobody says. */
export function managerOf({ metadata }: LiveObject, steps: readonly Step[]): FieldManager | undefined {
  let latest: FieldManager | undefined
  for (const entry of metadata.managedFields ?? []) {
    const name = textAt(entry, 'manager')
    const fields = entry.fieldsV1
    if (name === undefined || !isJsonObject(fields) || !owns(fields, steps)) continue
    const manager = { name, operation: textAt(entry, 'operation') ?? '', at: textAt(entry, 'time') }
    // Somebody else's change is what is looked for; the engine owns the field as well until it syncs.
    const better =
      latest === undefined ||
      isEngine(latest) ||
      (!isEngine(manager) && (manager.at ?? '') > (latest.at ?? ''))
    if (better) latest = manager
  }
  return latest
}

export function isEngine({ name }: Pick<FieldManager, 'name'>): boolean {
  return ENGINE_MANAGERS.includes(name)
}

/** The field itself, something above it as a whole, or something below it. */
function owns(fields: JsonObject, steps: readonly Step[]): boolean {
  let here: JsonObject = fields
  for (const step of steps) {
    const next = childOf(here, step)
    if (next === undefined) return Object.keys(here).length === 0 && here !== fields
    here = next
  }
  return true
}

function childOf(fields: JsonObject, step: Step): JsonObject | undefined {
  if ('key' in step) return objectOf(fields[`f:${step.key}`])
  if ('at' in step) return objectOf(fields[`i:${step.at}`])
  const key = Object.keys(fields).find((one) => one.startsWith('k:') && nameIn(one.slice(2)) === step.name)
  return key === undefined ? undefined : objectOf(fields[key])
}

function nameIn(json: string): string | undefined {
  try {
    const key: unknown = JSON.parse(json)
    return isJsonObject(key) ? textAt(key, 'name') : undefined
  } catch {
    return undefined
  }
}

function objectOf(value: unknown): JsonObject | undefined {
  return isJsonObject(value) ? value : undefined
}
