/** The fleet at one revision in memory, indexed so that a transaction costs what it touches, not the size of the fleet. */
import type { Fleet, IntentChange, Occupancy, Usage } from './fleet.ts'
import type { FleetPath, Id } from './ids.ts'
import { byCreation, Members, Named } from './index-maps.ts'
import { InstallationIndex } from './installation-index.ts'
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
import { TombstoneIndex } from './tombstone-index.ts'

export class FleetIndex implements Fleet {
  #settings: FleetSettings
  readonly #intents: Map<FleetPath, Intent>
  readonly #installations: InstallationIndex
  readonly #waiting: Map<Id, FleetPath>
  readonly #newRequests: Map<FleetPath, InstallationRequest>
  readonly #tombstones: TombstoneIndex
  readonly #clusters: Named<Cluster>
  readonly #groups: Named<Group>
  readonly #databases: Named<SharedDatabase>
  readonly #databasesByVpc: Members<SharedDatabase>

  constructor(settings: FleetSettings, from?: FleetIndex) {
    this.#settings = settings
    this.#intents = new Map(from?.intents())
    this.#installations = new InstallationIndex(from === undefined ? undefined : from.#installations)
    this.#waiting = new Map(from === undefined ? [] : from.#waiting)
    this.#newRequests = new Map(from === undefined ? [] : from.#newRequests)
    this.#tombstones = new TombstoneIndex(from === undefined ? undefined : from.#tombstones)
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
    return this.#installations.list()
  }

  installationCount(): number {
    return this.#installations.count()
  }

  installationByName(name: string): Installation | undefined {
    return this.#installations.byName(name)
  }

  installationByDns(name: string): Installation | undefined {
    return this.#installations.byDns(name)
  }

  installationByDeployment(id: Id): Installation | undefined {
    return this.#installations.byDeployment(id)
  }

  installationsOn(cluster: Slug): readonly Installation[] {
    return this.#installations.on(cluster)
  }

  installationsIn(group: Slug): readonly Installation[] {
    return this.#installations.in(group)
  }

  installationsUsing(database: Slug): readonly Installation[] {
    return this.#installations.using(database)
  }

  occupancy(cluster: Slug): Occupancy {
    return this.#installations.occupancy(cluster)
  }

  memberCount(group: Slug): number {
    return this.#installations.memberCount(group)
  }

  usage(database: Slug): Usage {
    return this.#installations.usage(database)
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
    return this.#tombstones.list()
  }

  tombstoneByDeployment(id: Id): Tombstone | undefined {
    return this.#tombstones.byDeployment(id)
  }

  tombstonesOn(cluster: Slug): readonly Tombstone[] {
    return this.#tombstones.on(cluster)
  }

  openTombstones(): readonly Tombstone[] {
    return this.#tombstones.open()
  }

  ending(): readonly Installation[] {
    return this.#installations.ending()
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
        return this.#tombstones.remove(intent)
      case 'Installation':
        return this.#installations.remove(intent.metadata.id)
      case 'InstallationRequest':
        this.#newRequests.delete(path)
        if (intent.metadata.id !== undefined && this.#waiting.delete(intent.metadata.id))
          this.#installations.remove(intent.metadata.id)
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
        return this.#tombstones.add(intent)
      case 'Installation':
        return this.#installations.add(intent)
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
    this.#installations.add(installation)
  }

  /** Requests take what they do not say from the settings, so those that wait are read again. */
  #setSettings(settings: FleetSettings): void {
    this.#settings = settings
    for (const [id, path] of [...this.#waiting]) {
      const request = this.#intents.get(path)
      if (request?.kind !== 'InstallationRequest') continue
      this.#installations.remove(id)
      this.#learnRequest(path, request)
    }
  }
}
