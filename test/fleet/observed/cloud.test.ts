import { test } from 'tap'
import { FleetIndex } from '../../../src/fleet/fleet-index.ts'
import type { InstallationSpec, SharedDatabase } from '../../../src/fleet/intents.ts'
import {
  bucketHealth,
  cloudResourcesOf,
  cloudResourcesOfCluster,
  databaseHealth,
  kubernetesHealth,
  unaskedHealth,
} from '../../../src/fleet/observed/cloud.ts'
import { healthOf } from '../../../src/fleet/observed/installation-health.ts'
import { databasePath } from '../../../src/fleet/paths.ts'
import { AWS, CREATED_AT, cluster, id, installation, settings } from '../../support/intents.ts'
import { observed } from '../../support/sights.ts'

const DATABASE = {
  ...{ name: 'db', status: 'available', version: '16.4' },
  ...{ encrypted: true, deletionProtection: true, public: false },
}
const BUCKET = { encrypted: true, publicAccessBlocked: true, versioned: true }
const KUBERNETES = { status: 'ACTIVE', version: '1.33', issues: [] }

const HEALTH = [
  ['a database as it should be', databaseHealth(DATABASE), 'healthy', /available, version 16.4/],
  [
    'a database that is being made',
    databaseHealth({ ...DATABASE, status: 'creating' }),
    'progressing',
    /creating/,
  ],
  [
    'a database that AWS says failed',
    databaseHealth({ ...DATABASE, status: 'failed' }),
    'degraded',
    /failed/,
  ],
  ['one without encryption', databaseHealth({ ...DATABASE, encrypted: false }), 'degraded', /not encrypted/],
  [
    'one that anybody may delete',
    databaseHealth({ ...DATABASE, deletionProtection: false }),
    'degraded',
    /not protected against deletion/,
  ],
  ['one in public', databaseHealth({ ...DATABASE, public: true }), 'degraded', /from outside/],
  [
    'everything wrong at once is told',
    databaseHealth({ ...DATABASE, encrypted: false, public: true }),
    'degraded',
    /not encrypted; it can be reached/,
  ],
  [
    'a bucket as it should be',
    bucketHealth(BUCKET),
    'healthy',
    /encrypted, not public; old versions are kept/,
  ],
  ['a public bucket', bucketHealth({ ...BUCKET, publicAccessBlocked: false }), 'degraded', /public access/],
  ['a bucket without encryption', bucketHealth({ ...BUCKET, encrypted: false }), 'degraded', /not encrypted/],
  ['an EKS cluster that works', kubernetesHealth(KUBERNETES), 'healthy', /ACTIVE, version 1.33/],
  [
    'one that is being changed',
    kubernetesHealth({ ...KUBERNETES, status: 'UPDATING' }),
    'healthy',
    /UPDATING/,
  ],
  ['one that failed', kubernetesHealth({ ...KUBERNETES, status: 'FAILED' }), 'degraded', /FAILED/],
  [
    'one that EKS finds something wrong with',
    kubernetesHealth({ ...KUBERNETES, issues: ['SubnetNotFound'] }),
    'degraded',
    /SubnetNotFound/,
  ],
] as const

for (const [what, report, health, message] of HEALTH)
  test(`${what} is ${health}`, async (t) => t.match(report, { health, message }))

const SHARED: SharedDatabase = {
  apiVersion: 'fleet.fleetwright.dev/v1',
  kind: 'SharedDatabase',
  metadata: { id: id(900), name: 'shared-1', createdAt: CREATED_AT },
  spec: {
    databaseKind: 'aws-multitenant-rds-postgres',
    rdsClusterId: 'rds-shared-1',
    vpc: 'vpc-1',
    writerEndpoint: 'writer',
    port: 5432,
    adminSecretKey: 'admin',
  },
}

const NEEDS: readonly (readonly [string, Partial<InstallationSpec>, readonly string[]])[] = [
  ['nothing of AWS', {}, []],
  [
    'its own database and bucket',
    { database: { kind: 'aws-rds-postgres' }, filestore: { kind: 'aws-s3' } },
    [`AWS RDS cluster cloud-${id(1)}`, `AWS S3 bucket cloud-${id(1)}`],
  ],
  [
    'what it shares with others',
    {
      database: {
        kind: 'aws-multitenant-rds-postgres',
        shared: { database: 'shared-1', logicalDatabase: 'x' },
      },
      filestore: { kind: 'bifrost', bucket: 'common' },
    },
    ['AWS RDS cluster rds-shared-1', 'AWS S3 bucket common'],
  ],
]

test('what an installation and a cluster need', async (t) => {
  const fleet = new FleetIndex(settings({ aws: AWS }))
  fleet.apply([{ path: databasePath('shared-1'), before: undefined, after: SHARED }])
  for (const [what, spec, needed] of NEEDS) {
    const found = cloudResourcesOf(fleet, installation('acme', 1, spec))
    t.same(
      found.map(({ kind, name }) => `${kind} ${name}`),
      needed,
      what,
    )
  }
  t.same(cloudResourcesOfCluster(cluster('prod-1', 1)), [])
  const eks = cluster('prod-1', 1, { provider: 'aws', provisioner: 'eks' })
  t.same(cloudResourcesOfCluster(eks), [{ kind: 'AWS EKS cluster', name: 'prod-1' }])
})

const LATER = Date.parse('2026-11-24T11:00:00Z')
const INPUT = { installation: installation('acme', 1), now: LATER, deadlines: { debounce: 2_000 } }
const since = LATER - 60_000

function healthWith(...reports: readonly ReturnType<typeof unaskedHealth>[]): string {
  const resources = reports.map((report) => ({ kind: 'AWS RDS cluster', name: 'db', report, since }))
  const { sight } = observed({ sight: { resources } })
  if (sight === undefined) throw new Error('there is a sight')
  return healthOf(INPUT, sight).health
}

test('what AWS says counts for the whole; what it was not asked does not', async (t) => {
  t.equal(healthWith(databaseHealth(DATABASE)), 'healthy')
  t.equal(healthWith(databaseHealth({ ...DATABASE, encrypted: false })), 'degraded')
  t.equal(healthWith(unaskedHealth('AWS refuses it')), 'healthy')
  const missing = { health: 'missing', reason: 'NotFound', message: 'There is none' } as const
  t.equal(healthWith(missing), 'missing')
  const underWay = { health: 'progressing', reason: 'Creating', message: 'is being made' } as const
  t.equal(healthWith(missing, underWay), 'progressing', 'it is on its way')
})
