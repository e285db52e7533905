/** The fleet at one revision in memory, indexed so that a transaction costs what it touches, not the size of the fleet. */
import type { Fleet, IntentChange, Occupancy, Usage } from './fleet.ts'
import type { FleetPath, Id } from './ids.ts'
import { byCreation, Members, Named, Ordered } from './index-maps.ts'
import type {
  Cluster,
  FleetSettings,
  Group,
  Installation,
  InstallationRequest,
  Intent,
  SharedDatabase,
  Slug,
  Tombstone,
} from './intents.ts'
import { FLEET_PATH, installationPath } from './paths.ts'
import { installationOf } from './requests.ts'

/** What a hibernated installation counts for in a shared database: it holds data, but no connections. */
const HIBERNATED_WEIGHT = 0.75

export class FleetIndex implements Fleet {
  #settings: FleetSettings
  readonly #intents: Map<FleetPath, Intent>
  readonly #installations: Map<Id, Installation>
  readonly #names: Map<string, Id>
  readonly #dns: Map<string, Id>
  readonly #deployments: Map<Id, Id>
  readonly #clusterMembers: Members
  readonly #groupMembers: Members
  readonly #databaseMembers: Members
  readonly #logicalDatabases: Map<Slug, Map<string, number>>
  /** Hibernated installations by shared database. */
  readonly #hibernated: Map<Slug, number>
  readonly #waiting: Map<Id, FleetPath>
  readonly #newRequests: Map<FleetPath, InstallationRequest>
  readonly #tombstones: Map<Id, Tombstone>
  readonly #clusters: Named<Cluster>
  readonly #groups: Named<Group>
  readonly #databases: Named<SharedDatabase>
  readonly #databasesByVpc: Members<SharedDatabase>
  readonly #ordered: Ordered<Installation>

  constructor(settings: FleetSettings, from?: FleetIndex) {
    this.#settings = settings
    this.#intents = new Map(from?.intents())
    this.#installations = new Map(from === undefined ? [] : from.#installations)
    this.#ordered = new Ordered(this.#installations.values())
    this.#names = new Map(from === undefined ? [] : from.#names)
    this.#dns = new Map(from === undefined ? [] : from.#dns)
    this.#deployments = new Map(from === undefined ? [] : from.#deployments)
    this.#clusterMembers = new Members(from === undefined ? undefined : from.#clusterMembers)
    this.#groupMembers = new Members(from === undefined ? undefined : from.#groupMembers)
    this.#databaseMembers = new Members(from === undefined ? undefined : from.#databaseMembers)
    this.#logicalDatabases = new Map(
      [...(from === undefined ? [] : from.#logicalDatabases)].map(([name, counts]) => [
        name,
        new Map(counts),
      ]),
    )
    this.#hibernated = new Map(from === undefined ? [] : from.#hibernated)
    this.#waiting = new Map(from === undefined ? [] : from.#waiting)
    this.#newRequests = new Map(from === undefined ? [] : from.#newRequests)
    this.#tombstones = new Map(from === undefined ? [] : from.#tombstones)
    this.#clusters = new Named(from === undefined ? undefined : from.#clusters)
    this.#groups = new Named(from === undefined ? undefined : from.#groups)
    this.#databases = new Named(from === undefined ? undefined : from.#databases)
    this.#databasesByVpc = new Members(from === undefined ? undefined : from.#databasesByVpc)
    this.#intents.set(FLEET_PATH, settings)
  }

  get settings(): FleetSettings {
    return this.#settings
  }

  clone(): FleetIndex {
    return new FleetIndex(this.#settings, this)
  }

  intents(): Iterable<readonly [FleetPath, Intent]> {
    return this.#intents
  }

  /**
   * Takes changes in. What leaves goes before what comes, so that a move may keep its names.
   * @returns the changes that take these back
   */
  apply(changes: readonly IntentChange[]): readonly IntentChange[] {
    const inverse = changes.map(({ path, after }) => ({
      path,
      before: after,
      after: this.#intents.get(path),
    }))
    for (const { path } of changes) this.#forget(path)
    for (const { path, after } of changes) if (after !== undefined) this.#learn(path, after)
    return inverse.reverse()
  }

  intent(path: FleetPath): Intent | undefined {
    return this.#intents.get(path)
  }

  paths(): Iterable<FleetPath> {
    return this.#intents.keys()
  }

  installation(id: Id): Installation | undefined {
    return this.#installations.get(id)
  }

  pathOf(id: Id): FleetPath | undefined {
    const waits = this.#waiting.get(id)
    if (waits !== undefined) return waits
    const placement = this.#installations.get(id)?.spec.placement
    return placement === undefined ? undefined : installationPath(placement.cluster, id)
  }

  installations(): readonly Installation[] {
    return this.#ordered.list()
  }

  installationCount(): number {
    return this.#installations.size
  }

  installationByName(name: string): Installation | undefined {
    return this.#byId(this.#names.get(name.toLowerCase()))
  }

  installationByDns(name: string): Installation | undefined {
    return this.#byId(this.#dns.get(name.toLowerCase()))
  }

  installationByDeployment(id: Id): Installation | undefined {
    return this.#byId(this.#deployments.get(id))
  }

  installationsOn(cluster: Slug): readonly Installation[] {
    return this.#clusterMembers.of(cluster)
  }

  installationsIn(group: Slug): readonly Installation[] {
    return this.#groupMembers.of(group)
  }

  installationsUsing(database: Slug): readonly Installation[] {
    return this.#databaseMembers.of(database)
  }

  occupancy(cluster: Slug): Occupancy {
    const installations = this.#clusterMembers.count(cluster)
    const only = installations === 1 ? this.#clusterMembers.of(cluster)[0] : undefined
    return { installations, isolated: only?.spec.affinity === 'isolated' }
  }

  memberCount(group: Slug): number {
    return this.#groupMembers.count(group)
  }

  usage(database: Slug): Usage {
    const installations = this.#databaseMembers.count(database)
    const hibernated = this.#hibernated.get(database) ?? 0
    return {
      installations,
      weight: installations - hibernated * (1 - HIBERNATED_WEIGHT),
      byLogicalDatabase: this.#logicalDatabases.get(database) ?? new Map(),
    }
  }

  waiting(): readonly Installation[] {
    const found = [...this.#waiting.keys()].map((id) => this.#installations.get(id))
    return found.filter((installation) => installation !== undefined).sort(byCreation)
  }

  waitingCount(): number {
    return this.#waiting.size
  }

  newRequests(): ReadonlyMap<FleetPath, InstallationRequest> {
    return this.#newRequests
  }

  tombstone(id: Id): Tombstone | undefined {
    return this.#tombstones.get(id)
  }

  tombstones(): readonly Tombstone[] {
    return [...this.#tombstones.values()].sort(byCreation)
  }

  clusters(): readonly Cluster[] {
    return this.#clusters.ordered()
  }

  cluster(name: Slug): Cluster | undefined {
    return this.#clusters.byName(name)
  }

  clusterById(id: Id): Cluster | undefined {
    return this.#clusters.byId(id)
  }

  groups(): readonly Group[] {
    return this.#groups.ordered()
  }

  group(name: Slug): Group | undefined {
    return this.#groups.byName(name)
  }

  groupById(id: Id): Group | undefined {
    return this.#groups.byId(id)
  }

  databases(): readonly SharedDatabase[] {
    return this.#databases.ordered()
  }

  databasesIn(vpc: string): readonly SharedDatabase[] {
    return this.#databasesByVpc.of(vpc)
  }

  database(name: Slug): SharedDatabase | undefined {
    return this.#databases.byName(name)
  }

  #byId(id: Id | undefined): Installation | undefined {
    return id === undefined ? undefined : this.#installations.get(id)
  }

  #forget(path: FleetPath): void {
    const intent = this.#intents.get(path)
    if (intent === undefined || intent.kind === 'Fleet') return
    this.#intents.delete(path)
    switch (intent.kind) {
      case 'Cluster':
        return this.#clusters.remove(intent)
      case 'Group':
        return this.#groups.remove(intent)
      case 'SharedDatabase':
        this.#databasesByVpc.remove(intent.spec.vpc, intent.metadata.id)
        return this.#databases.remove(intent)
      case 'Tombstone':
        this.#tombstones.delete(intent.metadata.id)
        return
      case 'Installation':
        return this.#removeInstallation(intent.metadata.id)
      case 'InstallationRequest':
        this.#newRequests.delete(path)
        if (intent.metadata.id !== undefined && this.#waiting.delete(intent.metadata.id))
          this.#removeInstallation(intent.metadata.id)
    }
  }

  #learn(path: FleetPath, intent: Intent): void {
    this.#intents.set(path, intent)
    switch (intent.kind) {
      case 'Fleet':
        return this.#setSettings(intent)
      case 'Cluster':
        return this.#clusters.add(intent)
      case 'Group':
        return this.#groups.add(intent)
      case 'SharedDatabase':
        this.#databasesByVpc.add(intent.spec.vpc, intent)
        return this.#databases.add(intent)
      case 'Tombstone':
        this.#tombstones.set(intent.metadata.id, intent)
        return
      case 'Installation':
        return this.#addInstallation(intent)
      case 'InstallationRequest':
        return this.#learnRequest(path, intent)
    }
  }

  #learnRequest(path: FleetPath, request: InstallationRequest): void {
    const installation = installationOf(request, this.#settings)
    if (installation === undefined) {
      this.#newRequests.set(path, request)
      return
    }
    this.#waiting.set(installation.metadata.id, path)
    this.#addInstallation(installation)
  }

  /** Requests take what they do not say from the settings, so those that wait are read again. */
  #setSettings(settings: FleetSettings): void {
    this.#settings = settings
    for (const [id, path] of [...this.#waiting]) {
      const request = this.#intents.get(path)
      if (request?.kind !== 'InstallationRequest') continue
      this.#removeInstallation(id)
      this.#learnRequest(path, request)
    }
  }

  #addInstallation(installation: Installation): void {
    const { metadata, spec } = installation
    this.#ordered.set(installation)
    this.#installations.set(metadata.id, installation)
    this.#names.set(metadata.name.toLowerCase(), metadata.id)
    for (const dns of spec.dns)
      if (dns.deletedAt === undefined) this.#dns.set(dns.name.toLowerCase(), metadata.id)
    for (const { id } of spec.clusterInstallations ?? []) this.#deployments.set(id, metadata.id)
    for (const cluster of clustersOf(installation)) this.#clusterMembers.add(cluster, installation)
    if (spec.group) this.#groupMembers.add(spec.group, installation)
    const shared = spec.database.shared
    if (shared === undefined) return
    this.#databaseMembers.add(shared.database, installation)
    this.#countLogical(shared.database, shared.logicalDatabase, 1)
    if (spec.hibernated === true) this.#countHibernated(shared.database, 1)
  }

  #removeInstallation(id: Id): void {
    const installation = this.#installations.get(id)
    if (installation === undefined) return
    const { metadata, spec } = installation
    this.#ordered.remove(id)
    this.#installations.delete(id)
    deleteOwn(this.#names, metadata.name.toLowerCase(), id)
    for (const dns of spec.dns) deleteOwn(this.#dns, dns.name.toLowerCase(), id)
    for (const deployment of spec.clusterInstallations ?? []) deleteOwn(this.#deployments, deployment.id, id)
    for (const cluster of clustersOf(installation)) this.#clusterMembers.remove(cluster, id)
    if (spec.group) this.#groupMembers.remove(spec.group, id)
    const shared = spec.database.shared
    if (shared === undefined) return
    this.#databaseMembers.remove(shared.database, id)
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
function clustersOf({ spec }: Installation): ReadonlySet<Slug> {
  const live = (spec.clusterInstallations ?? []).filter(({ deletedAt }) => deletedAt === undefined)
  return new Set([
    ...(spec.placement === undefined ? [] : [spec.placement.cluster]),
    ...live.map(({ cluster }) => cluster),
  ])
}

function deleteOwn<Key>(map: Map<Key, Id>, key: Key, id: Id): void {
  if (map.get(key) === id) map.delete(key)
}
