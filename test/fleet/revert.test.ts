import fc from 'fast-check'
import { test } from 'tap'
import { FleetIndex } from '../../src/fleet/fleet-index.ts'
import type { ObjectId } from '../../src/fleet/ids.ts'
import type { Group, GroupConfiguration, Installation, InstallationSpec } from '../../src/fleet/intents.ts'
import { clusterPath, groupPath, installationPath } from '../../src/fleet/paths.ts'
import { refuseViolations } from '../../src/fleet/rules/check.ts'
import { type Outcome, transact } from '../../src/fleet/transaction.ts'
import { revertGroup } from '../../src/fleet/transactions/revert/group.ts'
import { type Reverted, revertInstallation } from '../../src/fleet/transactions/revert/installation.ts'
import { requestContext } from '../support/git-writer.ts'
import { cluster, group, id, installation, settings } from '../support/intents.ts'

const COMMIT = 'c'.repeat(40) as ObjectId
const BASE: Partial<InstallationSpec> = {
  placement: { cluster: 'prod-1' },
  env: { A: { value: '1' }, B: { value: '2' } },
  allowedIpRanges: [{ cidrBlock: '10.0.0.0/8', enabled: true }],
}

function acme(spec: Partial<InstallationSpec> = {}): Installation {
  return installation('acme', 1, { ...BASE, ...spec })
}

function fleetWith(present: Installation, ...groups: readonly Group[]): FleetIndex {
  const fleet = new FleetIndex(settings())
  fleet.apply([
    { path: clusterPath('prod-1'), before: undefined, after: cluster('prod-1', 900) },
    { path: installationPath('prod-1', present.metadata.id), before: undefined, after: present },
    ...groups.map((after) => ({ path: groupPath(after.metadata.name), before: undefined, after })),
  ])
  return fleet
}

interface Case {
  readonly was: Installation | undefined
  readonly did: Installation | undefined
  readonly now: Installation
  readonly state?: string
}

function revert({ was, did, now, state = 'stable' }: Case, ...groups: readonly Group[]): Outcome<Reverted> {
  const fleet = fleetWith(now, ...groups)
  const effect = { id: id(1), commit: COMMIT, subject: 'Update installation acme', was, did }
  const outcome = transact(
    fleet,
    revertInstallation(effect, () => state),
    requestContext(1),
  )
  if (outcome.refused === undefined) refuseViolations(fleet, outcome.result.changes)
  return outcome
}

function revertedSpec(outcome: Outcome<Reverted>): InstallationSpec {
  if (outcome.refused !== undefined) throw outcome.refused
  const after = outcome.result.changes[0]?.after
  if (after?.kind !== 'Installation') throw new Error('nothing changed')
  return after.spec
}

test('what a commit changed goes back, and the installation is updated to it', async (t) => {
  const did = acme({ version: '12.0.0', env: { A: { value: 'new' }, B: { value: '2' }, C: { value: '3' } } })
  const outcome = revert({ was: acme(), did, now: did })
  const spec = revertedSpec(outcome)
  t.equal(spec.version, '11.2.0')
  t.same(spec.env, BASE.env)
  t.match(spec.operation, { kind: 'update', generation: 2 })
  if (outcome.refused !== undefined) return
  t.match(outcome.result.text, {
    subject: 'Revert "Update installation acme" for installation acme',
    body: 'Version: 12.0.0 → 11.2.0\nEnvironment: A, -C',
    trailers: { Installation: id(1), Reverts: COMMIT },
  })
})

test('what others changed since stays', async (t) => {
  const did = acme({
    version: '12.0.0',
    env: { A: { value: 'new' } },
    allowedIpRanges: [
      { cidrBlock: '10.0.0.0/8', enabled: false },
      { cidrBlock: '192.0.2.0/24', enabled: true },
    ],
  })
  const now = acme({
    ...did.spec,
    size: '1000users',
    env: { A: { value: 'new' }, D: { value: '4' } },
    allowedIpRanges: [...(did.spec.allowedIpRanges ?? []), { cidrBlock: '198.51.100.0/24', enabled: true }],
  })
  const spec = revertedSpec(revert({ was: acme(), did, now }))
  t.equal(spec.version, '11.2.0')
  t.equal(spec.size, '1000users')
  t.same(spec.env, { A: { value: '1' }, B: { value: '2' }, D: { value: '4' } })
  t.same(spec.allowedIpRanges, [
    { cidrBlock: '10.0.0.0/8', enabled: true },
    { cidrBlock: '198.51.100.0/24', enabled: true },
  ])
})

test('what is undone already is no change, and what is left of it is', async (t) => {
  const did = acme({ version: '12.0.0', size: '1000users' })
  const outcome = revert({ was: acme(), did, now: acme() })
  t.match(outcome, { result: { changes: [], value: { changed: false } } })
  const spec = revertedSpec(revert({ was: acme(), did, now: acme({ size: '1000users' }) }))
  t.equal(spec.size, '100users')
})

const SECRET = { secret: { key: `installations/${id(1)}/env-a-123456789012` } }
const REFUSALS: readonly (readonly [string, Case, object])[] = [
  [
    'a field that was changed again',
    { was: acme(), did: acme({ version: '12.0.0' }), now: acme({ version: '13.0.0' }) },
    { code: 'revert-conflict', data: { errors: [{ pointer: '/spec/version' }] } },
  ],
  [
    'every entry that was changed again, not only the first',
    {
      was: acme(),
      did: acme({ env: { A: { value: 'x' }, B: { value: 'y' } } }),
      now: acme({ env: { A: SECRET } }),
    },
    {
      code: 'revert-conflict',
      data: { errors: [{ pointer: '/spec/env/A' }, { pointer: '/spec/env/B' }] },
    },
  ],
  [
    'a creation',
    { was: undefined, did: acme(), now: acme() },
    { code: 'revert-conflict', message: /delete it instead/ },
  ],
  [
    'a removal',
    { was: acme(), did: undefined, now: acme() },
    { code: 'revert-conflict', message: /not undone by a revert/ },
  ],
  [
    'a move',
    {
      was: acme({ placement: { cluster: 'prod-2' } }),
      did: acme(),
      now: acme(),
    },
    { code: 'revert-conflict', message: /move the installation/ },
  ],
  [
    'hibernation',
    { was: acme(), did: acme({ hibernated: true }), now: acme({ hibernated: true }) },
    { code: 'revert-conflict', message: /wake it up/ },
  ],
  [
    'a migration of data',
    { was: acme(), did: acme({ filestore: { kind: 'bifrost' } }), now: acme() },
    { code: 'revert-conflict', message: /data does not move/ },
  ],
  [
    'a lock',
    { was: acme(), did: acme({ apiLocked: true }), now: acme() },
    { code: 'revert-conflict', message: /a lock only/ },
  ],
  [
    'anything while the installation is locked',
    { was: acme(), did: acme({ version: '12.0.0' }), now: acme({ version: '12.0.0', apiLocked: true }) },
    { code: 'api-locked' },
  ],
  [
    'an update in a state that does not allow one',
    {
      was: acme(),
      did: acme({ version: '12.0.0' }),
      now: acme({ version: '12.0.0' }),
      state: 'hibernating',
    },
    { code: 'invalid-state', message: /hibernating/ },
  ],
  [
    'a sequence that the group does not keep any more',
    {
      was: acme({ group: 'ring-1', groupSequence: 1 }),
      did: acme({ group: 'ring-1', groupSequence: 2 }),
      now: acme({ group: 'ring-1', groupSequence: 2 }),
    },
    { code: 'revert-conflict', message: /sequence 1/ },
  ],
]

for (const [name, given, refusal] of REFUSALS) {
  test(`refused: ${name}`, async (t) => {
    t.match(revert(given, group('ring-1', 50, { sequence: 2 })), { refused: refusal })
  })
}

test('rules still hold: a DNS name that somebody took meanwhile', async (t) => {
  const name = { id: id(77), name: 'other.example.com', createdAt: acme().metadata.createdAt }
  const was = acme({ dns: [...acme().spec.dns, name] })
  const fleet = fleetWith(acme())
  const other = installation('other', 2, {
    placement: { cluster: 'prod-1' },
    dns: [{ ...name, primary: true }],
  })
  fleet.apply([{ path: installationPath('prod-1', id(2)), before: undefined, after: other }])
  const effect = { id: id(1), commit: COMMIT, subject: 'Delete DNS name', was, did: acme() }
  const outcome = transact(
    fleet,
    revertInstallation(effect, () => 'stable'),
    requestContext(1),
  )
  if (outcome.refused !== undefined) throw outcome.refused
  t.throws(() => refuseViolations(fleet, outcome.result.changes), { code: 'dns-taken' })
})

test('annotations and membership go back in any state, without an update', async (t) => {
  const ring = group('ring-1', 50)
  const did = { ...acme({ group: 'ring-1' }), metadata: { ...acme().metadata, annotations: ['a'] } }
  const outcome = revert({ was: acme(), did, now: did, state: 'creation-in-progress' }, ring)
  const spec = revertedSpec(outcome)
  t.equal(spec.group, undefined)
  t.equal(spec.operation.kind, 'creation')
})

const env = fc.dictionary(
  fc.constantFrom('A', 'B', 'C', 'D'),
  fc.string().map((value) => ({ value })),
  { minKeys: 1 },
)
const spec = fc.record({
  version: fc.constantFrom('1', '2', '3'),
  size: fc.constantFrom('100users', '1000users'),
  env,
  command: fc.array(fc.string(), { minLength: 1 }),
})

test('reverting the last commit gives back what was there before it, whatever it changed', async (t) => {
  fc.assert(
    fc.property(spec, spec, (was, did) => {
      const outcome = revert({ was: acme(was), did: acme(did), now: acme(did) })
      if (outcome.refused !== undefined) throw outcome.refused
      const after = outcome.result.changes[0]?.after ?? acme(did)
      const { operation: _, ...found } = after.spec as InstallationSpec
      const { operation: __, ...wanted } = acme(was).spec
      t.same(found, wanted)
    }),
  )
})

test('no revert changes an entry that the commit did not change', async (t) => {
  fc.assert(
    fc.property(env, env, env, (was, did, now) => {
      const outcome = revert({ was: acme({ env: was }), did: acme({ env: did }), now: acme({ env: now }) })
      if (outcome.refused !== undefined) return
      const after = outcome.result.changes[0]?.after
      const found = after?.kind === 'Installation' ? (after.spec.env ?? {}) : now
      for (const name of ['A', 'B', 'C', 'D'])
        if (JSON.stringify(was[name]) === JSON.stringify(did[name])) t.same(found[name], now[name])
        else t.same(found[name], was[name])
    }),
  )
})

function ring(spec: Partial<Group['spec']>, deletedAt?: string): Group {
  const made = group('ring-1', 50, spec)
  return deletedAt === undefined ? made : { ...made, metadata: { ...made.metadata, deletedAt } }
}

function revertRing(was: Group, did: Group, now: Group, ...others: readonly Group[]): Outcome<Reverted> {
  const member = acme({ group: 'ring-1', groupSequence: 3 })
  const effect = { id: id(50), commit: COMMIT, subject: 'Update group ring-1', was, did }
  return transact(fleetWith(member, now, ...others), revertGroup(effect), requestContext(1))
}

test("a group's configuration comes back under a new sequence, and members keep what they run", async (t) => {
  const old: GroupConfiguration = { version: '11.0.0' }
  const did = ring({ version: '12.0.0', sequence: 3, previous: [{ sequence: 2, ...old }] })
  const outcome = revertRing(ring({ ...old, sequence: 2 }), did, did)
  t.match(outcome, {
    result: {
      changes: [
        {
          after: { spec: { version: '11.0.0', sequence: 4, previous: [{ sequence: 3, version: '12.0.0' }] } },
        },
      ],
      text: { trailers: { Group: id(50), Reverts: COMMIT } },
    },
  })
})

test('a name comes back without a new sequence, unless another group has it now', async (t) => {
  const [was, did] = [ring({ displayName: 'old' }), ring({ displayName: 'new' })]
  t.match(revertRing(was, did, did), {
    result: { changes: [{ after: { spec: { displayName: 'old', sequence: 0 } } }] },
  })
  const taken = group('ring-2', 51, { displayName: 'old' })
  t.match(revertRing(was, did, did, taken), { refused: { code: 'name-taken' } })
})

test('a deleted group comes back by reverting its deletion only', async (t) => {
  const [live, gone] = [ring({ version: '1' }), ring({ version: '1' }, '2026-11-23T10:00:00.000Z')]
  const outcome = revertRing(live, gone, gone)
  t.match(outcome, { result: { changes: [{ after: { metadata: { deletedAt: undefined } } }] } })
  t.match(revertRing(ring({ version: '0' }), live, gone), {
    refused: { code: 'not-found', message: /deletion first/ },
  })
  const again = ring({ version: '1' }, '2026-11-24T10:00:00.000Z')
  t.match(revertRing(live, gone, again), { refused: { code: 'revert-conflict' } })
  t.match(revertRing(gone, live, live), { refused: { code: 'revert-conflict', message: /delete it/ } })
})

test('a locked group stays as it is', async (t) => {
  const did = ring({ version: '2', apiLocked: true })
  t.match(revertRing(ring({ version: '1' }), did, did), { refused: { code: 'api-locked' } })
})
