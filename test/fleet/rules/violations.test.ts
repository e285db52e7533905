import { test } from 'tap'
import { isFleetError } from '../../../src/fleet/errors.ts'
import type { IntentChange } from '../../../src/fleet/fleet.ts'
import { FleetIndex } from '../../../src/fleet/fleet-index.ts'
import type { FleetPath } from '../../../src/fleet/ids.ts'
import {
  API_VERSION,
  type Cluster,
  type Group,
  type Installation,
  type InstallationRequest,
  type InstallationSpec,
  type Intent,
  type SharedDatabase,
  type Tombstone,
} from '../../../src/fleet/intents.ts'
import {
  clusterPath,
  databasePath,
  FLEET_PATH,
  groupPath,
  installationPath,
  requestPath,
  tombstonePath,
} from '../../../src/fleet/paths.ts'
import { requestOf } from '../../../src/fleet/requests.ts'
import { refuseViolations, violationProblems } from '../../../src/fleet/rules/check.ts'
import { AWS, CREATED_AT, cluster, group, id, installation, settings } from '../../support/intents.ts'

const PROD = cluster('prod', 500, { vpc: 'vpc-1' }, ['eu'])
const CANARY = group('canary', 600, {
  version: '11.2.0',
  sequence: 2,
  previous: [{ sequence: 1, version: '11.1.0' }],
})
const SHARED: SharedDatabase = {
  apiVersion: API_VERSION,
  kind: 'SharedDatabase',
  metadata: { id: id(700), name: 'shared', createdAt: CREATED_AT },
  spec: {
    databaseKind: 'aws-multitenant-rds-postgres-pgbouncer',
    rdsClusterId: 'rds-1',
    vpc: 'vpc-1',
    writerEndpoint: 'writer.example.com',
    port: 5432,
    adminSecretKey: 'shared',
    logicalDatabases: [
      { id: id(701), name: 'cloud_one', createdAt: CREATED_AT },
      { id: id(702), name: 'cloud_gone', createdAt: CREATED_AT, deletedAt: CREATED_AT },
    ],
  },
}
const IN_SHARED = {
  kind: 'aws-multitenant-rds-postgres-pgbouncer' as const,
  shared: { database: 'shared', logicalDatabase: 'cloud_one', schema: 'id_1' },
}

function placed(name: string, number: number, spec: Partial<InstallationSpec> = {}): Installation {
  return installation(name, number, { placement: { cluster: 'prod' }, ...spec })
}

function annotated<Kind extends Installation | Cluster>(intent: Kind, annotations: readonly string[]): Kind {
  return { ...intent, metadata: { ...intent.metadata, annotations } }
}

const RED = annotated(placed('red', 1, { group: 'canary', groupSequence: 1, database: IN_SHARED }), ['eu'])
const LOCKED = placed('locked', 2, { apiLocked: true, deletionLocked: true })

function pathOf(intent: Intent): FleetPath {
  switch (intent.kind) {
    case 'Fleet':
      return FLEET_PATH
    case 'Cluster':
      return clusterPath(intent.metadata.name)
    case 'Group':
      return groupPath(intent.metadata.name)
    case 'SharedDatabase':
      return databasePath(intent.metadata.name)
    case 'Installation':
      return installationPath(intent.spec.placement?.cluster ?? '', intent.metadata.id)
    case 'InstallationRequest':
      return requestPath(intent.metadata.id ?? id(0))
    case 'Tombstone':
      return tombstonePath('prod', intent.metadata.id)
  }
}

function tombstone(of: Installation): Tombstone {
  return {
    apiVersion: API_VERSION,
    kind: 'Tombstone',
    metadata: of.metadata,
    spec: {
      actor: 'Ada',
      notBefore: CREATED_AT,
      keep: { database: true, filestore: true },
      installation: of,
    },
  }
}

/** A fleet with a bit of everything. */
function fleetWith(...more: readonly Intent[]): FleetIndex {
  const fleet = new FleetIndex(settings({ aws: AWS }))
  const all: readonly Intent[] = [PROD, CANARY, SHARED, RED, LOCKED, ...more]
  fleet.apply(all.map((after) => ({ path: pathOf(after), before: undefined, after })))
  return fleet
}

function coming(fleet: FleetIndex, after: Intent, path = pathOf(after)): IntentChange {
  return { path, before: fleet.intent(path), after }
}

function going(fleet: FleetIndex, path: FleetPath): IntentChange {
  return { path, before: fleet.intent(path), after: undefined }
}

interface Case {
  readonly rule: string
  readonly fleet?: FleetIndex
  readonly changes: (fleet: FleetIndex) => readonly IntentChange[]
  /** `code pointer: words of the detail` of every problem. */
  readonly wanted: readonly RegExp[]
  /** Only commits are held to it: through the API the lock is checked before. */
  readonly commitOnly?: boolean
}

function spec<Kind extends Installation | Cluster | Group | SharedDatabase>(
  intent: Kind,
  patch: Partial<Kind['spec']>,
): Kind {
  return { ...intent, spec: { ...intent.spec, ...patch } }
}

function request(name: string, patch: Partial<InstallationRequest['spec']> = {}): InstallationRequest {
  return {
    apiVersion: API_VERSION,
    kind: 'InstallationRequest',
    metadata: { name },
    spec: { owner: 'me', ...patch },
  }
}

const ASK = 'requests/ask.yaml' as FleetPath
const [RED_DNS] = RED.spec.dns

const NAMES: readonly Case[] = [
  {
    rule: 'an installation name exists once',
    changes: (f) => [coming(f, placed('RED', 9, { dns: placed('blue', 9).spec.dns }))],
    wanted: [/^name-taken \/metadata\/name: the name RED is in use/],
  },
  {
    rule: 'a DNS name exists once, without regard to case',
    changes: (f) => [
      coming(
        f,
        placed('blue', 9, {
          dns: [{ id: id(91), name: 'Red.Cloud.Example.com', primary: true, createdAt: CREATED_AT }],
        }),
      ),
    ],
    wanted: [
      /^dns-taken \/spec\/dns\/0: the DNS name Red\.Cloud\.Example\.com is in use by installation red/,
    ],
  },
  {
    rule: 'a DNS name stands once in one document',
    changes: (f) => [
      coming(
        f,
        placed('blue', 9, {
          dns: [
            { id: id(91), name: 'blue.example.com', primary: true, createdAt: CREATED_AT },
            { id: id(92), name: 'blue.example.com', createdAt: CREATED_AT },
          ],
        }),
      ),
    ],
    wanted: [/^dns-taken \/spec\/dns\/1: the DNS name blue\.example\.com is given twice/],
  },
  {
    rule: 'a deleted DNS name is free again',
    fleet: fleetWith(
      placed('old', 3, {
        dns: [
          { id: id(31), name: 'old.example.com', primary: true, createdAt: CREATED_AT },
          { id: id(32), name: 'free.example.com', createdAt: CREATED_AT, deletedAt: CREATED_AT },
        ],
      }),
    ),
    changes: (f) => [
      coming(
        f,
        placed('free', 9, {
          dns: [{ id: id(91), name: 'free.example.com', primary: true, createdAt: CREATED_AT }],
        }),
      ),
    ],
    wanted: [],
  },
  {
    rule: 'a request may not ask for a taken name',
    changes: (f) => [coming(f, request('red'), ASK)],
    wanted: [/^dns-taken \/metadata\/name/],
  },
  {
    rule: 'a request may not ask for a taken DNS name',
    changes: (f) => [coming(f, request('blue', { dns: ['b.example.com', 'red.cloud.example.com'] }), ASK)],
    wanted: [/^dns-taken \/spec\/dns\/1/],
  },
]

const IDENTITY: readonly Case[] = [
  {
    rule: 'exactly one DNS name is primary',
    changes: (f) => [
      coming(f, spec(RED, { dns: RED_DNS === undefined ? [] : [{ ...RED_DNS, primary: false }] })),
    ],
    wanted: [/^invalid-document \/spec\/dns: 0 DNS names have primary: true/],
  },
  {
    rule: 'one DNS name is left',
    changes: (f) => [
      coming(f, spec(RED, { dns: RED_DNS === undefined ? [] : [{ ...RED_DNS, deletedAt: CREATED_AT }] })),
    ],
    wanted: [/^invalid-document \/spec\/dns: no DNS name is left/],
  },
  {
    rule: 'ids inside an installation differ',
    changes: (f) => [
      coming(
        f,
        placed('blue', 9, {
          dns: [
            { id: id(91), name: 'blue.example.com', primary: true, createdAt: CREATED_AT },
            { id: id(91), name: 'azure.example.com', createdAt: CREATED_AT },
          ],
          clusterInstallations: [
            { id: id(95), cluster: 'prod', createdAt: CREATED_AT, active: true },
            { id: id(95), cluster: 'prod', createdAt: CREATED_AT, active: false },
          ],
        }),
      ),
    ],
    wanted: [/\/spec\/dns\/1\/id/, /\/spec\/clusterInstallations\/1\/id/],
  },
  {
    rule: 'an id never changes',
    changes: (f) => [
      coming(f, {
        ...CANARY,
        metadata: { ...CANARY.metadata, id: id(8), createdAt: '2020-01-01T00:00:00.000Z' },
      }),
    ],
    wanted: [/^invalid-document \/metadata\/id: id is .* but was/, /^invalid-document \/metadata\/createdAt/],
  },
  {
    rule: 'a copied installation is not a second one',
    fleet: fleetWith(cluster('other', 501, {}, ['eu'])),
    changes: (f) => [coming(f, annotated(spec(RED, { placement: { cluster: 'other' } }), []))],
    wanted: [/^invalid-document \/metadata\/id: the id \w+ belongs to clusters\/prod\/installations/],
  },
  {
    rule: 'a move is no copy',
    fleet: fleetWith(cluster('other', 501, {}, ['eu'])),
    changes: (f) => [going(f, pathOf(RED)), coming(f, spec(RED, { placement: { cluster: 'other' } }))],
    wanted: [],
  },
  {
    rule: 'two files that come together have different ids',
    fleet: fleetWith(cluster('other', 501)),
    changes: (f) => [
      coming(f, placed('one', 9)),
      coming(f, installation('one', 9, { placement: { cluster: 'other' } })),
    ],
    wanted: [/^invalid-document \/metadata\/id: the id \w+ belongs to clusters\/other/],
  },
  {
    rule: 'the id of a deleted installation is not used again',
    fleet: fleetWith(tombstone(placed('gone', 5))),
    changes: (f) => [coming(f, placed('again', 5))],
    wanted: [/^invalid-document \/metadata\/id: installation \w+ was deleted/],
  },
  {
    rule: 'an installation that is being deleted may still change',
    fleet: fleetWith(placed('going', 5), tombstone(placed('going', 5))),
    changes: (f) => [coming(f, placed('going', 5, { owner: 'other' }))],
    wanted: [],
  },
  {
    rule: 'a copied cluster, group or database is not a second one',
    changes: (f) => [
      coming(f, { ...PROD, metadata: { ...PROD.metadata, name: 'copy' } }),
      coming(f, { ...CANARY, metadata: { ...CANARY.metadata, name: 'copy' } }),
      coming(f, { ...SHARED, metadata: { ...SHARED.metadata, name: 'copy' } }),
    ],
    wanted: [/belongs to clusters\/prod/, /belongs to groups\/canary/, /belongs to databases\/shared/],
  },
]

const REFERENCES: readonly Case[] = [
  {
    rule: 'an installation in a cluster folder has a cluster',
    changes: (f) => [coming(f, installation('blue', 9), installationPath('prod', id(9)))],
    wanted: [/\/spec\/placement: an installation in a cluster folder needs/],
  },
  {
    rule: 'the folder is of the cluster',
    changes: (f) => [
      coming(f, installation('blue', 9, { placement: { cluster: 'else' } }), installationPath('prod', id(9))),
    ],
    wanted: [/\/spec\/placement\/cluster: the folder is not of cluster else/],
  },
  {
    rule: 'the cluster exists',
    changes: (f) => [coming(f, installation('blue', 9, { placement: { cluster: 'nowhere' } }))],
    wanted: [/\/spec\/placement\/cluster: there is no cluster nowhere/],
  },
  {
    rule: 'a cluster that comes in the same commit exists',
    changes: (f) => [
      coming(f, cluster('fresh', 502)),
      coming(f, installation('blue', 9, { placement: { cluster: 'fresh' } })),
    ],
    wanted: [],
  },
  {
    rule: 'a cluster that goes in the same commit does not exist',
    fleet: fleetWith(cluster('empty', 502)),
    changes: (f) => [
      going(f, clusterPath('empty')),
      coming(f, installation('blue', 9, { placement: { cluster: 'empty' } })),
    ],
    wanted: [/there is no cluster empty/],
  },
  {
    rule: 'a deleted cluster does not exist',
    fleet: fleetWith({
      ...cluster('dead', 502),
      metadata: { ...cluster('dead', 502).metadata, deletedAt: CREATED_AT },
    }),
    changes: (f) => [coming(f, installation('blue', 9, { placement: { cluster: 'dead' } }))],
    wanted: [/there is no cluster dead/],
  },
  {
    rule: 'annotations match the cluster',
    changes: (f) => [coming(f, annotated(placed('blue', 9), ['eu', 'gpu', 'ssd']))],
    wanted: [/\/metadata\/annotations: cluster prod lacks the annotation gpu, ssd/],
  },
  {
    rule: 'the group exists',
    changes: (f) => [coming(f, placed('blue', 9, { group: 'nobody' }))],
    wanted: [/\/spec\/group: there is no group nobody/],
  },
  {
    rule: 'the group knows the sequence',
    changes: (f) => [coming(f, placed('blue', 9, { group: 'canary', groupSequence: 7 }))],
    wanted: [/\/spec\/groupSequence: group canary has no configuration of sequence 7; write 2/],
  },
  {
    rule: 'a request names a group that exists',
    changes: (f) => [coming(f, request('blue', { group: 'nobody' }), ASK)],
    wanted: [/\/spec\/group: there is no group nobody/],
  },
  {
    rule: 'a shared database exists',
    changes: (f) => [
      coming(
        f,
        placed('blue', 9, { database: { ...IN_SHARED, shared: { ...IN_SHARED.shared, database: 'no' } } }),
      ),
    ],
    wanted: [/\/spec\/database\/shared\/database: there is no shared database no/],
  },
  {
    rule: 'a shared database is of the kind',
    changes: (f) => [
      coming(
        f,
        placed('blue', 9, {
          database: {
            kind: 'aws-multitenant-rds-postgres',
            shared: { database: 'shared', logicalDatabase: 'cloud_9' },
          },
        }),
      ),
    ],
    wanted: [
      /\/spec\/database\/shared\/database: shared is for aws-multitenant-rds-postgres-pgbouncer, not for/,
    ],
  },
  {
    rule: 'the logical database exists',
    changes: (f) => [
      coming(
        f,
        placed('blue', 9, {
          database: { ...IN_SHARED, shared: { ...IN_SHARED.shared, logicalDatabase: 'cloud_gone' } },
        }),
      ),
    ],
    wanted: [/\/spec\/database\/shared\/logicalDatabase: shared has no logical database cloud_gone/],
  },
  {
    rule: 'behind PgBouncer there is a schema',
    changes: (f) => [
      coming(
        f,
        placed('blue', 9, {
          database: { kind: IN_SHARED.kind, shared: { database: 'shared', logicalDatabase: 'cloud_one' } },
        }),
      ),
    ],
    wanted: [/\/spec\/database\/shared: a database behind PgBouncer needs shared\.schema/],
  },
  {
    rule: 'a shared kind says where',
    changes: (f) => [coming(f, placed('blue', 9, { database: { kind: 'aws-multitenant-rds-postgres' } }))],
    wanted: [/\/spec\/database: a database of kind aws-multitenant-rds-postgres needs shared/],
  },
  {
    rule: 'a database of its own is not shared',
    changes: (f) => [
      coming(f, placed('blue', 9, { database: { kind: 'cloudnative-pg', shared: IN_SHARED.shared } })),
    ],
    wanted: [/\/spec\/database\/shared: a database of kind cloudnative-pg is not shared/],
  },
]

const USE: readonly Case[] = [
  {
    rule: 'a cluster keeps the annotations that its installations need',
    changes: (f) => [coming(f, annotated(PROD, []))],
    wanted: [/^guarded \/metadata\/annotations: installation red on this cluster needs the annotation eu/],
  },
  {
    rule: 'a group does not change what its members run',
    changes: (f) => [coming(f, spec(CANARY, { previous: [{ sequence: 1, version: '11.1.5' }] }))],
    wanted: [/^guarded \/spec\/previous: members still run sequence 1/],
  },
  {
    rule: 'a group does not change all members at once',
    fleet: fleetWith(placed('blue', 9, { group: 'canary', groupSequence: 2 })),
    changes: (f) => [coming(f, spec(CANARY, { version: '11.3.0' }))],
    wanted: [/^guarded \/spec\/sequence: members run sequence 2, .* set sequence: 3/],
  },
  {
    rule: 'a group changes with its next sequence',
    changes: (f) => [
      coming(
        f,
        spec(CANARY, {
          version: '11.3.0',
          sequence: 3,
          previous: [
            { sequence: 1, version: '11.1.0' },
            { sequence: 2, version: '11.2.0' },
          ],
        }),
      ),
    ],
    wanted: [],
  },
  {
    rule: 'a logical database that is used stays',
    changes: (f) => [coming(f, spec(SHARED, { logicalDatabases: [] }))],
    wanted: [/^guarded \/spec\/logicalDatabases: 1 installations are in the logical database cloud_one/],
  },
  {
    rule: 'a shared database that is used stays what it is',
    changes: (f) => [coming(f, spec(SHARED, { vpc: 'vpc-2' }))],
    wanted: [/^guarded \/spec\/vpc: vpc was vpc-1/],
  },
  {
    rule: 'isolated and multitenant do not mix',
    changes: (f) => [coming(f, placed('blue', 9, { affinity: 'isolated' }))],
    wanted: [/^invalid-document \/spec\/affinity: cluster prod already has installations/],
  },
  {
    rule: 'nobody joins an isolated installation',
    fleet: fleetWith(
      cluster('alone', 503),
      installation('hermit', 6, { placement: { cluster: 'alone' }, affinity: 'isolated' }),
    ),
    changes: (f) => [coming(f, installation('blue', 9, { placement: { cluster: 'alone' } }))],
    wanted: [/^invalid-document \/spec\/affinity: cluster alone belongs to an isolated installation/],
  },
]

const COMPLETENESS: readonly Case[] = [
  {
    rule: 'the size is known',
    changes: (f) => [
      coming(f, placed('blue', 9, { size: '1000user' })),
      coming(f, request('x', { size: 'huge' }), ASK),
    ],
    wanted: [
      /\/spec\/size: there is no size 1000user; did you mean 1000users\?/,
      /\/spec\/size: there is no size huge/,
    ],
  },
  {
    rule: 'an external database names its secret',
    changes: (f) => [
      coming(f, placed('blue', 9, { database: { kind: 'external' } })),
      coming(f, request('x', { database: { kind: 'external' } }), ASK),
    ],
    wanted: [/\/spec\/database: an external database needs/, /\/spec\/database: an external database needs/],
  },
  ...(['aws-rds', 'aws-multitenant-rds', 'perseus', 'mysql-operator'] as const).map((kind) => ({
    rule: `a placed installation has a database that can be made, which ${kind} is not`,
    changes: (f: FleetIndex) => [coming(f, placed('blue', 9, { database: { kind } }))],
    wanted: [new RegExp(`/spec/database/kind: ${kind} cannot be provided`)],
  })),
  {
    rule: 'a placed installation has a file store that can be made',
    changes: (f) => [coming(f, placed('blue', 9, { filestore: { kind: 'minio-operator' } }))],
    wanted: [/\/spec\/filestore\/kind: minio-operator cannot be provided/],
  },
  {
    rule: 'what is on AWS needs the settings of AWS',
    changes: (f) => [coming(f, settings())],
    wanted: [/\/spec: installation red is on AWS; keep spec\.aws/],
  },
  {
    rule: 'settings are complete',
    changes: (f) => [
      coming(
        f,
        settings({
          aws: AWS,
          dns: { provider: 'route53', ttlSeconds: 60 },
          defaults: { ...settings().spec.defaults, size: 'tiny' },
          secretEnvNames: ['FINE_.*', '('],
        }),
      ),
    ],
    wanted: [/\/spec\/defaults\/size/, /\/spec\/dns: route53 needs zoneId/, /\/spec\/secretEnvNames\/1/],
  },
]

const REMOVAL: readonly Case[] = [
  {
    rule: 'an installation goes only with a tombstone',
    changes: (f) => [going(f, pathOf(RED))],
    wanted: [/^guarded : installation red was removed without a tombstone/],
  },
  {
    rule: 'a waiting installation too',
    fleet: fleetWith(requestOf(installation('late', 7), 'none fits')),
    changes: (f) => [going(f, requestPath(id(7)))],
    wanted: [/^guarded : installation late was removed without a tombstone/],
  },
  {
    rule: 'a request that nobody has acknowledged may be taken back',
    changes: () => [{ path: ASK, before: request('blue'), after: undefined }],
    wanted: [],
  },
  {
    rule: 'with a tombstone in the same commit it goes',
    changes: (f) => [going(f, pathOf(RED)), coming(f, tombstone(RED))],
    wanted: [],
  },
  {
    rule: 'with a tombstone of an earlier commit it goes',
    fleet: fleetWith(tombstone(RED)),
    changes: (f) => [going(f, pathOf(RED))],
    wanted: [],
  },
  {
    rule: 'not when its tombstone goes with it',
    fleet: fleetWith(tombstone(RED)),
    changes: (f) => [going(f, pathOf(RED)), going(f, pathOf(tombstone(RED)))],
    wanted: [/removed without a tombstone/, /^guarded : the tombstone of red is the record of a deletion/],
  },
  {
    rule: 'a deletion that was not carried out may be taken back',
    fleet: fleetWith(tombstone(RED)),
    changes: (f) => [going(f, pathOf(tombstone(RED)))],
    wanted: [],
  },
  {
    rule: 'a tombstone stays',
    fleet: fleetWith(tombstone(placed('gone', 5))),
    changes: (f) => [going(f, tombstonePath('prod', id(5)))],
    wanted: [/^guarded : the tombstone of gone is the record of a deletion/],
  },
  {
    rule: 'a lock against deletion holds against tombstones',
    fleet: fleetWith(placed('kept', 5, { deletionLocked: true })),
    changes: (f) => [coming(f, tombstone(placed('kept', 5)))],
    wanted: [/^deletion-locked : installation kept is locked against deletion/],
  },
  {
    rule: 'a lock against deletion holds against removal',
    fleet: fleetWith(placed('kept', 5, { deletionLocked: true }), tombstone(placed('kept', 5))),
    changes: (f) => [going(f, installationPath('prod', id(5)))],
    wanted: [/^deletion-locked : installation kept is locked against deletion/],
  },
  {
    rule: 'what is used stays',
    changes: (f) => [
      going(f, pathOf(PROD)),
      going(f, pathOf(CANARY)),
      going(f, pathOf(SHARED)),
      going(f, FLEET_PATH),
    ],
    wanted: [
      /^guarded : 2 installations use cluster prod/,
      /^guarded : 1 installation uses group canary/,
      /^guarded : 1 installation uses shared database shared/,
      /^guarded : fleet\.yaml cannot be removed/,
    ],
  },
  {
    rule: 'deletedAt deletes as much as removing the file',
    changes: (f) => [coming(f, { ...PROD, metadata: { ...PROD.metadata, deletedAt: CREATED_AT } })],
    wanted: [/^guarded \/metadata\/deletedAt: 2 installations use cluster prod/],
  },
  {
    rule: 'what is not used may go',
    fleet: fleetWith(cluster('empty', 502), group('empty', 602)),
    changes: (f) => [going(f, clusterPath('empty')), going(f, groupPath('empty'))],
    wanted: [],
  },
]

const LOCKS: readonly Case[] = [
  {
    rule: 'a locked installation does not change',
    changes: (f) => [coming(f, spec(LOCKED, { owner: 'thief' }))],
    wanted: [/^api-locked \/spec\/apiLocked: this installation is locked/],
    commitOnly: true,
  },
  {
    rule: 'not even together with taking the lock off',
    changes: (f) => [coming(f, spec(LOCKED, { owner: 'thief', apiLocked: false }))],
    wanted: [/^api-locked \/spec\/apiLocked/],
    commitOnly: true,
  },
  {
    rule: 'the lock itself may be taken off',
    changes: (f) => [coming(f, spec(LOCKED, { apiLocked: false }))],
    wanted: [],
  },
  {
    rule: 'a locked cluster and group do not change',
    fleet: fleetWith(cluster('shut', 504, { apiLocked: true }), group('shut', 604, { apiLocked: true })),
    changes: (f) => [
      coming(f, cluster('shut', 504, { apiLocked: true, allowInstallations: false })),
      going(f, groupPath('shut')),
    ],
    wanted: [/^api-locked .*this cluster is locked/, /^api-locked .*this group is locked/],
    commitOnly: true,
  },
]

const SECRETS: readonly Case[] = [
  {
    rule: 'a secret does not enter git',
    changes: (f) => [
      coming(
        f,
        placed('blue', 9, {
          env: {
            MM_SQLSETTINGS_DATASOURCE: { value: 'x' },
            URL: { value: 'postgres://user:password@host/db' },
          },
        }),
      ),
    ],
    wanted: [
      /^secret-in-git \/spec\/env\/URL\/value/,
      /^secret-in-git \/spec\/env\/MM_SQLSETTINGS_DATASOURCE/,
    ],
  },
]

for (const { rule, fleet = fleetWith(), changes, wanted, commitOnly = false } of [
  ...NAMES,
  ...IDENTITY,
  ...REFERENCES,
  ...USE,
  ...COMPLETENESS,
  ...REMOVAL,
  ...LOCKS,
  ...SECRETS,
]) {
  test(rule, async (t) => {
    const list = changes(fleet)
    const problems = violationProblems(fleet, list)
    const lines = problems.map(({ code, pointer, detail }) => `${code} ${pointer ?? ''}: ${detail}`)
    t.equal(lines.length, wanted.length, lines.join('\n'))
    for (const [at, line] of wanted.entries()) t.match(lines[at], line)
    for (const problem of problems) {
      t.ok(
        list.some(({ path }) => path === problem.path),
        'the file is one of those that changed',
      )
      t.match(problem.detail, /[;:]/, 'says what would be right')
    }
    const refused = refusalOf(fleet, list)
    if (wanted.length === 0 || commitOnly) t.equal(refused, undefined, 'as a transaction it goes in')
    else {
      t.equal(refused?.code, problems[0]?.code, 'as a transaction it is refused alike')
      t.equal(refused?.errors, problems.length)
    }
  })
}

function refusalOf(
  fleet: FleetIndex,
  changes: readonly IntentChange[],
): { readonly code: string; readonly errors: number } | undefined {
  try {
    refuseViolations(fleet, changes)
    return undefined
  } catch (error) {
    if (!isFleetError(error)) throw error
    return { code: error.code, errors: error.data.errors?.length ?? 0 }
  }
}
