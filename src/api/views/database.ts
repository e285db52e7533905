import type { Fleet } from '../../fleet/fleet.ts'
import type { Id } from '../../fleet/ids.ts'
import type { Installation, SharedDatabase } from '../../fleet/intents.ts'
import type { LogicalDatabase } from '../../fleet/transactions/databases/databases.ts'
import { milliseconds } from './common.ts'

/** Nobody holds rows of these: they change in transactions only. */
const UNLOCKED = { LockAcquiredBy: null, LockAcquiredAt: 0 } as const

/** A shared database as the original shows it. */
export function databaseView(fleet: Fleet, { metadata, spec }: SharedDatabase): object {
  return {
    ID: metadata.id,
    RdsClusterID: spec.rdsClusterId,
    VpcID: spec.vpc,
    DatabaseType: spec.databaseKind,
    State: metadata.deletedAt === undefined ? 'provisioned' : 'deleted',
    WriterEndpoint: spec.writerEndpoint,
    ReaderEndpoint: spec.readerEndpoint ?? '',
    Installations: fleet.installationsUsing(metadata.name).map((installation) => installation.metadata.id),
    MigratedInstallations: [],
    MaxInstallationsPerLogicalDatabase:
      spec.maxInstallationsPerLogicalDatabase ?? fleet.settings.spec.limits.schemasPerLogicalDatabase,
    CreateAt: milliseconds(metadata.createdAt),
    DeleteAt: milliseconds(metadata.deletedAt),
    ...UNLOCKED,
  }
}

export function logicalDatabaseView(database: SharedDatabase, logical: LogicalDatabase): object {
  return {
    ID: logical.id,
    MultitenantDatabaseID: database.metadata.id,
    Name: logical.name,
    CreateAt: milliseconds(logical.createdAt),
    DeleteAt: milliseconds(logical.deletedAt),
    ...UNLOCKED,
  }
}

/** A schema has the id of its installation unless it was given one: each installation has one at most. */
export function schemaIdOf({ metadata, spec }: Installation): Id {
  return spec.database.shared?.schemaId ?? metadata.id
}

/** Undefined: the installation has no schema in a shared database. */
export function schemaView(fleet: Fleet, installation: Installation): object | undefined {
  const { metadata, spec } = installation
  const { shared } = spec.database
  if (shared?.schema === undefined) return undefined
  const logical = logicalOf(fleet, installation)
  return {
    ID: schemaIdOf(installation),
    LogicalDatabaseID: logical?.id ?? '',
    InstallationID: metadata.id,
    Name: shared.schema,
    CreateAt: milliseconds(metadata.createdAt),
    DeleteAt: 0,
    ...UNLOCKED,
  }
}

export function logicalOf(fleet: Fleet, { spec }: Installation): LogicalDatabase | undefined {
  const { shared } = spec.database
  const database = shared === undefined ? undefined : fleet.database(shared.database)
  return database?.spec.logicalDatabases?.find(({ name }) => name === shared?.logicalDatabase)
}
