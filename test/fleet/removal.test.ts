/** The transactions of a deletion, by table, on a fleet in memory. */
import { type Test, test } from 'tap'
import { deletionHold, deletionLimit, keptData } from '../../src/fleet/deletion.ts'
import { FleetIndex } from '../../src/fleet/fleet-index.ts'
import type {
  DatabaseKind,
  FilestoreKind,
  Installation,
  InstallationSpec,
  Intent,
} from '../../src/fleet/intents.ts'
import { clusterPath, installationPath, manifestPath, tombstonePath } from '../../src/fleet/paths.ts'
import { violationProblems } from '../../src/fleet/rules/check.ts'
import { transact, type Transaction } from '../../src/fleet/transaction.ts'
import {
  cancelDeletion,
  expirePendingDeletion,
  requestDeletion,
} from '../../src/fleet/transactions/installations/deletion.ts'
import {
  beginRemoval,
  closeTombstone,
  emptyManifest,
  finishRemoval,
} from '../../src/fleet/transactions/installations/removal.ts'
import { createRenderChanges } from '../../src/render/render.ts'
import { AWS, CREATED_AT, cluster, id, installation, settings } from '../support/intents.ts'
import { templateSets } from '../support/templates.ts'

const NOW = Date.parse(CREATED_AT)
const HOUR = 3_600_000
const ACME = id(1)
const FOLDER = installationPath('prod-1', ACME)
const TOMBSTONE = tombstonePath('prod-1', ACME)
const render = createRenderChanges(templateSets())

function placed(number: number, spec: Partial<InstallationSpec> = {}): Installation {
  return installation(`acme-${number}`, number, {
    placement: { cluster: 'prod-1' },
    clusterInstallations: [
      { id: id(5_000_000 + number), cluster: 'prod-1', createdAt: CREATED_AT, active: true },
    ],
    ...spec,
  })
}

const DELETED: Partial<InstallationSpec> = {
  operation: { kind: 'deletion', generation: 3, requestedAt: CREATED_AT },
  deletion: { requestedBy: 'portal' },
}
const PENDING: Partial<InstallationSpec> = {
  operation: { kind: 'deletion-pending', generation: 2, requestedAt: CREATED_AT },
  deletion: { requestedBy: 'portal', pendingExpiresAt: CREATED_AT },
  hibernated: true,
}

function fleetWith(...installations: readonly Installation[]): FleetIndex {
  const fleet = new FleetIndex(settings())
  put(fleet, clusterPath('prod-1'), cluster('prod-1', 900))
  for (const one of installations) put(fleet, installationPath('prod-1', one.metadata.id), one)
  return fleet
}

function put(fleet: FleetIndex, path: Parameters<FleetIndex['intent']>[0], after: Intent): void {
  fleet.apply([{ path, before: fleet.intent(path), after }])
}

/** Carries a transaction out as the writer does. Returns the code of a refusal, or what files follow. */
function carryOut(
  fleet: FleetIndex,
  transaction: Transaction<Installation>,
  now = NOW,
): {
  readonly refused?: string
  readonly files: ReadonlyMap<string, string | undefined>
  readonly subject?: string
} {
  const context = { requestId: 'r', actor: { name: 'Fleetwright', email: 'f@example.com' }, now }
  const outcome = transact(fleet, transaction, context)
  if (outcome.refused !== undefined) return { refused: outcome.refused.code, files: new Map() }
  const { changes, text } = outcome.result
  const [problem] = violationProblems(fleet, changes)
  if (problem !== undefined) return { refused: problem.code, files: new Map() }
  fleet.apply(changes)
  return {
    subject: text.subject,
    files: new Map(render(fleet, changes).map(({ path, text: file }) => [path, file])),
  }
}

test('a deletion is three commits, and the tombstone stays', async (t) => {
  const fleet = fleetWith(placed(1, DELETED))
  const first = carryOut(fleet, beginRemoval({ id: ACME }))
  t.match(first.subject, /^Prepare the removal of installation acme-1 from prod-1$/)
  t.match(fleet.tombstone(ACME), {
    spec: { actor: 'portal', notBefore: CREATED_AT, keep: { database: true, filestore: false } },
  })
  t.match(first.files.get(manifestPath('prod-1', ACME)), /fleetwright\.dev\/leaving: "?true/)
  t.same(fleet.openTombstones().length, 1)

  const second = carryOut(fleet, emptyManifest({ id: ACME }), NOW + 1_000)
  const emptied = second.files.get(manifestPath('prod-1', ACME)) ?? ''
  t.notMatch(emptied, /kind: Mattermost/)
  t.match(emptied, /kind: Namespace[\s\S]*kind: Cluster/, 'the database is kept where it is')
  t.ok(fleet.installation(ACME), 'its intent is still there, so its state is')

  const third = carryOut(fleet, finishRemoval({ id: ACME }), NOW + 2_000)
  t.same([...third.files], [[manifestPath('prod-1', ACME), undefined]])
  t.equal(fleet.installation(ACME), undefined)
  t.equal(fleet.intent(FOLDER), undefined)
  t.match(fleet.tombstone(ACME), {
    spec: {
      emptiedAt: new Date(NOW + 1_000).toISOString(),
      removedAt: new Date(NOW + 2_000).toISOString(),
      installation: { spec: { clusterInstallations: [{ deletedAt: new Date(NOW + 2_000).toISOString() }] } },
    },
  })
  t.same(fleet.openTombstones(), [])
  t.equal(fleet.tombstoneByDeployment(id(5_000_001))?.metadata.id, ACME)
})

test('no step is taken twice or out of order', async (t) => {
  const steps = { beginRemoval, emptyManifest, finishRemoval } as const
  const refusals = (fleet: FleetIndex): readonly string[] =>
    Object.entries(steps)
      .filter(([, step]) => carryOut(fleet.clone(), step({ id: ACME })).refused === 'invalid-state')
      .map(([name]) => name)
  const fleet = fleetWith(placed(1, DELETED))
  t.same(refusals(fleet), ['emptyManifest', 'finishRemoval'])
  carryOut(fleet, beginRemoval({ id: ACME }))
  t.same(refusals(fleet), ['beginRemoval', 'finishRemoval'])
  carryOut(fleet, emptyManifest({ id: ACME }))
  t.same(refusals(fleet), ['beginRemoval', 'emptyManifest'])
  carryOut(fleet, finishRemoval({ id: ACME }))
  t.same(refusals(fleet), Object.keys(steps))
  t.same(refusals(fleetWith(placed(1))), Object.keys(steps), 'nor without a request')
})

test('a lock holds before every step that destroys', async (t) => {
  for (const [lock, code] of [
    [{ deletionLocked: true }, 'deletion-locked'],
    [{ apiLocked: true }, 'api-locked'],
  ] as const) {
    const stateOf = (): string => 'deletion-pending'
    const expired = fleetWith(placed(1, { ...PENDING, ...lock }))
    t.equal(carryOut(expired, expirePendingDeletion({ id: ACME, stateOf })).refused, code)
    t.equal(carryOut(fleetWith(placed(1, { ...DELETED, ...lock })), beginRemoval({ id: ACME })).refused, code)
    const fleet = fleetWith(placed(1, DELETED))
    carryOut(fleet, beginRemoval({ id: ACME }))
    put(fleet, FOLDER, placed(1, { ...DELETED, ...lock }))
    t.equal(carryOut(fleet, emptyManifest({ id: ACME })).refused, code)
  }
})

test('a pending deletion begins when its time is up, and not before', async (t) => {
  const pending = fleetWith(placed(1, PENDING))
  const expire = expirePendingDeletion({ id: ACME, stateOf: () => 'deletion-pending' })
  t.equal(carryOut(pending, expire, NOW - 1).refused, 'invalid-state')
  t.equal(carryOut(pending, expire, NOW).refused, undefined)
  t.match(pending.installation(ACME)?.spec, { operation: { kind: 'deletion', generation: 3 } })
  const asleep = fleetWith(placed(1, PENDING))
  const early = expirePendingDeletion({ id: ACME, stateOf: () => 'deletion-pending-in-progress' })
  t.equal(carryOut(asleep, early).refused, 'invalid-state', 'nor while its pods still run')
})

test('it can be taken back until the manifest is emptied', async (t) => {
  const fleet = fleetWith(placed(1, PENDING))
  const stateOf = (): string => 'deletion-in-progress'
  carryOut(fleet, expirePendingDeletion({ id: ACME, stateOf: () => 'deletion-pending' }))
  carryOut(fleet, beginRemoval({ id: ACME }))
  const late = fleet.clone()
  const { files, refused } = carryOut(fleet, cancelDeletion({ id: ACME, stateOf }))
  t.equal(refused, undefined)
  t.equal(fleet.tombstone(ACME), undefined, 'its tombstone goes')
  t.match(files.get(manifestPath('prod-1', ACME)), /prune: disabled/, 'it is protected again')
  t.notMatch(files.get(manifestPath('prod-1', ACME)), /fleetwright\.dev\/leaving/)
  carryOut(late, emptyManifest({ id: ACME }))
  t.equal(carryOut(late, cancelDeletion({ id: ACME, stateOf })).refused, 'invalid-state')
})

test('one that never ran cannot be taken back: it was never pending', async (t) => {
  const fleet = fleetWith(placed(1))
  carryOut(fleet, requestDeletion({ id: ACME, stateOf: () => 'creation-failed' }))
  t.match(fleet.installation(ACME)?.spec, {
    operation: { kind: 'deletion' },
    deletion: { requestedBy: 'Fleetwright' },
  })
  const cancel = cancelDeletion({ id: ACME, stateOf: () => 'deletion-requested' })
  t.equal(carryOut(fleet, cancel).refused, 'invalid-state')
})

test('what a person removed by a commit is only closed', async (t) => {
  const fleet = fleetWith(placed(1, DELETED))
  carryOut(fleet, beginRemoval({ id: ACME }))
  t.equal(carryOut(fleet, closeTombstone({ id: ACME })).refused, 'invalid-state', 'not while it is there')
  fleet.apply([{ path: FOLDER, before: fleet.intent(FOLDER), after: undefined }])
  t.equal(carryOut(fleet, closeTombstone({ id: ACME })).refused, undefined)
  t.match(fleet.intent(TOMBSTONE), { spec: { removedAt: CREATED_AT } })
})

const KEPT: readonly (readonly [DatabaseKind, FilestoreKind, boolean, boolean, boolean])[] = [
  // database, file store, fleet keeps both: database kept, files kept
  ['aws-rds-postgres', 'aws-s3', true, true, true],
  ['aws-rds-postgres', 'aws-s3', false, false, false],
  ['cloudnative-pg', 'local-ephemeral', true, true, false],
  ['cloudnative-pg', 'local-ephemeral', false, false, false],
  ['external', 'bifrost', false, true, true],
  ['aws-multitenant-rds-postgres', 'aws-multitenant-s3', false, false, true],
]

test('what is kept: as the fleet says where it can, as it is where it cannot', async (t) => {
  for (const [database, filestore, keep, keepsDatabase, keepsFiles] of KEPT) {
    const { spec } = settings({ deletion: { pendingSeconds: 1, keepDatabase: keep, keepFilestore: keep } })
    const one = placed(1, { database: { kind: database }, filestore: { kind: filestore } })
    t.same(
      keptData(spec, one),
      { database: keepsDatabase, filestore: keepsFiles },
      `${database} ${filestore} ${keep}`,
    )
  }
})

test('a cluster loses five installations an hour, or one in a hundred', async (t) => {
  for (const [installations, most] of [
    [10, 5],
    [500, 5],
    [699, 6],
    [700, 7],
  ] as const) {
    const many = Array.from({ length: installations }, (_, at) => placed(at + 1, DELETED))
    const fleet = fleetWith(...many)
    const results = many.slice(0, most + 2).map((one) => carryOut(fleet, beginRemoval(one.metadata)).refused)
    t.equal(results.filter((refused) => refused === undefined).length, most, `${installations}`)
    t.same(results.slice(most), ['guarded', 'guarded'])
    t.match(deletionLimit(fleet, 'prod-1', NOW), { most, begun: most, nextAt: NOW + HOUR })
    const waiting = many[most]
    if (waiting === undefined) throw new Error('too few')
    t.match(deletionHold(fleet, waiting, NOW)?.detail, /deletionLimitLiftedUntil/)
    t.equal(carryOut(fleet, beginRemoval(waiting.metadata), NOW + HOUR - 1).refused, 'guarded')
    t.equal(carryOut(fleet.clone(), beginRemoval(waiting.metadata), NOW + HOUR).refused, undefined)
    liftLimit(fleet, NOW + 1)
    t.equal(carryOut(fleet.clone(), beginRemoval(waiting.metadata)).refused, undefined, 'the second key')
    t.equal(carryOut(fleet, beginRemoval(waiting.metadata), NOW + 1).refused, 'guarded', 'which ends')
  }
})

function liftLimit(fleet: FleetIndex, until: number): void {
  const deletionLimitLiftedUntil = new Date(until).toISOString()
  put(fleet, clusterPath('prod-1'), cluster('prod-1', 900, { deletionLimitLiftedUntil }))
}

test('manifests say what goes: guards and rights follow from what is kept', async (t) => {
  rendersFor(t, true, {
    leaves: [/managementPolicies/],
    lacks: [/- Delete$/m, /forceDestroy: true/, /prune: disabled/],
  })
  rendersFor(t, false, {
    leaves: [/- Delete$/m, /forceDestroy: true/, /deletionProtection: false/],
    lacks: [/prune: disabled/, /Prune=false/],
  })
})

function rendersFor(
  t: Test,
  keep: boolean,
  expected: { readonly leaves: readonly RegExp[]; readonly lacks: readonly RegExp[] },
): void {
  const fleet = new FleetIndex(
    settings({ aws: AWS, deletion: { pendingSeconds: 1, keepDatabase: keep, keepFilestore: keep } }),
  )
  put(fleet, clusterPath('prod-1'), cluster('prod-1', 900))
  const data = { database: { kind: 'aws-rds-postgres' }, filestore: { kind: 'aws-s3' } } as const
  put(fleet, FOLDER, placed(1, { ...DELETED, ...data }))
  const leaving = carryOut(fleet, beginRemoval({ id: ACME })).files.get(manifestPath('prod-1', ACME)) ?? ''
  for (const pattern of expected.leaves) t.match(leaving, pattern)
  for (const pattern of expected.lacks) t.notMatch(leaving, pattern)
  const emptied = carryOut(fleet, emptyManifest({ id: ACME })).files.get(manifestPath('prod-1', ACME)) ?? ''
  t.match(emptied, /hook: Skip/)
  t.equal(emptied.match(/^kind:/gm)?.length, 1, 'nothing but what no engine applies')
}
