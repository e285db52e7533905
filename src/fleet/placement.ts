/** Where an installation goes, and why. Pure: counts what is committed, so a burst cannot overbook. */
import type { Fleet } from './fleet.ts'
import type { Id } from './ids.ts'
import type {
  Cluster,
  DatabaseIntent,
  DatabaseKind,
  FilestoreIntent,
  FilestoreKind,
  Installation,
  SharedDatabase,
  Slug,
  Timestamp,
} from './intents.ts'

/** What one cluster says to an installation. */
export interface Candidate {
  readonly cluster: Slug
  /** Undefined: it fits. Otherwise why it does not. */
  readonly refusal?: string
  readonly installations: number
  readonly limit: number
}

export interface Placed {
  readonly outcome: 'placed'
  readonly cluster: Slug
  readonly reason: string
  readonly candidates: readonly Candidate[]
  readonly database: DatabaseIntent
  readonly filestore: FilestoreIntent
  /** A shared database that got a new logical database. */
  readonly sharedDatabase?: { readonly before: SharedDatabase; readonly after: SharedDatabase }
}

export interface NotPlaced {
  readonly outcome: 'waiting'
  readonly reason: string
  readonly candidates: readonly Candidate[]
}

export type Placement = Placed | NotPlaced

/** Ids and time for what a placement makes; decided when the request came in. */
export interface PlacementInput {
  readonly logicalDatabaseId: Id
  readonly now: Timestamp
}

/** Kinds the API takes as the original does, and that nothing here provides: MySQL, its proxy, and MinIO. */
const NOT_PROVIDED = new Set<DatabaseKind | FilestoreKind>([
  'aws-rds',
  'aws-multitenant-rds',
  'perseus',
  'mysql-operator',
  'minio-operator',
])
const AWS_DATABASES = new Set<DatabaseKind>([
  'aws-rds-postgres',
  'aws-multitenant-rds-postgres',
  'aws-multitenant-rds-postgres-pgbouncer',
])
const AWS_FILESTORES = new Set<FilestoreKind>(['aws-s3', 'aws-multitenant-s3', 'bifrost'])

/** Whether a kind of database or file store can be made at all. Others are held, and wait with the reason. */
export function isProvided(kind: DatabaseKind | FilestoreKind): boolean {
  return !NOT_PROVIDED.has(kind)
}

/** Whether an installation keeps something on AWS. */
export function needsAws({ spec }: Installation): boolean {
  return AWS_DATABASES.has(spec.database.kind) || AWS_FILESTORES.has(spec.filestore.kind)
}

/** Picks the least loaded cluster that fits, and room in a shared database and bucket. */
export function place(fleet: Fleet, installation: Installation, input: PlacementInput): Placement {
  const { database, filestore } = installation.spec
  const unsupported = [database.kind, filestore.kind].find((kind) => !isProvided(kind))
  if (unsupported !== undefined) {
    const reason = `${unsupported} cannot be provided by template set ${installation.spec.templateSet}`
    return { outcome: 'waiting', reason, candidates: [] }
  }
  const candidates = fleet
    .clusters()
    .filter((cluster) => cluster.metadata.deletedAt === undefined)
    .map((cluster) => consider(fleet, cluster, installation))
  const best = candidates.filter((candidate) => candidate.refusal === undefined).sort(byLoad)[0]
  const cluster = best === undefined ? undefined : fleet.cluster(best.cluster)
  if (best === undefined || cluster === undefined)
    return { outcome: 'waiting', reason: whyNone(candidates), candidates }
  return {
    outcome: 'placed',
    cluster: best.cluster,
    reason: `least loaded of ${clustersThatFit(candidates)}: ${best.installations} of ${best.limit} installations`,
    candidates,
    ...assignDatabase(fleet, cluster, installation, input),
    filestore: assignFilestore(fleet, installation),
  }
}

/** `1 cluster that fits`, `2 clusters that fit`. */
function clustersThatFit(candidates: readonly Candidate[]): string {
  const number = candidates.filter(fits).length
  return `${count(number, 'cluster')} that ${number === 1 ? 'fits' : 'fit'}`
}

function fits(candidate: Candidate): boolean {
  return candidate.refusal === undefined
}

function byLoad(a: Candidate, b: Candidate): number {
  // Both have room, so both limits are above zero.
  return a.installations / a.limit - b.installations / b.limit || (a.cluster < b.cluster ? -1 : 1)
}

/** Installations a cluster takes until placement passes it by. An empty one that may hold any takes one. */
export function installationLimit(fleet: Pick<Fleet, 'settings'>, cluster: Cluster): number {
  const { placement } = fleet.settings.spec
  const capacity = cluster.spec.capacity?.installations ?? placement.installationsPerCluster
  const percent = cluster.spec.capacity?.thresholdPercent ?? placement.thresholdPercent
  return capacity === 0 ? 0 : Math.max(1, Math.floor((capacity * percent) / 100))
}

function consider(fleet: Fleet, cluster: Cluster, installation: Installation): Candidate {
  const { installations, isolated } = fleet.occupancy(cluster.metadata.name)
  const limit = installationLimit(fleet, cluster)
  const refusal = refusalOf(fleet, cluster, installation, { installations, isolated, limit })
  return {
    cluster: cluster.metadata.name,
    installations,
    limit,
    ...(refusal === undefined ? {} : { refusal }),
  }
}

function refusalOf(
  fleet: Fleet,
  cluster: Cluster,
  installation: Installation,
  room: { readonly installations: number; readonly isolated: boolean; readonly limit: number },
): string | undefined {
  const { metadata, spec } = installation
  const missing = (metadata.annotations ?? []).filter(
    (name) => !(cluster.metadata.annotations ?? []).includes(name),
  )
  if (missing.length > 0) return `lacks the annotation${missing.length > 1 ? 's' : ''} ${missing.join(', ')}`
  if (!cluster.spec.allowInstallations) return 'takes no new installations'
  const { kind } = cluster.spec.operation
  if (kind === 'deletion') return 'is being deleted'
  // An imported cluster is there already; one of the cloud is not until it was seen.
  if (kind === 'creation' && cluster.spec.provisioner !== 'external') return 'is not there yet'
  if (spec.affinity === 'isolated' && room.installations > 0)
    return 'is not empty, and the installation wants to be alone'
  if (room.isolated) return 'holds an installation that wants to be alone'
  if (room.installations >= room.limit)
    return `is full (${room.installations} of ${room.limit} installations)`
  if (needsAws(installation) && (fleet.settings.spec.aws === undefined || !hasAws(cluster)))
    return `has no AWS, which ${spec.database.kind} with ${spec.filestore.kind} needs`
  return isShared(spec.database.kind) && sharedWithRoom(fleet, cluster, spec.database) === undefined
    ? `has no ${spec.database.kind} database with room in its VPC (${cluster.spec.vpc ?? 'none'})`
    : undefined
}

function hasAws(cluster: Cluster): boolean {
  return cluster.spec.provider === 'aws' || cluster.spec.vpc !== undefined
}

/** Whether a kind of database is a place in one that many share. */
export function isShared(kind: DatabaseKind): boolean {
  return kind === 'aws-multitenant-rds-postgres' || kind === 'aws-multitenant-rds-postgres-pgbouncer'
}

/** Fullest first: what is left free stays free in one piece. */
function sharedWithRoom(
  fleet: Fleet,
  cluster: Cluster,
  { kind }: DatabaseIntent,
): SharedDatabase | undefined {
  const { limits } = fleet.settings.spec
  const standard =
    kind === 'aws-multitenant-rds-postgres'
      ? limits.installationsPerSharedDatabase
      : limits.installationsPerPgbouncerDatabase
  if (cluster.spec.vpc === undefined) return undefined
  return fleet
    .databasesIn(cluster.spec.vpc)
    .filter(({ metadata, spec }) => metadata.deletedAt === undefined && spec.databaseKind === kind)
    .map((database) => ({ database, used: fleet.usage(database.metadata.name).weight }))
    .filter(({ database, used }) => Math.ceil(used) < (database.spec.maxInstallations ?? standard))
    .sort((a, b) => b.used - a.used || (a.database.metadata.name < b.database.metadata.name ? -1 : 1))[0]
    ?.database
}

function assignDatabase(
  fleet: Fleet,
  cluster: Cluster,
  { metadata, spec }: Installation,
  input: PlacementInput,
): Pick<Placed, 'database' | 'sharedDatabase'> {
  const { database } = spec
  const shared = isShared(database.kind) ? sharedWithRoom(fleet, cluster, database) : undefined
  if (shared === undefined) return { database }
  const { name } = shared.metadata
  if (database.kind === 'aws-multitenant-rds-postgres')
    return { database: { ...database, shared: { database: name, logicalDatabase: `cloud_${metadata.id}` } } }
  const schema = `id_${metadata.id}`
  const most =
    shared.spec.maxInstallationsPerLogicalDatabase ?? fleet.settings.spec.limits.schemasPerLogicalDatabase
  const { byLogicalDatabase } = fleet.usage(name)
  const live = (shared.spec.logicalDatabases ?? []).filter(({ deletedAt }) => deletedAt === undefined)
  const roomy = live.find((logical) => (byLogicalDatabase.get(logical.name) ?? 0) < most)
  if (roomy !== undefined)
    return { database: { ...database, shared: { database: name, logicalDatabase: roomy.name, schema } } }
  const added = {
    id: input.logicalDatabaseId,
    name: `cloud_${input.logicalDatabaseId}`,
    createdAt: input.now,
  }
  const after: SharedDatabase = {
    ...shared,
    spec: { ...shared.spec, logicalDatabases: [...(shared.spec.logicalDatabases ?? []), added] },
  }
  return {
    database: { ...database, shared: { database: name, logicalDatabase: added.name, schema } },
    sharedDatabase: { before: shared, after },
  }
}

function assignFilestore(fleet: Fleet, { metadata, spec }: Installation): FilestoreIntent {
  const { aws } = fleet.settings.spec
  const { filestore } = spec
  if (filestore.kind === 'aws-s3') return { ...filestore, bucket: filestore.bucket ?? `cloud-${metadata.id}` }
  if (aws === undefined) return filestore
  if (filestore.kind === 'aws-multitenant-s3')
    return { ...filestore, bucket: aws.sharedBucket, prefix: metadata.id }
  if (filestore.kind === 'bifrost') return { ...filestore, bucket: aws.bifrostBucket, prefix: metadata.id }
  return filestore
}

function whyNone(candidates: readonly Candidate[]): string {
  if (candidates.length === 0) return 'the fleet has no cluster'
  const shown = candidates.slice(0, 5).map(({ cluster, refusal }) => `${cluster} ${refusal ?? 'fits'}`)
  const more =
    candidates.length > shown.length
      ? `; ${count(candidates.length - shown.length, 'other cluster')} neither`
      : ''
  return `no cluster fits: ${shown.join('; ')}${more}`
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}
