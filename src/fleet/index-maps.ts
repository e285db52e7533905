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
