/** Records of shared databases, of the databases inside them, and of installations' schemas in those. */
import { FleetError } from '../../fleet/errors.ts'
import { isId } from '../../fleet/ids.ts'
import type { Installation, SharedDatabase } from '../../fleet/intents.ts'
import {
  deleteLogicalDatabase,
  deleteSharedDatabase,
  requireDatabase,
  requireLogicalDatabase,
  updateSharedDatabase,
} from '../../fleet/transactions/databases/databases.ts'
import type { HandlerContext, Parts } from '../context.ts'
import { PAGING_QUERY, pageOf, readBoolean, readPaging } from '../query.ts'
import { type Answer, empty, json, type Route } from '../routes.ts'
import { integer, object } from '../shapes.ts'
import { databaseView, logicalDatabaseView, logicalOf, schemaIdOf, schemaView } from '../views/database.ts'
import { requireValid } from './need.ts'

const UPDATE = object({ MaxInstallationsPerLogicalDatabase: integer() })
const TEXT = { type: 'string' } as const
const DELETED = { 204: { description: 'Deleted', schema: null } } as const

export function databaseRoutes(parts: Parts): readonly Route[] {
  return [...sharedRoutes(parts), ...logicalRoutes(parts), ...schemaRoutes(parts)]
}

function sharedRoutes(parts: Parts): readonly Route[] {
  const path = '/api/databases/multitenant_database'
  const query = {
    vpc_id: { description: 'In this network', schema: TEXT },
    database_type: { description: 'Of this kind', schema: TEXT },
  }
  return [
    {
      method: 'GET',
      path: `${path}s`,
      operationId: 'listMultitenantDatabases',
      summary: 'List shared databases',
      role: 'reader',
      wire: true,
      query: { ...PAGING_QUERY, ...query },
      responses: { 200: { description: 'Shared databases, oldest first' } },
      handler: async (context) => listShared(parts, context),
    },
    {
      method: 'GET',
      path: `${path}/{id}`,
      operationId: 'getMultitenantDatabase',
      summary: 'Get a shared database',
      role: 'reader',
      wire: true,
      responses: { 200: { description: 'The shared database' } },
      async handler(context) {
        const { fleet } = parts.writer
        const database = fleet.databases().find(({ metadata }) => metadata.id === context.id())
        if (database === undefined)
          throw new FleetError('not-found', `There is no shared database ${context.id()}.`)
        return json(200, databaseView(fleet, database))
      },
    },
    {
      method: 'PUT',
      path: `${path}/{id}`,
      operationId: 'updateMultitenantDatabase',
      summary: 'Change a shared database',
      role: 'writer',
      wire: true,
      request: UPDATE,
      responses: { 200: { description: 'The shared database as it was before' } },
      handler: (context) => update(parts, context),
    },
    {
      method: 'DELETE',
      path: `${path}/{id}`,
      operationId: 'deleteMultitenantDatabase',
      summary: 'Delete the record of a shared database',
      role: 'writer',
      wire: true,
      query: {
        force: { description: 'Although the database may still be there', schema: { type: 'boolean' } },
      },
      responses: DELETED,
      handler: (context) => remove(parts, context),
    },
  ]
}

function listShared({ writer }: Parts, { query }: HandlerContext): Answer {
  const { fleet } = writer
  const paging = readPaging(query)
  const [vpc, kind] = [query.get('vpc_id'), query.get('database_type')]
  const found = fleet
    .databases()
    .filter(
      ({ metadata, spec }) =>
        (paging.includeDeleted || metadata.deletedAt === undefined) &&
        (!vpc || spec.vpc === vpc) &&
        (!kind || spec.databaseKind === kind),
    )
  return json(
    200,
    pageOf(found, paging).map((database) => databaseView(fleet, database)),
  )
}

/** As the original does, the answer shows what was there before. */
async function update({ writer }: Parts, context: HandlerContext): Promise<Answer> {
  const { MaxInstallationsPerLogicalDatabase: limit } = context.decode(UPDATE)
  requireValid((need) => need((limit ?? 1) >= 1, '/MaxInstallationsPerLogicalDatabase', 'must be 1 or more'))
  const before = databaseView(writer.fleet, requireDatabase(writer.fleet, context.id()))
  return await context.submit({
    transaction: updateSharedDatabase({ id: context.id(), limit }),
    answer: () => json(200, before),
  })
}

/** Whether the database is still there is not known here, so only who says so deletes its record. */
async function remove({ writer }: Parts, context: HandlerContext): Promise<Answer> {
  const force = readBoolean(context.query, 'force', false)
  const { metadata } = requireDatabase(writer.fleet, context.id())
  if (!force)
    throw new FleetError(
      'invalid-state',
      `Shared database ${metadata.name} may still be there; delete it first, and its record with force=true.`,
    )
  return await context.submit({
    transaction: deleteSharedDatabase({ id: context.id() }),
    answer: () => empty(204),
  })
}

function logicalRoutes(parts: Parts): readonly Route[] {
  const path = '/api/databases/logical_database'
  return [
    {
      method: 'GET',
      path: `${path}s`,
      operationId: 'listLogicalDatabases',
      summary: 'List logical databases',
      role: 'reader',
      wire: true,
      query: {
        ...PAGING_QUERY,
        multitenant_database_id: { description: 'In this shared database', schema: TEXT },
      },
      responses: { 200: { description: 'Logical databases' } },
      handler: async (context) => listLogical(parts, context),
    },
    {
      method: 'GET',
      path: `${path}/{id}`,
      operationId: 'getLogicalDatabase',
      summary: 'Get a logical database',
      role: 'reader',
      wire: true,
      responses: { 200: { description: 'The logical database' } },
      async handler(context) {
        const { database, logical } = requireLogicalDatabase(parts.writer.fleet, context.id())
        return json(200, logicalDatabaseView(database, logical))
      },
    },
    {
      method: 'DELETE',
      path: `${path}/{id}`,
      operationId: 'deleteLogicalDatabase',
      summary: 'Delete a logical database',
      role: 'writer',
      wire: true,
      responses: DELETED,
      handler: (context) =>
        context.submit({
          transaction: deleteLogicalDatabase({ id: context.id() }),
          answer: () => empty(204),
        }),
    },
  ]
}

function listLogical({ writer }: Parts, { query }: HandlerContext): Answer {
  const paging = readPaging(query)
  const id = query.get('multitenant_database_id')
  const found = writer.fleet
    .databases()
    .filter(({ metadata }) => !id || metadata.id === id)
    .flatMap((database) => (database.spec.logicalDatabases ?? []).map((logical) => ({ database, logical })))
    .filter(({ logical }) => paging.includeDeleted || logical.deletedAt === undefined)
  return json(
    200,
    pageOf(found, paging).map(({ database, logical }) => logicalDatabaseView(database, logical)),
  )
}

function schemaRoutes(parts: Parts): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/api/databases/database_schemas',
      operationId: 'listDatabaseSchemas',
      summary: 'List database schemas',
      role: 'reader',
      wire: true,
      query: {
        ...PAGING_QUERY,
        logical_database_id: { description: 'In this logical database', schema: TEXT },
        installation_id: { description: 'Of this installation', schema: TEXT },
      },
      responses: { 200: { description: 'Schemas' } },
      handler: async (context) => listSchemas(parts, context),
    },
    {
      method: 'GET',
      path: '/api/databases/database_schema/{id}',
      operationId: 'getDatabaseSchema',
      summary: 'Get a database schema',
      role: 'reader',
      wire: true,
      responses: { 200: { description: 'The schema' } },
      handler: async (context) => getSchema(parts, context),
    },
  ]
}

function listSchemas({ writer }: Parts, { query }: HandlerContext): Answer {
  const { fleet } = writer
  const paging = readPaging(query)
  const logical = query.get('logical_database_id')
  const found = candidates(fleet, query).filter(
    (installation) =>
      installation.spec.database.shared?.schema !== undefined &&
      (!logical || logicalOf(fleet, installation)?.id === logical),
  )
  return json(
    200,
    pageOf(found, paging).map((installation) => schemaView(fleet, installation)),
  )
}

/** One installation is looked up; otherwise those that use shared databases. */
function candidates(fleet: Parts['writer']['fleet'], query: URLSearchParams): readonly Installation[] {
  const id = query.get('installation_id')
  if (!id)
    return fleet
      .databases()
      .flatMap((database: SharedDatabase) => fleet.installationsUsing(database.metadata.name))
  const installation = isId(id) ? fleet.installation(id) : undefined
  return installation === undefined ? [] : [installation]
}

function getSchema({ writer }: Parts, context: HandlerContext): Answer {
  const { fleet } = writer
  const own = fleet.installation(context.id())
  const installation =
    own ?? candidates(fleet, new URLSearchParams()).find((found) => schemaIdOf(found) === context.id())
  const view = installation === undefined ? undefined : schemaView(fleet, installation)
  if (view === undefined) throw new FleetError('not-found', `There is no database schema ${context.id()}.`)
  return json(200, view)
}
