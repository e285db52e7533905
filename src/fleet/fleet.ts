/** The fleet at one revision, as transactions, rendering and the API read it. `FleetIndex` implements it. */
import type { FleetPath, Id } from './ids.ts'
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

/** One intent that changes; `before` undefined: added, `after` undefined: removed. A move is one of each. */
export interface IntentChange {
  readonly path: FleetPath
  readonly before: Intent | undefined
  readonly after: Intent | undefined
}

/** How full a cluster is, counting what is committed, running or not. */
export interface Occupancy {
  readonly installations: number
  /** The one installation there wants to be alone. */
  readonly isolated: boolean
}

/** How full a shared database is. */
export interface Usage {
  readonly installations: number
  /** What they count for: one each, hibernated ones less. */
  readonly weight: number
  /** By name of the logical database. */
  readonly byLogicalDatabase: ReadonlyMap<string, number>
}

export interface Fleet {
  readonly settings: FleetSettings
  /** The intent at a path as it is applied (a held invalid edit is not). */
  intent(path: FleetPath): Intent | undefined
  paths(): Iterable<FleetPath>

  /** Placed and waiting installations (requests with an id), not removed ones. */
  installation(id: Id): Installation | undefined
  /** Where the document of an installation is. */
  pathOf(id: Id): FleetPath | undefined
  /** In order of creation, then id. */
  installations(): readonly Installation[]
  installationCount(): number
  installationByName(name: string): Installation | undefined
  /** By a DNS name that is in use (lower case). */
  installationByDns(name: string): Installation | undefined
  /** By the id of one of its deployments (cluster installations), deleted ones included. */
  installationByDeployment(id: Id): Installation | undefined
  installationsOn(cluster: Slug): readonly Installation[]
  installationsIn(group: Slug): readonly Installation[]
  installationsUsing(database: Slug): readonly Installation[]
  /** Counts, so that placement does not list installations. */
  occupancy(cluster: Slug): Occupancy
  memberCount(group: Slug): number
  usage(database: Slug): Usage
  /** Installations that wait for a cluster, oldest first. */
  waiting(): readonly Installation[]
  waitingCount(): number
  /** Requests that a person committed and that have no id yet, by path. */
  newRequests(): ReadonlyMap<FleetPath, InstallationRequest>
  tombstone(id: Id): Tombstone | undefined
  tombstones(): readonly Tombstone[]
  /** By the id of one of the deployments that its installation had. */
  tombstoneByDeployment(id: Id): Tombstone | undefined
  /** Of installations that were on this cluster, in no order. */
  tombstonesOn(cluster: Slug): readonly Tombstone[]
  /** Of placed installations whose removal is not complete, in no order. */
  openTombstones(): readonly Tombstone[]
  /** Installations whose deletion was asked for or is scheduled, waiting ones too, in no order. */
  ending(): readonly Installation[]

  /** With deleted ones (`metadata.deletedAt`), in order of creation. */
  clusters(): readonly Cluster[]
  cluster(name: Slug): Cluster | undefined
  clusterById(id: Id): Cluster | undefined
  /** With deleted ones, in order of creation. */
  groups(): readonly Group[]
  group(name: Slug): Group | undefined
  groupById(id: Id): Group | undefined
  databases(): readonly SharedDatabase[]
  /** Those in a network, in no order. */
  databasesIn(vpc: string): readonly SharedDatabase[]
  database(name: Slug): SharedDatabase | undefined
}
