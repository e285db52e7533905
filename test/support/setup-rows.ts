/** Rows that the original had in its database: made and removed as intents. */
import type { Parts } from '../../src/api/context.ts'
import { newId } from '../../src/api/wire/values.ts'
import type { IntentChange } from '../../src/fleet/fleet.ts'
import type { Id } from '../../src/fleet/ids.ts'
import {
  API_VERSION,
  type DatabaseIntent,
  type Installation,
  type SharedDatabase,
} from '../../src/fleet/intents.ts'
import { clusterPath, databasePath, FLEET_PATH, groupPath, requestPath } from '../../src/fleet/paths.ts'
import type { Transaction } from '../../src/fleet/transaction.ts'
import { changeOf } from '../../src/fleet/transactions/installations/common.ts'
import type { ObservedKind } from '../../src/ports/observations.ts'
import { AWS } from './intents.ts'

export type Step = Readonly<Record<string, unknown>>

export function require<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error('there is no such row')
  return value
}

export async function createRow(parts: Parts, what: string, step: Step): Promise<object> {
  if (what === 'vpc') return await createVpc(parts)
  if (what === 'secret') {
    const content = typeof step.content === 'string' ? step.content : JSON.stringify(step.content)
    await parts.secrets.put(String(step.name), content)
    return { ID: step.name }
  }
  if (what === 'clusterInstallation') return await createClusterInstallation(parts, step)
  if (what === 'multitenantDatabase' && step.installations === undefined)
    return await createDatabase(parts, step)
  if (what === 'logicalDatabase') return await createLogicalDatabase(parts, step)
  if (what === 'databaseSchema') return await createSchema(parts, step)
  throw new Error(`no setup for ${what}`)
}

/** The row stays, with the time at which it was deleted. */
export async function removeRow(parts: Parts, kind: ObservedKind, id: Id): Promise<void> {
  const deletedAt = new Date(parts.clock.now()).toISOString()
  await submit(parts, (fleet) => {
    if (kind === 'cluster') {
      const before = require(fleet.clusterById(id))
      const after = { ...before, metadata: { ...before.metadata, deletedAt } }
      return [{ path: clusterPath(before.metadata.name), before, after }]
    }
    if (kind === 'group') {
      const before = require(fleet.groupById(id))
      const after = { ...before, metadata: { ...before.metadata, deletedAt } }
      return [{ path: groupPath(before.metadata.name), before, after }]
    }
    const owner = fleet
      .installations()
      .find(({ spec }) => spec.clusterInstallations?.some((deployment) => deployment.id === id))
    const before = require(owner)
    const clusterInstallations = before.spec.clusterInstallations?.map((deployment) =>
      deployment.id === id ? { ...deployment, deletedAt } : deployment,
    )
    return changeOf(fleet, {
      ...before,
      spec: { ...before.spec, ...(clusterInstallations ? { clusterInstallations } : {}) },
    })
  })
}

async function createVpc(parts: Parts): Promise<object> {
  const id = `vpc-${newId(parts.randomness).slice(0, 12)}`
  await submit(parts, (fleet) => {
    const { settings } = fleet
    const vpcs = [...(settings.spec.vpcs ?? []), id]
    return [{ path: FLEET_PATH, before: settings, after: { ...settings, spec: { ...settings.spec, vpcs } } }]
  })
  return { ID: id }
}

async function createDatabase(parts: Parts, step: Step): Promise<object> {
  const id = newId(parts.randomness)
  const after: SharedDatabase = {
    apiVersion: API_VERSION,
    kind: 'SharedDatabase',
    metadata: { id, name: `setup-${id}`, createdAt: new Date(parts.clock.now()).toISOString() },
    spec: {
      databaseKind: step.databaseType as DatabaseIntent['kind'],
      rdsClusterId: String(step.rdsClusterID),
      vpc: String(step.vpcID),
      writerEndpoint: String(step.writerEndpoint ?? ''),
      port: 5432,
      adminSecretKey: 'databases/setup',
    },
  }
  await submit(parts, () => [{ path: databasePath(after.metadata.name), before: undefined, after }])
  return { ID: id }
}

async function createLogicalDatabase(parts: Parts, step: Step): Promise<object> {
  const id = newId(parts.randomness)
  const createdAt = new Date(parts.clock.now()).toISOString()
  await submit(parts, (fleet) => {
    const before = require(fleet.databases().find(({ metadata }) => metadata.id === step.multitenantDatabase))
    const added = { id, name: String(step.name), createdAt }
    const logicalDatabases = [...(before.spec.logicalDatabases ?? []), added]
    return [databaseChange(before, logicalDatabases)]
  })
  return { ID: id }
}

/** @throws Error when there is no such logical database */
export async function removeLogicalDatabase(parts: Parts, id: string): Promise<void> {
  const deletedAt = new Date(parts.clock.now()).toISOString()
  // The original's rows may name what was deleted; documents may not.
  await submit(parts, (fleet) => {
    const database = fleet.databases().find(({ spec }) => spec.logicalDatabases?.some((row) => row.id === id))
    const users = fleet.installationsUsing(require(database).metadata.name)
    return users.flatMap((installation) => {
      const { shared: _, ...rest } = installation.spec.database
      return changeOf(fleet, { ...installation, spec: { ...installation.spec, database: rest } })
    })
  })
  await submit(parts, (fleet) => {
    const owner = fleet.databases().find(({ spec }) => spec.logicalDatabases?.some((row) => row.id === id))
    const before = require(owner)
    const rows = (before.spec.logicalDatabases ?? []).map((row) =>
      row.id === id ? { ...row, deletedAt } : row,
    )
    return [databaseChange(before, rows)]
  })
}

function databaseChange(
  before: SharedDatabase,
  logicalDatabases: NonNullable<SharedDatabase['spec']['logicalDatabases']>,
): IntentChange {
  const after = { ...before, spec: { ...before.spec, logicalDatabases } }
  return { path: databasePath(before.metadata.name), before, after }
}

async function createSchema(parts: Parts, step: Step): Promise<object> {
  const schemaId = newId(parts.randomness)
  await submit(parts, (fleet) => {
    const database = require(
      fleet
        .databases()
        .find(({ spec }) => spec.logicalDatabases?.some(({ id }) => id === step.logicalDatabase)),
    )
    const logical = require(database.spec.logicalDatabases?.find(({ id }) => id === step.logicalDatabase))
    const installation = require(fleet.installation(step.installation as Id))
    const shared = {
      database: database.metadata.name,
      logicalDatabase: logical.name,
      schema: String(step.name),
      schemaId,
    }
    const intent = { ...installation.spec.database, shared }
    return changeOf(fleet, { ...installation, spec: { ...installation.spec, database: intent } })
  })
  return { ID: schemaId }
}

async function createClusterInstallation(parts: Parts, step: Step): Promise<object> {
  const id = newId(parts.randomness)
  const now = new Date(parts.clock.now()).toISOString()
  // Without AWS nothing of it can be rendered.
  await submit(parts, ({ settings }) => [
    { path: FLEET_PATH, before: settings, after: { ...settings, spec: { ...settings.spec, aws: AWS } } },
  ])
  await submit(parts, (fleet) => {
    const installation = require(fleet.installation(step.installation as Id))
    const cluster = require(fleet.clusterById(step.cluster as Id)).metadata.name
    const deployment = { id, cluster, createdAt: now, active: step.isActive !== false }
    const { database, added } = assigned(parts, installation, fleet.database('setup'), now)
    const after: Installation = {
      ...installation,
      spec: {
        ...installation.spec,
        database,
        filestore: { ...installation.spec.filestore, bucket: 'shared', prefix: installation.metadata.id },
        placement: installation.spec.placement ?? { cluster },
        clusterInstallations: [...(installation.spec.clusterInstallations ?? []), deployment],
      },
    }
    const path = requestPath(installation.metadata.id)
    const waiting = fleet.intent(path)
    const removal = waiting === undefined ? [] : [{ path, before: waiting, after: undefined }]
    return [...removal, ...added, ...changeOf(fleet, after)]
  })
  if (typeof step.state === 'string')
    parts.observations.set('clusterInstallation', id, {
      state: step.state,
      generation: 1,
      observedAt: parts.clock.now(),
    })
  return { ID: id }
}

/** The shared database that the original's supervisor would have picked. */
function assigned(
  { randomness }: Parts,
  { metadata, spec }: Installation,
  present: SharedDatabase | undefined,
  createdAt: string,
): { readonly database: DatabaseIntent; readonly added: readonly IntentChange[] } {
  if (spec.database.kind !== 'aws-multitenant-rds-postgres') return { database: spec.database, added: [] }
  const shared: SharedDatabase = present ?? {
    apiVersion: API_VERSION,
    kind: 'SharedDatabase',
    metadata: { id: newId(randomness), name: 'setup', createdAt },
    spec: {
      databaseKind: spec.database.kind,
      rdsClusterId: 'rds-setup',
      vpc: 'vpc-setup',
      writerEndpoint: 'writer.example.com',
      port: 5432,
      adminSecretKey: 'databases/setup',
    },
  }
  const path = databasePath(shared.metadata.name)
  const assignment = { database: shared.metadata.name, logicalDatabase: `cloud_${metadata.id}` }
  return {
    database: { ...spec.database, shared: assignment },
    added: present === undefined ? [{ path, before: undefined, after: shared }] : [],
  }
}

async function submit(
  parts: Parts,
  changes: (...args: Parameters<Transaction<undefined>>) => readonly IntentChange[],
): Promise<void> {
  const now = parts.clock.now()
  const actor = { name: 'setup', email: 'setup@example.com' }
  await parts.writer.submit(
    (fleet, context) => ({
      changes: changes(fleet, context),
      text: { subject: 'Set up', trailers: {} },
      value: undefined,
    }),
    { requestId: newId(parts.randomness), actor, now },
  )
}
