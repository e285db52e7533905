/** Installations of every kind, with everything they may have, and the fleets they are in: for properties. */
import fc from 'fast-check'
import type {
  DatabaseIntent,
  Env,
  FilestoreIntent,
  FleetSettings,
  Installation,
  InstallationSpec,
  SharedDatabase,
  Volume,
} from '../../src/fleet/intents.ts'
import { API_VERSION } from '../../src/fleet/intents.ts'
import { AWS, CREATED_AT, id, installation, settings } from './intents.ts'

export const CLUSTER = 'prod-1'
export const GROUP = 'canary'

export const SHARED: SharedDatabase = {
  apiVersion: API_VERSION,
  kind: 'SharedDatabase',
  metadata: { id: id(40), name: 'shared-1', createdAt: CREATED_AT },
  spec: {
    databaseKind: 'aws-multitenant-rds-postgres',
    rdsClusterId: 'rds-cluster-multitenant-1',
    vpc: 'vpc-1',
    writerEndpoint: 'writer.example.com',
    readerEndpoint: 'reader.example.com',
    port: 5432,
    adminSecretKey: 'shared-1',
  },
}

const text = fc.string({ unit: 'binary', maxLength: 30 })
const key = fc.stringMatching(/^[a-z0-9]{1,12}$/).map((name) => `installations/${name}`)
const variable = fc.stringMatching(/^[A-Z][A-Z0-9_]{0,12}$/)
const maybe = <Value>(arbitrary: fc.Arbitrary<Value>): fc.Arbitrary<Value | undefined> =>
  fc.option(arbitrary, { nil: undefined })

const env: fc.Arbitrary<Env> = fc.dictionary(
  fc.oneof(variable, fc.constantFrom('MM_CLOUD_INSTALLATION_ID', 'MM_FILESETTINGS_DRIVERNAME')),
  fc.oneof(
    text.map((value) => ({ value })),
    key.map((found) => ({ secret: { key: found } })),
    fc.constant({ valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } }),
  ),
  { maxKeys: 6 },
)

const database: fc.Arbitrary<DatabaseIntent> = fc.oneof(
  fc.constant({ kind: 'cloudnative-pg' } as const),
  key.map((externalSecretKey) => ({ kind: 'external', externalSecretKey }) as const),
  fc.nat({ max: 15 }).map(
    (replicasCount) =>
      ({
        kind: 'aws-rds-postgres',
        single: { primaryInstanceType: 'db.r6g.large', replicasCount },
      }) as const,
  ),
  fc.constantFrom<DatabaseIntent>(
    { kind: 'aws-multitenant-rds-postgres', shared: { database: 'shared-1', logicalDatabase: 'cloud_1' } },
    {
      kind: 'aws-multitenant-rds-postgres-pgbouncer',
      shared: { database: 'shared-1', logicalDatabase: 'cloud_logical', schema: 'id_1' },
    },
  ),
)

const filestore: fc.Arbitrary<FilestoreIntent> = fc.constantFrom<FilestoreIntent>(
  { kind: 'local-ephemeral' },
  { kind: 'aws-s3' },
  { kind: 'aws-s3', bucket: 'own-bucket' },
  { kind: 'aws-multitenant-s3', bucket: 'shared', prefix: 'prefix' },
  { kind: 'bifrost', bucket: 'bifrost', prefix: 'prefix' },
)

const volume: fc.Arbitrary<Volume> = fc.record(
  {
    type: fc.constant('secret' as const),
    mountPath: fc.stringMatching(/^\/[a-z]{1,10}$/),
    readOnly: fc.boolean(),
    secret: fc.record({ key }),
    backingSecret: fc.stringMatching(/^[a-z]{1,10}$/).map((name) => `installation-secret-${name}`),
    encoding: fc.constant('base64' as const),
  },
  { requiredKeys: ['type', 'mountPath', 'readOnly', 'secret', 'backingSecret'] },
)

const ranges = fc.array(
  fc.record({
    cidrBlock: fc.nat({ max: 255 }).map((octet) => `203.0.${octet}.0/24`),
    description: text,
    enabled: fc.boolean(),
  }),
  { maxLength: 5 },
)

const probe = fc.record({ periodSeconds: fc.integer({ min: 1, max: 60 }) })

const dns = fc
  .tuple(
    fc.uniqueArray(fc.stringMatching(/^[a-z]{2,10}$/), { minLength: 1, maxLength: 4 }),
    fc.nat(),
    fc.boolean(),
  )
  .map(([names, at, withDeleted]) => {
    const primary = at % names.length
    const live = names.map((name, number) => ({
      id: id(2_000 + number),
      name: `${name}.example.com`,
      ...(number === primary ? { primary: true } : {}),
      createdAt: CREATED_AT,
    }))
    const deleted = { id: id(3_000), name: 'gone.example.com', createdAt: CREATED_AT, deletedAt: CREATED_AT }
    return withDeleted ? [...live, deleted] : live
  })

const spec: fc.Arbitrary<Partial<InstallationSpec>> = fc.record(
  {
    owner: fc.string({ unit: 'binary', minLength: 1, maxLength: 20 }),
    size: fc.constantFrom(
      'miniSingleton',
      '100users',
      '1000users',
      '25000users',
      'provisionerXL',
      'provisionerXL-7',
    ),
    version: fc.constantFrom('stable', '11.2.0', `sha256:${'a'.repeat(64)}`),
    database,
    filestore,
    dns,
    group: fc.constantFrom(GROUP, null),
    groupSequence: fc.constantFrom(2, 3),
    licence: fc.record({ key }),
    env,
    priorityEnv: env,
    command: fc.array(text, { minLength: 1, maxLength: 3 }),
    allowedIpRanges: ranges,
    volumes: fc.dictionary(fc.stringMatching(/^[a-z][a-z0-9_-]{2,63}$/), volume, { maxKeys: 4 }),
    podProbeOverrides: fc.record({ liveness: probe, readiness: probe }, { requiredKeys: [] }),
    hibernated: fc.boolean(),
    clusterInstallations: fc.constant([{ id: id(9), cluster: CLUSTER, createdAt: CREATED_AT, active: true }]),
  },
  { requiredKeys: ['database', 'filestore', 'dns'] },
)

export interface RandomInstallation {
  readonly installation: Installation
  readonly settings: FleetSettings
  readonly oidcProvider: string | undefined
  readonly loadBalancerHostname: string | undefined
}

/** A sequence of the group is rendered only for members. */
function consistent(found: Partial<InstallationSpec>): Partial<InstallationSpec> {
  const { groupSequence, ...rest } = found
  return typeof found.group === 'string' && groupSequence !== undefined ? found : rest
}

export const randomInstallation: fc.Arbitrary<RandomInstallation> = fc
  .record({
    number: fc.nat({ max: 31 }),
    spec,
    region: fc.constantFrom('us-east-1', 'eu-west-1'),
    route53: fc.boolean(),
    internalIpRanges: maybe(fc.constant(['10.0.0.0/8'])),
    probes: maybe(fc.record({ liveness: probe })),
    oidcProvider: maybe(fc.constant('oidc.eks.us-east-1.amazonaws.com/id/ABC')),
    loadBalancerHostname: maybe(fc.constant('lb.example.com')),
  })
  .map(({ number, spec, region, route53, internalIpRanges, probes, ...cluster }) => ({
    ...cluster,
    installation: installation('acme', number, { placement: { cluster: CLUSTER }, ...consistent(spec) }),
    settings: settings({
      aws: { ...AWS, region },
      dns: route53
        ? { provider: 'route53', zoneId: 'Z012', ttlSeconds: 60 }
        : { provider: 'external-dns', ttlSeconds: 60 },
      ...(internalIpRanges === undefined ? {} : { internalIpRanges }),
      ...(probes === undefined ? {} : { probes }),
    }),
  }))

/** The same value with the keys of every object in the other order. */
export function turned<Value>(value: Value): Value {
  if (Array.isArray(value)) return value.map(turned) as Value
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).reverse()
  return Object.fromEntries(entries.map(([name, found]) => [name, turned(found)])) as Value
}
