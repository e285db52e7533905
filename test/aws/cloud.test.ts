import { CreateClusterCommand, EKSClient } from '@aws-sdk/client-eks'
import { CreateDBClusterCommand, CreateDBInstanceCommand, RDSClient } from '@aws-sdk/client-rds'
import {
  CreateBucketCommand,
  DeleteBucketEncryptionCommand,
  PutBucketEncryptionCommand,
  PutBucketVersioningCommand,
  PutPublicAccessBlockCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { type Test, test } from 'tap'
import { ToolUnavailableError } from '../../scripts/testbed/binaries.ts'
import { openCloud } from '../../src/aws/cloud.ts'
import type { DatabaseFacts } from '../../src/fleet/observed/cloud.ts'
import type { Cloud } from '../../src/ports/cloud.ts'
import { systemClock, systemRandomness } from '../../src/system/clock.ts'
import { everythingOf } from '../kube/credentials-contract.ts'
import { type AwsAnswer, awsThatFails } from '../support/aws-that-fails.ts'
import { startMoto } from '../support/moto.ts'

const CANARY = 'canary-6a0d9e-never-shown'
process.env.AWS_ACCESS_KEY_ID = 'test'
process.env.AWS_SECRET_ACCESS_KEY = CANARY
const SIGNAL = new AbortController().signal

function cloudAt(t: Test, endpoint: string, attempts = 5): Cloud {
  const cloud = openCloud({
    region: 'us-east-1',
    endpoint,
    accountId: '123456789012',
    clock: systemClock,
    randomness: systemRandomness,
    callsPerSecond: 500,
    attempts,
    timeoutMilliseconds: 10_000,
  })
  t.teardown(() => cloud.close())
  return cloud
}

async function allDatabases(cloud: Cloud): Promise<readonly DatabaseFacts[]> {
  return (await Array.fromAsync(cloud.databases(SIGNAL))).flat()
}

const moto = await startMoto().catch((error: unknown) => {
  if (error instanceof ToolUnavailableError) return error
  throw error
})
const skip = moto instanceof ToolUnavailableError ? moto.message : false

test('what is there is seen as it is', { skip }, async (t) => {
  if (moto instanceof ToolUnavailableError) return
  const { url } = moto
  t.teardown(() => moto.close())
  const cloud = cloudAt(t, url)
  await t.test('databases', (t) => seesDatabases(t, cloud, url))
  await t.test('buckets', (t) => seesBuckets(t, cloud, url))
  await t.test('EKS clusters', async (t) => {
    const client = new EKSClient({ region: 'us-east-1', endpoint: url })
    t.teardown(() => client.destroy())
    const roleArn = 'arn:aws:iam::123456789012:role/r'
    const network = { subnetIds: ['subnet-1'] }
    await client.send(
      new CreateClusterCommand({ name: 'prod-1', version: '1.33', roleArn, resourcesVpcConfig: network }),
    )
    t.same(await cloud.kubernetes('prod-1', SIGNAL), { status: 'ACTIVE', version: '1.33', issues: [] })
    t.equal(await cloud.kubernetes('none', SIGNAL), undefined)
  })
})

async function seesDatabases(t: Test, cloud: Cloud, endpoint: string): Promise<void> {
  const client = new RDSClient({ region: 'us-east-1', endpoint })
  t.teardown(() => client.destroy())
  const master = { MasterUsername: 'admin', MasterUserPassword: CANARY, Engine: 'aurora-postgresql' }
  for (const [at, StorageEncrypted, DeletionProtection] of [
    [1, true, true],
    [2, false, false],
  ] as const) {
    const DBClusterIdentifier = `cloud-${at}`
    const EngineVersion = '16.4'
    const wanted = { ...master, DBClusterIdentifier, EngineVersion, StorageEncrypted, DeletionProtection }
    await client.send(new CreateDBClusterCommand(wanted))
  }
  await client.send(
    new CreateDBInstanceCommand({
      DBInstanceIdentifier: 'cloud-2-master',
      DBClusterIdentifier: 'cloud-2',
      DBInstanceClass: 'db.t4g.medium',
      Engine: 'aurora-postgresql',
      PubliclyAccessible: true,
    }),
  )
  const found = await allDatabases(cloud)
  const rest = { status: 'available', version: '16.4' }
  t.same(
    [...found].sort((a, b) => (a.name < b.name ? -1 : 1)),
    [
      { name: 'cloud-1', ...rest, encrypted: true, deletionProtection: true, public: false },
      { name: 'cloud-2', ...rest, encrypted: false, deletionProtection: false, public: true },
    ],
  )
}

async function seesBuckets(t: Test, cloud: Cloud, endpoint: string): Promise<void> {
  const client = new S3Client({ region: 'us-east-1', endpoint, forcePathStyle: true })
  t.teardown(() => client.destroy())
  const [good, open] = [{ Bucket: 'good' }, { Bucket: 'open' }]
  await client.send(new CreateBucketCommand(good))
  await client.send(new CreateBucketCommand(open))
  await client.send(
    new PutPublicAccessBlockCommand({
      ...good,
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
    }),
  )
  const rule = { ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } } as const
  const encryption = { ServerSideEncryptionConfiguration: { Rules: [rule] } }
  await client.send(new PutBucketEncryptionCommand({ ...good, ...encryption }))
  await client.send(
    new PutBucketVersioningCommand({ ...good, VersioningConfiguration: { Status: 'Enabled' } }),
  )
  await client.send(new DeleteBucketEncryptionCommand(open))
  t.same(await cloud.bucket('good', SIGNAL), { encrypted: true, publicAccessBlocked: true, versioned: true })
  t.same(await cloud.bucket('open', SIGNAL), {
    encrypted: false,
    publicAccessBlocked: false,
    versioned: false,
  })
  t.equal(await cloud.bucket('none', SIGNAL), undefined)
}

const FAILURES: readonly (readonly [string, number, string])[] = [
  ['AccessDenied', 403, 'aws-refused'],
  ['ExpiredToken', 400, 'aws-refused'],
  ['InvalidClientTokenId', 403, 'aws-refused'],
  ['Throttling', 400, 'aws-unavailable'],
  ['SlowDown', 503, 'aws-unavailable'],
  ['InternalFailure', 500, 'aws-unavailable'],
]

for (const [name, status, code] of FAILURES) {
  test(`${name} is ${code} for everything that is asked, never that it is missing`, async (t) => {
    const xml = `<Error><Code>${name}</Code><Message>${CANARY}</Message><RequestId>request-1</RequestId></Error>`
    const s3 = await awsThatFails(t, { xml, status })
    const other = await awsThatFails(t, { name, status, message: CANARY })
    const errors = await Promise.all(
      [
        allDatabases(cloudAt(t, other.url, 2)),
        cloudAt(t, other.url, 2).kubernetes('prod-1', SIGNAL),
        cloudAt(t, s3.url, 2).bucket('good', SIGNAL),
      ].map((question) => question.then(() => 'an answer').catch((thrown: unknown) => thrown)),
    )
    for (const error of errors) {
      t.match(error, { code, message: name })
      t.notMatch(everythingOf(error), CANARY)
    }
  })
}

test('a fault that passes is not noticed', async (t) => {
  const found = { cluster: { name: 'prod-1', status: 'ACTIVE', version: '1.33' } }
  const busy: AwsAnswer = { name: 'ThrottlingException', status: 429, message: CANARY }
  const aws = await awsThatFails(t, (call) => (call === 1 ? busy : { answer: found }))
  t.match(await cloudAt(t, aws.url).kubernetes('prod-1', SIGNAL), { status: 'ACTIVE' })
  t.equal(aws.calls(), 2)
})

test('pages are followed to their end', async (t) => {
  const page = (names: readonly string[], marker: string): string =>
    `<DescribeDBClustersResponse><DescribeDBClustersResult><DBClusters>${names
      .map((name) => `<DBCluster><DBClusterIdentifier>${name}</DBClusterIdentifier></DBCluster>`)
      .join('')}</DBClusters>${marker}</DescribeDBClustersResult></DescribeDBClustersResponse>`
  const none =
    '<DescribeDBInstancesResponse><DescribeDBInstancesResult><DBInstances/></DescribeDBInstancesResult></DescribeDBInstancesResponse>'
  const aws = await awsThatFails(t, (_call, _path, body) => {
    if (body.includes('DescribeDBInstances')) return { xml: none }
    return { xml: body.includes('Marker=next') ? page(['b'], '') : page(['a'], '<Marker>next</Marker>') }
  })
  const found = await allDatabases(cloudAt(t, aws.url))
  t.match(found, [
    { name: 'a', status: 'unknown', encrypted: false },
    { name: 'b', status: 'unknown', encrypted: false },
  ])
})
