/** Decoding and checking of a request for a new installation. */
import { requireNewAnnotations } from '../../fleet/annotations.ts'
import { FleetError } from '../../fleet/errors.ts'
import { type Id, isId } from '../../fleet/ids.ts'
import {
  DATABASE_KINDS,
  type DatabaseIntent,
  type DatabaseKind,
  FILESTORE_KINDS,
  type FilestoreKind,
} from '../../fleet/intents.ts'
import { isProvided } from '../../fleet/placement.ts'
import { sizeNames, sizeOf } from '../../fleet/sizes.ts'
import { type CreateInstallation, createInstallation } from '../../fleet/transactions/installations/create.ts'
import type { HandlerContext, Parts } from '../context.ts'
import { type Answer, json } from '../routes.ts'
import { anyObject, type Decoded, flag, integer, list, object, text } from '../shapes.ts'
import { installationView } from '../views/installation.ts'
import { type Need, requireValid } from './need.ts'
import { ENV_SHAPE, newId, SecretCollector } from './values.ts'

export const PROBES = object({ LivenessProbeOverride: anyObject(), ReadinessProbeOverride: anyObject() })
export const CREATE_INSTALLATION = object({
  Name: text(),
  OwnerID: text(),
  GroupID: text(),
  GroupSelectionAnnotations: list(text()),
  Version: text(),
  Image: text(),
  DNS: text('Deprecated; use Name and DNSNames'),
  DNSNames: list(text()),
  License: text(),
  Size: text(),
  Affinity: text(),
  Database: text(),
  Filestore: text(),
  APISecurityLock: flag(),
  DeletionLocked: flag(),
  MattermostEnv: ENV_SHAPE,
  PriorityEnv: ENV_SHAPE,
  Annotations: list(text()),
  ScheduledDeletionTime: integer('Milliseconds since 1970'),
  SingleTenantDatabaseConfig: object({
    PrimaryInstanceType: text(),
    ReplicaInstanceType: text(),
    ReplicasCount: integer(),
  }),
  ExternalDatabaseConfig: object({ SecretName: text() }),
  PodProbeOverrides: PROBES,
  Command: list(text()),
})
type Body = Decoded<typeof CREATE_INSTALLATION>

/** In lower case. */
export const DNS_NAME =
  /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)+$/
const EARLIEST_DELETION_MILLISECONDS = 5 * 60_000
const MOST_REPLICAS = 15

export async function createInstallationHandler(parts: Parts, context: HandlerContext): Promise<Answer> {
  const body = context.decode(CREATE_INSTALLATION)
  const names = namesOf(body)
  requireValid((need) => check(body, names, context.now, need))
  await requireExternalSecret(parts, body)
  const id = newId(parts.randomness)
  const collector = new SecretCollector(parts.writer.fleet.settings, parts.randomness, `installations/${id}`)
  const input = inputOf(parts, body, names, id, collector)
  return await context.submit({
    transaction: createInstallation(input),
    secrets: collector.secrets,
    answer: ({ installation }) =>
      json(202, installationView(parts, parts.writer.fleet, installation, { withGroup: false })),
    placement: ({ placement }) => placement,
  })
}

/** @throws FleetError `invalid-request` when the secret of an external database is missing or says no data source */
async function requireExternalSecret({ secrets }: Parts, body: Body): Promise<void> {
  const name = body.Database === 'external' ? body.ExternalDatabaseConfig?.SecretName : undefined
  if (!name) return
  const content = await secrets.get(name)
  if (content !== undefined && /"(?:DataSource|DB_CONNECTION_STRING)"\s*:\s*"[^"]/.test(content)) return
  const detail = 'must name a secret of the secret backend that holds a DataSource'
  throw new FleetError('invalid-request', `ExternalDatabaseConfig.SecretName ${detail}.`, {
    errors: [{ pointer: '/ExternalDatabaseConfig/SecretName', detail }],
  })
}

interface Names {
  readonly name: string
  readonly dns: readonly string[]
}

function namesOf(body: Body): Names {
  const dns = [...(body.DNS ? [body.DNS] : []), ...(body.DNSNames ?? [])].map((name) => name.toLowerCase())
  const name = body.Name ? body.Name : (body.DNS?.split('.')[0] ?? '')
  return { name: name.toLowerCase(), dns }
}

function check(body: Body, { name, dns }: Names, now: number, need: Need): void {
  need(name !== '', '/Name', 'must be given')
  need(body.OwnerID !== undefined && body.OwnerID !== '', '/OwnerID', 'must be given')
  need(dns.length > 0, '/DNSNames', 'must have at least one name')
  for (const [at, text] of dns.entries()) {
    need(DNS_NAME.test(text), `/DNSNames/${at}`, 'must be a fully qualified DNS name')
    const label = text.split('.')[0] ?? ''
    need(
      label.length >= 2 && label.length <= 63,
      `/DNSNames/${at}`,
      'must begin with a label of 2 to 63 characters',
    )
    need(label === name, `/DNSNames/${at}`, 'must begin with the name of the installation')
  }
  need(new Set(dns).size === dns.length, '/DNSNames', 'must not have a name twice')
  for (const field of ['Version', 'Image', 'License', 'GroupID'] as const)
    need(!/\s/.test(body[field] ?? ''), `/${field}`, 'must not have spaces')
  need(
    body.Size === undefined || body.Size === '' || sizeOf(body.Size) !== undefined,
    '/Size',
    `must be one of ${sizeNames().join(', ')}`,
  )
  need(
    ['', 'isolated', 'multitenant'].includes(body.Affinity ?? ''),
    '/Affinity',
    'must be isolated or multitenant',
  )
  checkKinds(body, need)
  const scheduled = body.ScheduledDeletionTime ?? 0
  need(
    scheduled === 0 || scheduled >= now + EARLIEST_DELETION_MILLISECONDS,
    '/ScheduledDeletionTime',
    'must be at least five minutes from now',
  )
  need(
    !body.GroupID || (body.GroupSelectionAnnotations ?? []).length === 0,
    '/GroupSelectionAnnotations',
    'cannot be given together with GroupID',
  )
}

const PROVIDED_DATABASES = DATABASE_KINDS.filter(isProvided).join(', ')
const PROVIDED_FILESTORES = FILESTORE_KINDS.filter(isProvided).join(', ')

function checkKinds(body: Body, need: Need): void {
  const database = body.Database || 'mysql-operator'
  const filestore = body.Filestore || 'minio-operator'
  need(
    isDatabase(database) && database !== 'mysql-operator',
    '/Database',
    `must be a kind of database that is provided here (${PROVIDED_DATABASES})`,
  )
  need(
    isFilestore(filestore) && filestore !== 'minio-operator',
    '/Filestore',
    `must be a kind of file store that is provided here (${PROVIDED_FILESTORES})`,
  )
  const replicas = body.SingleTenantDatabaseConfig?.ReplicasCount ?? 0
  need(
    replicas >= 0 && replicas <= MOST_REPLICAS,
    '/SingleTenantDatabaseConfig/ReplicasCount',
    `must be 0 to ${MOST_REPLICAS}`,
  )
  need(
    database !== 'external' || Boolean(body.ExternalDatabaseConfig?.SecretName),
    '/ExternalDatabaseConfig/SecretName',
    'must name the secret of the external database',
  )
}

function isDatabase(kind: string): kind is DatabaseKind {
  return DATABASE_KINDS.some((known) => known === kind)
}

function isFilestore(kind: string): kind is FilestoreKind {
  return FILESTORE_KINDS.some((known) => known === kind)
}

function inputOf(
  parts: Parts,
  body: Body,
  names: Names,
  id: Id,
  collector: SecretCollector,
): CreateInstallation {
  const { randomness, options } = parts
  const group = groupOf(body)
  return {
    id,
    clusterInstallationId: newId(randomness),
    logicalDatabaseId: newId(randomness),
    name: names.name,
    dns: names.dns.map((name) => ({ id: newId(randomness), name })),
    annotations: requireNewAnnotations(body.Annotations ?? [], '/Annotations'),
    ...(group === undefined ? {} : { group }),
    placement: options.placement,
    spec: specOf(body, collector),
  }
}

function groupOf(body: Body): CreateInstallation['group'] {
  if (body.GroupSelectionAnnotations !== undefined && body.GroupSelectionAnnotations.length > 0)
    return { annotations: body.GroupSelectionAnnotations }
  if (!body.GroupID) return undefined
  if (isId(body.GroupID)) return { id: body.GroupID }
  throw new FleetError('not-found', 'There is no such group: ids have 26 letters and digits.')
}

function specOf(body: Body, collector: SecretCollector): CreateInstallation['spec'] {
  const env = collector.env('MattermostEnv', body.MattermostEnv)
  const priorityEnv = collector.env('PriorityEnv', body.PriorityEnv)
  const probes = probesOf(body.PodProbeOverrides)
  const filestore = body.Filestore ?? ''
  return {
    owner: body.OwnerID ?? '',
    version: body.Version || 'stable',
    image: body.Image || 'mattermost/mattermost-enterprise-edition',
    size: body.Size || '100users',
    affinity: body.Affinity === 'multitenant' ? 'multitenant' : 'isolated',
    database: databaseOf(body),
    filestore: { kind: isFilestore(filestore) ? filestore : 'local-ephemeral' },
    ...(body.License ? { licence: collector.keep('licence', body.License) } : {}),
    ...(env === undefined ? {} : { env }),
    ...(priorityEnv === undefined ? {} : { priorityEnv }),
    ...(probes === undefined ? {} : { podProbeOverrides: probes }),
    ...(body.Command === undefined || body.Command.length === 0 ? {} : { command: body.Command }),
    ...(body.APISecurityLock === true ? { apiLocked: true } : {}),
    ...(body.DeletionLocked === true ? { deletionLocked: true } : {}),
    ...(body.ScheduledDeletionTime
      ? { deletion: { scheduledAt: new Date(body.ScheduledDeletionTime).toISOString() } }
      : {}),
  }
}

export function probesOf(
  given: Decoded<typeof PROBES> | undefined,
): CreateInstallation['spec']['podProbeOverrides'] {
  if (given === undefined) return undefined
  const { LivenessProbeOverride: liveness, ReadinessProbeOverride: readiness } = given
  return {
    ...(liveness === undefined ? {} : { liveness }),
    ...(readiness === undefined ? {} : { readiness }),
  }
}

function databaseOf(body: Body): DatabaseIntent {
  const kind = body.Database ?? ''
  const { SingleTenantDatabaseConfig: single, ExternalDatabaseConfig: external } = body
  return {
    kind: isDatabase(kind) ? kind : 'cloudnative-pg',
    ...(kind === 'aws-rds' || kind === 'aws-rds-postgres'
      ? {
          single: {
            primaryInstanceType: single?.PrimaryInstanceType || 'db.t4g.medium',
            replicaInstanceType: single?.ReplicaInstanceType || 'db.t4g.medium',
            replicasCount: single?.ReplicasCount ?? 0,
          },
        }
      : {}),
    ...(kind === 'external' && external?.SecretName ? { externalSecretKey: external.SecretName } : {}),
  }
}
