import fc from 'fast-check'
import { test } from 'tap'
import {
  type Asker,
  type ChangeVerdict,
  decideChange,
  type ReviewKind,
} from '../../src/fleet/change-policy.ts'
import type { IntentChange } from '../../src/fleet/fleet.ts'
import { FleetIndex } from '../../src/fleet/fleet-index.ts'
import type { Cluster, Group, Installation, ReviewPolicy } from '../../src/fleet/intents.ts'
import { clusterPath, groupPath, installationPath } from '../../src/fleet/paths.ts'
import { sizeNames, sizeOf } from '../../src/fleet/sizes.ts'
import { requestDeletion, scheduleDeletion } from '../../src/fleet/transactions/installations/deletion.ts'
import { updateGroup } from '../../src/fleet/transactions/groups/groups.ts'
import { CREATED_AT, cluster, group, id, installation, settings } from '../support/intents.ts'

const ADA: Asker = { token: 'ada', role: 'writer' }
const ALL: ReviewPolicy = {
  deletions: true,
  sizeUps: true,
  groupVersions: true,
  clusterRemovals: true,
  moreThanInstallations: 2,
}
const ACME = installation('acme', 1, { placement: { cluster: 'prod' } })
const RING = group('ring', 50, { version: '11.1.0', sequence: 3 })
const PROD = cluster('prod', 60)

function fleetWith(members: number): FleetIndex {
  const fleet = new FleetIndex(settings())
  const placed = Array.from({ length: members }, (_, at) =>
    installation(`member-${at}`, 100 + at, {
      placement: { cluster: 'prod' },
      group: 'ring',
      groupSequence: 3,
    }),
  )
  fleet.apply([
    { path: clusterPath('prod'), before: undefined, after: PROD },
    { path: clusterPath('empty'), before: undefined, after: cluster('empty', 61) },
    { path: groupPath('ring'), before: undefined, after: RING },
    ...[ACME, ...placed].map((after) => ({ path: pathOf(after), before: undefined, after })),
  ])
  return fleet
}

function pathOf({ metadata, spec }: Installation): ReturnType<typeof installationPath> {
  return installationPath(spec.placement?.cluster ?? '', metadata.id)
}

function ofInstallation(spec: Partial<Installation['spec']>, before = ACME): IntentChange {
  return { path: pathOf(before), before, after: { ...before, spec: { ...before.spec, ...spec } } }
}

function ofGroup(spec: Partial<Group['spec']>): IntentChange {
  return { path: groupPath('ring'), before: RING, after: { ...RING, spec: { ...RING.spec, ...spec } } }
}

function ofCluster(before: Cluster, spec: Partial<Cluster['spec']>): IntentChange {
  const path = clusterPath(before.metadata.name)
  return { path, before, after: { ...before, spec: { ...before.spec, ...spec } } }
}

function kinds(verdict: ChangeVerdict): readonly ReviewKind[] {
  return verdict.way === 'direct' ? [] : verdict.reasons.map(({ kind }) => kind)
}

const LATER = '2026-12-01T00:00:00.000Z'
const SOONER = '2026-11-30T00:00:00.000Z'
const operation = (kind: Installation['spec']['operation']['kind']): Partial<Installation['spec']> => ({
  operation: { kind, generation: 2, requestedAt: CREATED_AT },
})
const GOING = ofInstallation({ ...operation('deletion-pending'), deletion: { pendingExpiresAt: LATER } })
const SCHEDULED = ofInstallation({ deletion: { scheduledAt: LATER } })
const asBefore = ({ after }: IntentChange): Installation => {
  if (after?.kind !== 'Installation') throw new Error('it is an installation')
  return after
}

const CASES: readonly (readonly [string, number, readonly IntentChange[], readonly ReviewKind[]])[] = [
  ['a deletion that waits', 0, [GOING], ['deletion']],
  ['a deletion at once', 0, [ofInstallation(operation('deletion'))], ['deletion']],
  ['a planned deletion', 0, [SCHEDULED], ['deletion']],
  [
    'an earlier plan',
    0,
    [ofInstallation({ deletion: { scheduledAt: SOONER } }, asBefore(SCHEDULED))],
    ['deletion'],
  ],
  ['a later plan', 0, [ofInstallation({ deletion: { scheduledAt: LATER } }, asBefore(SCHEDULED))], []],
  [
    'a pending deletion that comes sooner',
    0,
    [ofInstallation({ deletion: { pendingExpiresAt: SOONER } }, asBefore(GOING))],
    ['deletion'],
  ],
  ['a deletion asked for again', 0, [ofInstallation(operation('deletion'), asBefore(GOING))], []],
  ['a cancelled deletion', 0, [ofInstallation(operation('deletion-cancellation'), asBefore(GOING))], []],
  ['a larger size', 0, [ofInstallation({ size: '1000users' })], ['size-up']],
  ['a smaller size', 0, [ofInstallation({ size: 'miniSingleton' })], []],
  [
    'fewer replicas of larger pods',
    0,
    [ofInstallation({ size: '100users' }, asBefore(ofInstallation({ size: 'cloud10users' })))],
    ['size-up'],
  ],
  ['a new version of one installation', 0, [ofInstallation({ version: '11.3.0' })], []],
  ['a version of a group with members', 1, [ofGroup({ version: '11.3.0', sequence: 4 })], ['group-version']],
  ['an image of a group with members', 1, [ofGroup({ image: 'other', sequence: 4 })], ['group-version']],
  [
    'an environment of a group with members',
    1,
    [ofGroup({ env: { A: { value: 'b' } }, sequence: 4 })],
    ['group-version'],
  ],
  ['a version of a group without members', 0, [ofGroup({ version: '11.3.0', sequence: 4 })], []],
  ['a name of a group', 2, [ofGroup({ displayName: 'other' })], []],
  [
    'a group with more members than may be',
    3,
    [ofGroup({ version: '11.3.0', sequence: 4 })],
    ['group-version', 'more-than-installations'],
  ],
  ['a restart of more members than may be', 3, [ofGroup({ sequence: 4 })], ['more-than-installations']],
  ['a restart of as many as may be', 2, [ofGroup({ sequence: 4 })], []],
  [
    'a cluster that is to be deleted',
    0,
    [ofCluster(PROD, { operation: { kind: 'deletion', generation: 2, requestedAt: CREATED_AT } })],
    ['cluster-removal'],
  ],
  [
    'a document of a cluster that goes',
    0,
    [{ path: clusterPath('prod'), before: PROD, after: undefined }],
    ['cluster-removal'],
  ],
  [
    'other utilities for more installations than may be',
    2,
    [ofCluster(PROD, { operation: { kind: 'provisioning', generation: 2, requestedAt: CREATED_AT } })],
    ['more-than-installations'],
  ],
  ['a cluster that takes no new ones', 9, [ofCluster(PROD, { allowInstallations: false })], []],
  ['a new installation', 0, [{ path: pathOf(ACME), before: undefined, after: ACME }], []],
]

test('what has to be reviewed, and why', async (t) => {
  for (const [what, members, changes, expected] of CASES) {
    const fleet = fleetWith(members)
    t.same(kinds(decideChange({ review: ALL }, fleet, changes, ADA)), expected, what)
    t.same(kinds(decideChange({ review: {} }, fleet, changes, ADA)), [], `${what}, and nothing is reviewed`)
    t.same(kinds(decideChange(undefined, fleet, changes, ADA)), [], `${what}, without a policy`)
    t.same(
      kinds(decideChange({ review: { ...ALL, exempt: { tokens: ['ada'] } } }, fleet, changes, ADA)),
      [],
      `${what}, by an exempt token`,
    )
    t.same(
      kinds(decideChange({ review: { ...ALL, exempt: { roles: ['admin'] } } }, fleet, changes, ADA)),
      expected,
      `${what}, when others are exempt`,
    )
  }
})

test('what the API does is reviewed', async (t) => {
  const fleet = fleetWith(3)
  const context = {
    requestId: 'r',
    actor: { name: 'ada', email: 'ada@example.com' },
    now: Date.parse(CREATED_AT),
  }
  const stateOf = (): string => 'stable'
  const decide = (changes: readonly IntentChange[]): readonly ReviewKind[] =>
    kinds(decideChange({ review: ALL }, fleet, changes, ADA))
  t.same(decide(requestDeletion({ id: id(1), stateOf })(fleet, context).changes), ['deletion'])
  t.same(decide(scheduleDeletion({ id: id(1), at: Date.parse(LATER) })(fleet, context).changes), ['deletion'])
  const update = updateGroup({
    id: id(50),
    version: '11.9.0',
    forceSequenceUpdate: false,
    forceRestart: false,
  })
  t.same(decide(update(fleet, context).changes), ['group-version', 'more-than-installations'])
  const restart = updateGroup({ id: id(50), forceSequenceUpdate: false, forceRestart: true })
  t.same(decide(restart(fleet, context).changes), ['group-version', 'more-than-installations'])
})

const policies: fc.Arbitrary<ReviewPolicy> = fc.record(
  {
    deletions: fc.boolean(),
    sizeUps: fc.boolean(),
    groupVersions: fc.boolean(),
    clusterRemovals: fc.boolean(),
    moreThanInstallations: fc.integer({ min: 1, max: 5 }),
  },
  { requiredKeys: [] },
)
const someChanges = fc.subarray(CASES.flatMap(([, , changes]) => changes))

test('a stricter policy reviews no less, and one change more takes no reason away', async () => {
  const fleet = fleetWith(3)
  fc.assert(
    fc.property(policies, someChanges, fc.nat(), (review, changes, cut) => {
      const reasons = kinds(decideChange({ review }, fleet, changes, ADA))
      const stricter = kinds(
        decideChange(
          { review: { ...ALL, moreThanInstallations: review.moreThanInstallations ?? 1 } },
          fleet,
          changes,
          ADA,
        ),
      )
      const fewer = kinds(decideChange({ review }, fleet, changes.slice(0, cut % (changes.length + 1)), ADA))
      return reasons.every((kind) => stricter.includes(kind)) && fewer.every((kind) => reasons.includes(kind))
    }),
  )
})

test('a size is larger than another, or that one is larger, or both in different respects', async () => {
  const sizes = [
    ...sizeNames().filter((name) => sizeOf(name) !== undefined),
    'provisionerXL-2',
    'provisionerXL-9',
  ]
  const fleet = fleetWith(0)
  const grows = (from: string, to: string): boolean =>
    kinds(
      decideChange(
        { review: ALL },
        fleet,
        [ofInstallation({ size: to }, asBefore(ofInstallation({ size: from })))],
        ADA,
      ),
    ).includes('size-up')
  fc.assert(
    fc.property(fc.constantFrom(...sizes), fc.constantFrom(...sizes), (a, b) =>
      a === b
        ? !grows(a, b)
        : grows(a, b) || grows(b, a) || JSON.stringify(sizeOf(a)) === JSON.stringify(sizeOf(b)),
    ),
  )
})
