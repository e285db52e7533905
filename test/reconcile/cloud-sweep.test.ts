import { type Test, test } from 'tap'
import { FleetError } from '../../src/fleet/errors.ts'
import { FleetIndex } from '../../src/fleet/fleet-index.ts'
import type { Id } from '../../src/fleet/ids.ts'
import type { InstallationSpec } from '../../src/fleet/intents.ts'
import type { DatabaseFacts } from '../../src/fleet/observed/cloud.ts'
import { clusterPath, installationPath } from '../../src/fleet/paths.ts'
import type { Cloud } from '../../src/ports/cloud.ts'
import { type CloudPass, type CloudSweep, startCloudSweep } from '../../src/reconcile/cloud-sweep.ts'
import { systemClock } from '../../src/system/clock.ts'
import { AWS, cluster, id, installation, settings } from '../support/intents.ts'
import { until } from '../support/until.ts'

const OWN: Partial<InstallationSpec> = {
  database: { kind: 'aws-rds-postgres' },
  filestore: { kind: 'aws-s3' },
  placement: { cluster: 'prod-1' },
}
const GOOD = {
  status: 'available',
  version: '16.4',
  encrypted: true,
  deletionProtection: true,
  public: false,
}
const NO = new FleetError('aws-refused', 'AWS refuses rds:DescribeDBClusters')

interface World {
  readonly sweep: CloudSweep
  readonly fleet: FleetIndex
  readonly told: Id[]
  /** What each pass found out. */
  readonly passes: CloudPass[]
  /** Calls by what was asked. */
  readonly calls: string[]
  pages: () => AsyncIterable<readonly DatabaseFacts[]>
  bucket: Cloud['bucket']
}

function database(number: number, facts: Partial<DatabaseFacts> = {}): DatabaseFacts {
  return { name: `cloud-${id(number)}`, ...GOOD, ...facts }
}

async function* pagesOf(
  ...pages: readonly (readonly DatabaseFacts[])[]
): AsyncIterable<readonly DatabaseFacts[]> {
  yield* pages
}

function start(t: Test, withAws = true): World {
  const fleet = new FleetIndex(settings(withAws ? { aws: AWS } : {}))
  fleet.apply([
    {
      path: clusterPath('prod-1'),
      before: undefined,
      after: cluster('prod-1', 500, { provider: 'aws', provisioner: 'eks' }),
    },
    ...[1, 2].map((number) => ({
      path: installationPath('prod-1', id(number)),
      before: undefined,
      after: installation(`acme-${number}`, number, OWN),
    })),
  ])
  const calls: string[] = []
  const world = {
    fleet,
    calls,
    told: [] as Id[],
    passes: [] as CloudPass[],
    pages: () => pagesOf([database(1)], [database(2), database(77)]),
    bucket: async () => ({ encrypted: true, publicAccessBlocked: true, versioned: true }),
  } as unknown as World
  const sweep = startCloudSweep({
    writer: { fleet },
    open: () => ({
      databases: () => {
        calls.push('databases')
        return world.pages()
      },
      bucket: (name, signal) => {
        calls.push(`bucket ${name}`)
        return world.bucket(name, signal)
      },
      async kubernetes(name) {
        calls.push(`kubernetes ${name}`)
        return { status: 'ACTIVE', version: '1.33', issues: [] }
      },
      close: () => calls.push('close'),
    }),
    clock: systemClock,
    intervalMilliseconds: 20,
    onPass: (_seconds, pass) => void world.passes.push(pass),
    onChange: (changed) => void world.told.push(changed),
    onError: (error) => t.fail(String(error)),
  })
  t.teardown(() => sweep.close())
  return Object.assign(world, { sweep })
}

async function seen(world: World, number: number): Promise<readonly string[]> {
  const one = world.fleet.installation(id(number))
  if (one === undefined) throw new Error('there is no such installation')
  return world.sweep.ofInstallation(one).map(({ kind, report }) => `${kind}: ${report.health}`)
}

const becomes = (world: World, number: number, ...wanted: readonly string[]): Promise<readonly string[]> =>
  until(
    () => seen(world, number),
    (found) => JSON.stringify(found) === JSON.stringify(wanted),
  )

test('what AWS says is known of each installation and cluster, and told once', async (t) => {
  const world = start(t)
  await becomes(world, 2, 'AWS RDS cluster: healthy', 'AWS S3 bucket: healthy')
  await until(
    async () => world.calls.length,
    (count) => count > 12,
  )
  t.same(world.passes[0], { known: 5, unknown: 0 }, 'two databases, two buckets, one cluster')
  const prod = world.fleet.cluster('prod-1')
  t.match(prod === undefined ? [] : world.sweep.ofCluster(prod), [
    { kind: 'AWS EKS cluster', name: 'prod-1', report: { health: 'healthy' } },
  ])
  t.same(world.told.sort(), [id(1), id(1), id(2), id(2)].sort(), 'once for each thing, not for each look')
  t.same(world.calls.slice(0, 4), [
    'databases',
    `bucket cloud-${id(1)}`,
    `bucket cloud-${id(2)}`,
    'kubernetes prod-1',
  ])
})

test('a complete list without it: missing; a list that breaks off: unknown, and what was seen counts', async (t) => {
  const world = start(t)
  world.pages = () => pagesOf([database(1)])
  await becomes(world, 2, 'AWS RDS cluster: missing', 'AWS S3 bucket: healthy')
  world.pages = async function* () {
    yield [database(1, { encrypted: false })]
    throw NO
  }
  await becomes(world, 2, 'AWS RDS cluster: unknown', 'AWS S3 bucket: healthy')
  await becomes(world, 1, 'AWS RDS cluster: degraded', 'AWS S3 bucket: healthy')
  await until(
    async () => world.passes.at(-1),
    (pass) => pass?.unknown === 1,
  )
})

test('a bucket that cannot be asked is unknown, one that is not there is missing; others are asked all the same', async (t) => {
  const world = start(t)
  const fine = { encrypted: true, publicAccessBlocked: false, versioned: true }
  world.bucket = async (name) => {
    if (name.endsWith(id(1))) throw new FleetError('aws-unavailable', 'AWS does not answer')
    return fine
  }
  await becomes(world, 1, 'AWS RDS cluster: healthy', 'AWS S3 bucket: unknown')
  await becomes(world, 2, 'AWS RDS cluster: healthy', 'AWS S3 bucket: degraded')
  world.bucket = async () => undefined
  await becomes(world, 1, 'AWS RDS cluster: healthy', 'AWS S3 bucket: missing')
})

test('a fleet without AWS asks nothing', async (t) => {
  const world = start(t, false)
  await new Promise((resolve) => setTimeout(resolve, 80))
  t.same(world.calls, [])
})
