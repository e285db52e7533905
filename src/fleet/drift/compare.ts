/**
 * What lives against what git wants, on the fields that git names and no other: defaults, late-initialised fields and
 * what controllers add are none of git's business (reference: gitops-engines §6.2).
 */
import type { JsonObject, JsonValue } from '../intents.ts'
import { isJsonObject } from '../observed/json.ts'
import type { LiveObject } from '../observed/objects.ts'
import { sameDuration, sameQuantity } from './quantity.ts'

/** One field that differs. `found` undefined: it is not there; `wanted` undefined: it should not be there. */
export interface FieldDifference {
  /** Path as people write it, for example `spec.mattermostEnv[name=MM_X].value`. */
  readonly path: string
  /** The same as steps, as managedFields have it. */
  readonly steps: readonly Step[]
  readonly wanted: JsonValue | undefined
  readonly found: JsonValue | undefined
}

/** A key of an object, an item of a list by its name, or by its place. */
export type Step = { readonly key: string } | { readonly name: string } | { readonly at: number }

/** Maps of quantities; what is below is compared by its amount. */
const QUANTITY_PARENTS = ['limits', 'requests', 'capacity', 'hard', 'allocatable']
const QUANTITY_KEYS = ['size', 'storage', 'sizeLimit', 'walStorage']
/** Another way to say the same; compared as text otherwise. */
const DURATION_KEYS = /(?:interval|timeout|duration|refresh|period|delay|ttl)$/i

const MOST_DIFFERENCES = 50

/** @param wanted a rendered manifest */
export function compareObject(wanted: JsonObject, live: LiveObject): readonly FieldDifference[] {
  const found: FieldDifference[] = []
  const { metadata, status: _status, apiVersion: _apiVersion, kind: _kind, ...rest } = wanted
  if (isJsonObject(metadata)) {
    for (const part of ['labels', 'annotations'] as const) {
      const want = metadata[part]
      const have = live.metadata[part]
      if (want !== undefined) compare(want, have, [{ key: 'metadata' }, { key: part }], found)
    }
  }
  for (const [key, want] of Object.entries(rest))
    compare(want, live[key] as JsonValue | undefined, [{ key }], found)
  return found.slice(0, MOST_DIFFERENCES)
}

function compare(
  wanted: JsonValue,
  live: JsonValue | undefined,
  steps: readonly Step[],
  found: FieldDifference[],
): void {
  if (isEmpty(wanted) && isEmpty(live)) return
  if (isJsonObject(wanted) && isJsonObject(live)) {
    for (const [key, want] of Object.entries(wanted)) compare(want, live[key], [...steps, { key }], found)
    return
  }
  if (Array.isArray(wanted) && Array.isArray(live)) return compareLists(wanted, live, steps, found)
  if (wanted === live || sameMeaning(wanted, live, steps)) return
  found.push({ path: pathText(steps), steps, wanted, found: live })
}

/** Items with names are the same item wherever they stand; other lists are compared in order. */
function compareLists(
  wanted: readonly JsonValue[],
  live: readonly JsonValue[],
  steps: readonly Step[],
  found: FieldDifference[],
): void {
  const names = namesOf(wanted)
  const liveNames = namesOf(live)
  if (names !== undefined && liveNames !== undefined) {
    for (const [name, want] of names) compare(want, liveNames.get(name), [...steps, { name }], found)
    for (const [name, extra] of liveNames) {
      if (!names.has(name))
        found.push({
          path: pathText([...steps, { name }]),
          steps: [...steps, { name }],
          wanted: undefined,
          found: extra,
        })
    }
    return
  }
  for (let at = 0; at < Math.max(wanted.length, live.length); at += 1) {
    const [want, have] = [wanted[at], live[at]]
    if (want === undefined)
      found.push({
        path: pathText([...steps, { at }]),
        steps: [...steps, { at }],
        wanted: undefined,
        found: have,
      })
    else compare(want, have, [...steps, { at }], found)
  }
}

/** Items by name, when each has one of its own. */
function namesOf(list: readonly JsonValue[]): ReadonlyMap<string, JsonValue> | undefined {
  const names = new Map<string, JsonValue>()
  for (const item of list) {
    if (!isJsonObject(item)) return undefined
    const name = item.name ?? item.hostName ?? item.secretKey
    if (typeof name !== 'string' || names.has(name)) return undefined
    names.set(name, item)
  }
  return names.size === 0 ? undefined : names
}

function sameMeaning(wanted: JsonValue, live: JsonValue | undefined, steps: readonly Step[]): boolean {
  if (
    (typeof wanted !== 'string' && typeof wanted !== 'number') ||
    (typeof live !== 'string' && typeof live !== 'number')
  )
    return false
  const [last, parent] = [steps.at(-1), steps.at(-2)]
  const key = last !== undefined && 'key' in last ? last.key : ''
  const parentKey = parent !== undefined && 'key' in parent ? parent.key : ''
  if ((QUANTITY_PARENTS.includes(parentKey) || QUANTITY_KEYS.includes(key)) && sameQuantity(wanted, live))
    return true
  return DURATION_KEYS.test(key) && sameDuration(String(wanted), String(live))
}

function isEmpty(value: JsonValue | undefined): boolean {
  if (value === undefined || value === null) return true
  return typeof value === 'object' && Object.keys(value).length === 0
}

export function pathText(steps: readonly Step[]): string {
  let text = ''
  for (const step of steps) {
    if ('key' in step)
      text += /^[\w-]+$/.test(step.key)
        ? `${text === '' ? '' : '.'}${step.key}`
        : `[${JSON.stringify(step.key)}]`
    else text += 'name' in step ? `[name=${step.name}]` : `[${step.at}]`
  }
  return text
}
