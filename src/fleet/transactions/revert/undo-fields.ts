/** Takes a change back field by field: three versions of an object to a fourth, or to what stands against it. */
import { isDeepStrictEqual } from 'node:util'
import type { ErrorDetail } from '../../errors.ts'

/** How a field is compared: as a whole, or entry by entry, so that others may have changed other entries since. */
export type FieldKind = 'whole' | 'map' | 'names' | { readonly listBy: string }

export interface Versions {
  /** Before the commit. */
  readonly was: unknown
  /** After it. */
  readonly did: unknown
  /** At the head. */
  readonly now: unknown
}

export interface Undone {
  readonly value: unknown
  readonly conflicts: readonly ErrorDetail[]
}

export function undoField(kind: FieldKind, versions: Versions, pointer: string): Undone {
  const whole = undoWhole(versions)
  if (whole !== undefined) return { value: whole.value, conflicts: [] }
  if (kind === 'whole') return { value: versions.now, conflicts: [conflictAt(pointer)] }
  const [was, did, now] = [
    entriesOf(kind, versions.was),
    entriesOf(kind, versions.did),
    entriesOf(kind, versions.now),
  ]
  const conflicts: ErrorDetail[] = []
  const entries = new Map<string, unknown>()
  for (const key of new Set([...now.keys(), ...was.keys(), ...did.keys()])) {
    const undone = undoWhole({ was: was.get(key), did: did.get(key), now: now.get(key) })
    if (undone === undefined) conflicts.push(conflictAt(`${pointer}/${key}`))
    else if (undone.value !== undefined) entries.set(key, undone.value)
  }
  return { value: fromEntries(kind, entries), conflicts }
}

/** Undefined: somebody changed it to something else since. */
function undoWhole({ was, did, now }: Versions): { readonly value: unknown } | undefined {
  if (isDeepStrictEqual(was, did)) return { value: now }
  if (isDeepStrictEqual(now, did)) return { value: was }
  return isDeepStrictEqual(now, was) ? { value: now } : undefined
}

function conflictAt(pointer: string): ErrorDetail {
  return { pointer, detail: 'was changed again since; change it to what you want instead' }
}

type EntryKind = Exclude<FieldKind, 'whole'>

function entriesOf(kind: EntryKind, value: unknown): ReadonlyMap<string, unknown> {
  if (typeof value !== 'object' || value === null) return new Map()
  if (kind === 'map') return new Map(Object.entries(value))
  const list: readonly unknown[] = Array.isArray(value) ? value : []
  if (kind === 'names') return new Map(list.map((name) => [String(name), name]))
  return new Map(list.map((item) => [keyOf(item, kind.listBy), item]))
}

function keyOf(item: unknown, field: string): string {
  return String(typeof item === 'object' && item !== null ? Reflect.get(item, field) : item)
}

/** Empty ones are left out, as everywhere in intents. */
function fromEntries(kind: EntryKind, entries: ReadonlyMap<string, unknown>): unknown {
  if (entries.size === 0) return undefined
  if (kind === 'names') return [...entries.keys()].sort()
  if (kind !== 'map') return [...entries.values()]
  return Object.fromEntries([...entries].sort(([a], [b]) => (a < b ? -1 : 1)))
}
