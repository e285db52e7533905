import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { test } from 'tap'
import { parseAllDocuments } from 'yaml'
import { FleetIndex } from '../../src/fleet/fleet-index.ts'
import type { DatabaseIntent, FilestoreIntent, InstallationSpec } from '../../src/fleet/intents.ts'
import { clusterPath, databasePath, groupPath, installationPath } from '../../src/fleet/paths.ts'
import { emitDocument } from '../../src/fleet/yaml/emit.ts'
import { renderInstallation } from '../../src/render/installation/render-installation.ts'
import { CRD_FOLDER, createCrdCheck } from '../support/crds.ts'
import { AWS, CREATED_AT, cluster, group, id, installation, settings } from '../support/intents.ts'
import { SHARED } from '../support/random-installations.ts'
import { templateSets } from '../support/templates.ts'

const GOLDEN = join(import.meta.dirname, '../golden/installations')
const sets = templateSets()

const DATABASES: readonly DatabaseIntent[] = [
  { kind: 'cloudnative-pg' },
  { kind: 'external', externalSecretKey: 'databases/acme' },
  {
    kind: 'aws-rds-postgres',
    single: { primaryInstanceType: 'db.r6g.large', replicaInstanceType: 'db.t4g.medium', replicasCount: 1 },
  },
  {
    kind: 'aws-multitenant-rds-postgres',
    shared: { database: 'shared-1', logicalDatabase: `cloud_${id(1)}` },
  },
  {
    kind: 'aws-multitenant-rds-postgres-pgbouncer',
    shared: { database: 'shared-1', logicalDatabase: 'cloud_logical', schema: `id_${id(1)}` },
  },
]
const FILESTORES: readonly FilestoreIntent[] = [
  { kind: 'local-ephemeral' },
  { kind: 'aws-s3', bucket: `cloud-${id(1)}` },
  { kind: 'aws-multitenant-s3', bucket: 'shared', prefix: id(1) },
  { kind: 'bifrost', bucket: 'bifrost', prefix: id(1) },
]

function rendered(spec: Partial<InstallationSpec>, route53 = false): string {
  const dns = route53
    ? { provider: 'route53' as const, zoneId: 'Z012', ttlSeconds: 60 }
    : { provider: 'external-dns' as const, ttlSeconds: 60 }
  const fleet = new FleetIndex(settings({ aws: AWS, dns, internalIpRanges: ['10.0.0.0/8'] }))
  const acme = installation('acme', 1, {
    placement: { cluster: 'prod-1' },
    clusterInstallations: [{ id: id(9), cluster: 'prod-1', createdAt: CREATED_AT, active: true }],
    ...spec,
  })
  fleet.apply([
    {
      path: clusterPath('prod-1'),
      before: undefined,
      after: cluster(
        'prod-1',
        2,
        route53
          ? { ingress: { loadBalancerHostname: 'lb.example.com' } }
          : { oidcProvider: 'oidc.eks.us-east-1.amazonaws.com/id/ABC' },
      ),
    },
    {
      path: groupPath('canary'),
      before: undefined,
      after: group('canary', 3, {
        version: '11.3.0',
        env: { B: { value: 'group' }, C: { value: 'group' } },
        scheduling: { nodeSelector: { type: 'premium' } },
      }),
    },
    { path: databasePath('shared-1'), before: undefined, after: SHARED },
    { path: installationPath('prod-1', id(1)), before: undefined, after: acme },
  ])
  return renderInstallation(sets, fleet, acme).text ?? ''
}

const FULL: Partial<InstallationSpec> = {
  group: 'canary',
  groupSequence: 0,
  size: 'provisionerXL-6',
  licence: { key: 'licences/1' },
  env: {
    A: { value: 'own' },
    B: { value: 'own' },
    S: { secret: { key: 'env/1' } },
    MM_CLOUD_INSTALLATION_ID: { value: 'forged' },
  },
  priorityEnv: { C: { value: 'priority' } },
  command: ['mattermost', 'server'],
  allowedIpRanges: [
    { cidrBlock: '203.0.113.0/24', enabled: true },
    { cidrBlock: '198.51.100.0/24', enabled: false },
  ],
  volumes: {
    certs: {
      type: 'secret',
      mountPath: '/certs',
      readOnly: true,
      secret: { key: 'volumes/1' },
      backingSecret: 'installation-secret-certs',
    },
  },
  podProbeOverrides: { liveness: { periodSeconds: 20 } },
}

function cases(): readonly (readonly [string, string])[] {
  const combinations = DATABASES.flatMap((database) =>
    FILESTORES.map(
      (filestore) => [`${database.kind}--${filestore.kind}`, rendered({ database, filestore })] as const,
    ),
  )
  return [
    ...combinations,
    ['everything', rendered(FULL)],
    ['hibernated', rendered({ hibernated: true })],
    ['route53-without-oidc', rendered({ filestore: { kind: 'aws-s3', bucket: 'b' } }, true)],
  ]
}

test('every database with every file store renders as the golden file says', async (t) => {
  mkdirSync(GOLDEN, { recursive: true })
  for (const [name, text] of cases()) {
    const path = join(GOLDEN, `${name}.yaml`)
    if (process.env.GOLDEN === 'write') writeFileSync(path, text)
    t.equal(text, existsSync(path) ? readFileSync(path, 'utf8') : '', name)
  }
})

test('manifests are canonical: read and printed again they are the same text', async (t) => {
  for (const [name, text] of cases()) {
    const again = parseAllDocuments(text)
      .map((document) => emitDocument(document.toJS()))
      .join('---\n')
    t.equal(again, text, name)
  }
})

test('every document is valid against its real CRD', {
  skip: existsSync(CRD_FOLDER) ? false : '../shared/crds is not here',
}, async (t) => {
  const check = createCrdCheck()
  let checked = 0
  for (const [name, text] of cases()) {
    for (const document of parseAllDocuments(text)) {
      const value = document.toJS()
      const found = check(value)
      if (found === 'no CRD') {
        t.match(
          value.apiVersion,
          /^(v1|networking\.k8s\.io\/v1|policy\/v1|rbac\.authorization\.k8s\.io\/v1)$/,
          `${name}: ${value.kind} has no CRD`,
        )
        continue
      }
      checked += 1
      if (found !== 'valid') t.fail(`${name}: ${value.kind} ${value.metadata.name}: ${found}`)
    }
  }
  t.ok(checked > 100, `${checked} documents`)
})

test('the group wins over the installation, the priority variables over the group, the fixed ones over all', async (t) => {
  const mattermost = parseAllDocuments(rendered(FULL))
    .map((document) => document.toJS())
    .find(({ kind }) => kind === 'Mattermost')
  const env = Object.fromEntries(
    mattermost.spec.mattermostEnv.map((entry: { name: string; value?: string }) => [entry.name, entry.value]),
  )
  t.match(env, {
    A: 'own',
    B: 'group',
    C: 'priority',
    MM_CLOUD_INSTALLATION_ID: id(1),
    MM_CLOUD_GROUP_ID: id(3),
  })
  t.equal(mattermost.spec.version, '11.3.0')
  t.equal(mattermost.spec.replicas, 6)
  t.equal(mattermost.spec.size, undefined)
  t.equal(
    mattermost.spec.ingress.annotations['nginx.ingress.kubernetes.io/whitelist-source-range'],
    '203.0.113.0/24,10.0.0.0/8',
  )
})

test('hostile text stays text', async (t) => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (value, owner) => {
      const text = rendered({ owner, env: { HOSTILE: { value } }, command: [value] })
      const mattermost = parseAllDocuments(text)
        .map((document) => document.toJS())
        .find(({ kind }) => kind === 'Mattermost')
      const found = mattermost.spec.mattermostEnv.find((entry: { name: string }) => entry.name === 'HOSTILE')
      return found.value === value && mattermost.spec.podTemplate.command[0] === value
    }),
    { numRuns: 100 },
  )
  t.pass('100 random texts')
})

test('the order of keys in a document does not matter', async (t) => {
  const reversed = { C: { value: '3' }, B: { value: '2' }, A: { value: '1' } }
  const sorted = { A: { value: '1' }, B: { value: '2' }, C: { value: '3' } }
  t.equal(rendered({ env: reversed }), rendered({ env: sorted }))
})
