/** Maps that `FleetIndex` is made of. */
import type { Id } from './ids.ts'
import type { Installation, Metadata, Slug } from './intents.ts'

/** Installations, or other intents, by what they belong to. */
export class Members<Item extends { readonly metadata: { readonly id: Id } } = Installation> {
  readonly #members: Map<Slug, Map<Id, Item>>

  constructor(from?: Members<Item>) {
    this.#members = new Map(
      [...(from === undefined ? [] : from.#members)].map(([name, found]) => [name, new Map(found)]),
    )
  }

  add(name: Slug, item: Item): void {
    const members = this.#members.get(name) ?? new Map<Id, Item>()
    members.set(item.metadata.id, item)
    this.#members.set(name, members)
  }

  remove(name: Slug, id: Id): void {
    const members = this.#members.get(name)
    members?.delete(id)
    if (members?.size === 0) this.#members.delete(name)
  }

  of(name: Slug): readonly Item[] {
    return [...(this.#members.get(name)?.values() ?? [])]
  }

  count(name: Slug): number {
    return this.#members.get(name)?.size ?? 0
  }
}

interface NamedIntent {
  readonly metadata: Metadata
}

/** Intents that are few: found by name and id, listed in order of creation. */
export class Named<Item extends NamedIntent> {
  readonly #byName: Map<Slug, Item>
  readonly #byId: Map<Id, Item>
  #ordered: readonly Item[] | undefined

  constructor(from?: Named<Item>) {
    this.#byName = new Map(from === undefined ? [] : from.#byName)
    this.#byId = new Map(from === undefined ? [] : from.#byId)
  }

  add(item: Item): void {
    this.#byName.set(item.metadata.name, item)
    this.#byId.set(item.metadata.id, item)
    this.#ordered = undefined
  }

  remove(item: Item): void {
    this.#byName.delete(item.metadata.name)
    this.#byId.delete(item.metadata.id)
    this.#ordered = undefined
  }

  byName(name: Slug): Item | undefined {
    return this.#byName.get(name)
  }

  byId(id: Id): Item | undefined {
    return this.#byId.get(id)
  }

  ordered(): readonly Item[] {
    this.#ordered ??= [...this.#byName.values()].sort((a, b) =>
      a.metadata.createdAt === b.metadata.createdAt
        ? a.metadata.id.localeCompare(b.metadata.id)
        : a.metadata.createdAt.localeCompare(b.metadata.createdAt),
    )
    return this.#ordered
  }
}

interface DatedIntent {
  readonly metadata: { readonly id: Id; readonly createdAt: string }
}

/** Many intents in order of creation. What changed since they were last listed is put in place, not all sorted again. */
export class Ordered<Item extends DatedIntent> {
  #listed: readonly Item[] = []
  readonly #changed: Map<Id, Item | undefined>

  constructor(items: Iterable<Item>) {
    this.#changed = new Map(Array.from(items, (item) => [item.metadata.id, item]))
  }

  set(item: Item): void {
    this.#changed.set(item.metadata.id, item)
  }

  remove(id: Id): void {
    this.#changed.set(id, undefined)
  }

  /** A list that stays as it is whatever changes later. */
  list(): readonly Item[] {
    if (this.#changed.size === 0) return this.#listed
    const kept = this.#listed.filter(({ metadata }) => !this.#changed.has(metadata.id))
    const fresh = [...this.#changed.values()].filter((item) => item !== undefined).sort(byCreation)
    this.#changed.clear()
    this.#listed = merged(kept, fresh)
    return this.#listed
  }
}

export function byCreation(a: DatedIntent, b: DatedIntent): number {
  if (a.metadata.createdAt !== b.metadata.createdAt)
    return a.metadata.createdAt < b.metadata.createdAt ? -1 : 1
  return a.metadata.id < b.metadata.id ? -1 : 1
}

function merged<Item extends DatedIntent>(first: readonly Item[], second: readonly Item[]): readonly Item[] {
  const result: Item[] = []
  let at = 0
  for (const item of second) {
    for (let next = first[at]; next !== undefined && byCreation(next, item) < 0; next = first[at]) {
      result.push(next)
      at += 1
    }
    result.push(item)
  }
  return result.concat(first.slice(at))
}
