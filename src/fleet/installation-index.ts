/** The installations of a fleet, found by all they are asked for by. */
import type { Occupancy, Usage } from './fleet.ts'
import type { Id } from './ids.ts'
import { Members, Ordered } from './index-maps.ts'
import type { Installation, Slug } from './intents.ts'

/** What a hibernated installation counts for in a shared database: it holds data, but no connections. */
const HIBERNATED_WEIGHT = 0.75

export class InstallationIndex {
  readonly #byId: Map<Id, Installation>
  readonly #byName: Map<string, Id>
  readonly #byDns: Map<string, Id>
  readonly #byDeployment: Map<Id, Id>
  readonly #byCluster: Members
  readonly #byGroup: Members
  readonly #byDatabase: Members
  readonly #logicalDatabases: Map<Slug, Map<string, number>>
  /** Hibernated installations by shared database. */
  readonly #hibernated: Map<Slug, number>
  readonly #ordered: Ordered<Installation>
  /** Deletion asked for or scheduled. */
  readonly #ending: Map<Id, Installation>

  constructor(from?: InstallationIndex) {
    this.#byId = new Map(from === undefined ? [] : from.#byId)
    this.#ordered = new Ordered(this.#byId.values())
    this.#byName = new Map(from === undefined ? [] : from.#byName)
    this.#byDns = new Map(from === undefined ? [] : from.#byDns)
    this.#byDeployment = new Map(from === undefined ? [] : from.#byDeployment)
    this.#byCluster = new Members(from === undefined ? undefined : from.#byCluster)
    this.#byGroup = new Members(from === undefined ? undefined : from.#byGroup)
    this.#byDatabase = new Members(from === undefined ? undefined : from.#byDatabase)
    const logical = from === undefined ? [] : [...from.#logicalDatabases]
    this.#logicalDatabases = new Map(logical.map(([name, counts]) => [name, new Map(counts)]))
    this.#hibernated = new Map(from === undefined ? [] : from.#hibernated)
    this.#ending = new Map(from === undefined ? [] : from.#ending)
  }

  list(): readonly Installation[] {
    return this.#ordered.list()
  }

  ending(): readonly Installation[] {
    return [...this.#ending.values()]
  }

  count(): number {
    return this.#byId.size
  }

  get(id: Id | undefined): Installation | undefined {
    return id === undefined ? undefined : this.#byId.get(id)
  }

  byName(name: string): Installation | undefined {
    return this.get(this.#byName.get(name.toLowerCase()))
  }

  byDns(name: string): Installation | undefined {
    return this.get(this.#byDns.get(name.toLowerCase()))
  }

  byDeployment(id: Id): Installation | undefined {
    return this.get(this.#byDeployment.get(id))
  }

  on(cluster: Slug): readonly Installation[] {
    return this.#byCluster.of(cluster)
  }

  in(group: Slug): readonly Installation[] {
    return this.#byGroup.of(group)
  }

  memberCount(group: Slug): number {
    return this.#byGroup.count(group)
  }

  using(database: Slug): readonly Installation[] {
    return this.#byDatabase.of(database)
  }

  occupancy(cluster: Slug): Occupancy {
    const installations = this.#byCluster.count(cluster)
    const only = installations === 1 ? this.#byCluster.of(cluster)[0] : undefined
    return { installations, isolated: only?.spec.affinity === 'isolated' }
  }

  usage(database: Slug): Usage {
    const installations = this.#byDatabase.count(database)
    const hibernated = this.#hibernated.get(database) ?? 0
    return {
      installations,
      weight: installations - hibernated * (1 - HIBERNATED_WEIGHT),
      byLogicalDatabase: this.#logicalDatabases.get(database) ?? new Map(),
    }
  }

  add(installation: Installation): void {
    const { metadata, spec } = installation
    this.#ordered.set(installation)
    this.#byId.set(metadata.id, installation)
    this.#byName.set(metadata.name.toLowerCase(), metadata.id)
    for (const dns of spec.dns)
      if (dns.deletedAt === undefined) this.#byDns.set(dns.name.toLowerCase(), metadata.id)
    for (const { id } of spec.clusterInstallations ?? []) this.#byDeployment.set(id, metadata.id)
    for (const cluster of clustersOf(installation)) this.#byCluster.add(cluster, installation)
    if (spec.group) this.#byGroup.add(spec.group, installation)
    if (isEnding(installation)) this.#ending.set(metadata.id, installation)
    const shared = spec.database.shared
    if (shared === undefined) return
    this.#byDatabase.add(shared.database, installation)
    this.#countLogical(shared.database, shared.logicalDatabase, 1)
    if (spec.hibernated === true) this.#countHibernated(shared.database, 1)
  }

  remove(id: Id): void {
    const installation = this.#byId.get(id)
    if (installation === undefined) return
    const { metadata, spec } = installation
    this.#ordered.remove(id)
    this.#byId.delete(id)
    deleteOwn(this.#byName, metadata.name.toLowerCase(), id)
    for (const dns of spec.dns) deleteOwn(this.#byDns, dns.name.toLowerCase(), id)
    for (const deployment of spec.clusterInstallations ?? []) deleteOwn(this.#byDeployment, deployment.id, id)
    for (const cluster of clustersOf(installation)) this.#byCluster.remove(cluster, id)
    if (spec.group) this.#byGroup.remove(spec.group, id)
    this.#ending.delete(id)
    const shared = spec.database.shared
    if (shared === undefined) return
    this.#byDatabase.remove(shared.database, id)
    this.#countLogical(shared.database, shared.logicalDatabase, -1)
    if (spec.hibernated === true) this.#countHibernated(shared.database, -1)
  }

  #countHibernated(database: Slug, step: 1 | -1): void {
    this.#hibernated.set(database, (this.#hibernated.get(database) ?? 0) + step)
  }

  #countLogical(database: Slug, logical: string, step: 1 | -1): void {
    const counts = this.#logicalDatabases.get(database) ?? new Map<string, number>()
    const count = (counts.get(logical) ?? 0) + step
    if (count > 0) counts.set(logical, count)
    else counts.delete(logical)
    this.#logicalDatabases.set(database, counts)
  }
}

/** Where an installation takes room: where it is placed, and where it moves from or to. */
export function clustersOf({ spec }: Installation): ReadonlySet<Slug> {
  const live = (spec.clusterInstallations ?? []).filter(({ deletedAt }) => deletedAt === undefined)
  return new Set([
    ...(spec.placement === undefined ? [] : [spec.placement.cluster]),
    ...live.map(({ cluster }) => cluster),
  ])
}

/** Its deletion was asked for, is under way or scheduled. */
export function isEnding({ spec }: Installation): boolean {
  const { kind } = spec.operation
  return kind === 'deletion' || kind === 'deletion-pending' || spec.deletion?.scheduledAt !== undefined
}

function deleteOwn<Key>(map: Map<Key, Id>, key: Key, id: Id): void {
  if (map.get(key) === id) map.delete(key)
}
