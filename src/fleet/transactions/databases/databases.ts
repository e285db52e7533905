/** Records of shared databases: limits, and the end of a record. The databases themselves are run by somebody else. */
import { isDeepStrictEqual } from 'node:util'
import { FleetError } from '../../errors.ts'
import type { Fleet } from '../../fleet.ts'
import type { Id } from '../../ids.ts'
import type { SharedDatabase } from '../../intents.ts'
import { databasePath } from '../../paths.ts'
import type { Transaction, TransactionResult } from '../../transaction.ts'
import { changeLine } from '../text.ts'

export type LogicalDatabase = NonNullable<SharedDatabase['spec']['logicalDatabases']>[number]

/** @param input.limit installations in one logical database; undefined leaves it */
export function updateSharedDatabase(input: {
  readonly id: Id
  readonly limit: number | undefined
}): Transaction<SharedDatabase> {
  return (fleet) => {
    const before = requireDatabase(fleet, input.id)
    const subject = `Update shared database ${before.metadata.name}`
    if (input.limit === undefined) return result(before, before, subject, '')
    const after = {
      ...before,
      spec: { ...before.spec, maxInstallationsPerLogicalDatabase: input.limit },
    }
    const body = changeLine(
      'Installations in a logical database',
      before.spec.maxInstallationsPerLogicalDatabase,
      input.limit,
    )
    return result(after, before, subject, body ?? '')
  }
}

/** @throws FleetError (in the transaction) `guarded` while installations use it */
export function deleteSharedDatabase(input: { readonly id: Id }): Transaction<SharedDatabase> {
  return (fleet, context) => {
    const before = requireDatabase(fleet, input.id)
    const { name } = before.metadata
    const { installations } = fleet.usage(name)
    if (installations > 0)
      throw new FleetError(
        'guarded',
        `${installations} installations use shared database ${name}; move them first.`,
      )
    const deletedAt = new Date(context.now).toISOString()
    const after = { ...before, metadata: { ...before.metadata, deletedAt } }
    return result(after, before, `Delete the record of shared database ${name}`, '')
  }
}

/** @throws FleetError (in the transaction) `invalid-state` while installations have schemas in it */
export function deleteLogicalDatabase(input: { readonly id: Id }): Transaction<SharedDatabase> {
  return (fleet, context) => {
    const { database: before, logical } = requireLogicalDatabase(fleet, input.id)
    const subject = `Delete logical database ${logical.name}`
    if (logical.deletedAt !== undefined) return result(before, before, subject, '')
    const schemas = fleet.usage(before.metadata.name).byLogicalDatabase.get(logical.name) ?? 0
    if (schemas > 0)
      throw new FleetError(
        'invalid-state',
        `Logical database ${logical.name} has ${schemas} schemas; move them first.`,
      )
    const deletedAt = new Date(context.now).toISOString()
    const logicalDatabases = (before.spec.logicalDatabases ?? []).map((present) =>
      present.id === logical.id ? { ...present, deletedAt } : present,
    )
    const after = { ...before, spec: { ...before.spec, logicalDatabases } }
    return result(after, before, subject, `Shared database: ${before.metadata.name}`)
  }
}

/** @throws FleetError `not-found`, and `invalid-state` for one that was deleted */
export function requireDatabase(fleet: Fleet, id: Id): SharedDatabase {
  const database = fleet.databases().find(({ metadata }) => metadata.id === id)
  if (database === undefined) throw new FleetError('not-found', `There is no shared database ${id}.`)
  const { name, deletedAt } = database.metadata
  if (deletedAt === undefined) return database
  throw new FleetError('invalid-state', `The record of shared database ${name} was deleted at ${deletedAt}.`)
}

/** Deleted ones too. @throws FleetError `not-found` */
export function requireLogicalDatabase(
  fleet: Fleet,
  id: Id,
): { readonly database: SharedDatabase; readonly logical: LogicalDatabase } {
  for (const database of fleet.databases()) {
    const logical = database.spec.logicalDatabases?.find((present) => present.id === id)
    if (logical !== undefined) return { database, logical }
  }
  throw new FleetError('not-found', `There is no logical database ${id}.`)
}

function result(
  after: SharedDatabase,
  before: SharedDatabase,
  subject: string,
  body: string,
): TransactionResult<SharedDatabase> {
  const path = databasePath(before.metadata.name)
  const changes = isDeepStrictEqual(before, after) ? [] : [{ path, before, after }]
  return { changes, text: { subject, body, trailers: {} }, value: after }
}
