import { test } from 'tap'
import type { Fleet, IntentChange } from '../../../src/fleet/fleet.ts'
import { FleetIndex } from '../../../src/fleet/fleet-index.ts'
import type {
  FleetSettings,
  Installation,
  InstallationSpec,
  Intent,
  Tombstone,
} from '../../../src/fleet/intents.ts'
import { API_VERSION } from '../../../src/fleet/intents.ts'
import {
  clusterPath,
  FLEET_PATH,
  groupPath,
  installationPath,
  requestPath,
  tombstonePath,
} from '../../../src/fleet/paths.ts'
import { costClass } from '../../../src/fleet/review/cost-class.ts'
import { impactOf } from '../../../src/fleet/review/impact.ts'
import type { Impact } from '../../../src/fleet/review/plan.ts'
import { CREATED_AT, cluster, group, id, installation, settings } from '../../support/intents.ts'

function placed(name: string, number: number, spec: Partial<InstallationSpec> = {}): Installation {
  return installation(name, number, {
    placement: { cluster: 'prod-1' },
    clusterInstallations: [{ id: id(number + 100), cluster: 'prod-1', createdAt: CREATED_AT, active: true }],
    ...spec,
  })
}

function pathOf(intent: Intent): IntentChange['path'] {
  switch (intent.kind) {
    case 'Fleet':
      return FLEET_PATH
    case 'Cluster':
      return clusterPath(intent.metadata.name)
    case 'Group':
      return groupPath(intent.metadata.name)
    case 'Installation':
      return installationPath(intent.spec.placement?.cluster ?? '', intent.metadata.id)
    default:
      return requestPath(id(1))
  }
}

const add = (intent: Intent): IntentChange => ({ path: pathOf(intent), before: undefined, after: intent })
const remove = (intent: Intent): IntentChange => ({ path: pathOf(intent), before: intent, after: undefined })
const change = (before: Intent, after: Intent): IntentChange => ({ path: pathOf(before), before, after })

/** prod-1 with acme (in group canary) and globex, and prod-2, which is empty. */
const ACME = placed('acme', 1, { group: 'canary', groupSequence: 0 })
const GLOBEX = placed('globex', 2)
const RING = group('canary', 11, { version: '11.2.0', maxRolling: 5 })
const PROD_1 = cluster('prod-1', 10)

function fleetWith(...changes: readonly IntentChange[]): Fleet {
  const index = new FleetIndex(settings())
  index.apply([PROD_1, cluster('prod-2', 12), RING, ACME, GLOBEX].map(add))
  index.apply(changes)
  return index
}

function impact(...changes: readonly IntentChange[]): Impact {
  return impactOf(changes, fleetWith(...changes))
}

function with_(before: Installation, spec: Partial<InstallationSpec>): Installation {
  return { ...before, spec: { ...before.spec, ...spec } }
}

test('one changed installation tells what its users notice', async (t) => {
  const dns = (name: string, number: number, primary = false): InstallationSpec['dns'][number] => ({
    id: id(number),
    name,
    createdAt: CREATED_AT,
    ...(primary ? { primary } : {}),
  })
  const own = GLOBEX.spec.dns
  const cases: readonly (readonly [Partial<InstallationSpec>, string | undefined])[] = [
    [{ owner: 'somebody' }, undefined],
    [{ deletionLocked: true }, undefined],
    [{ version: '11.3.0' }, 'its pods are replaced (version 11.2.0 → 11.3.0)'],
    [{ size: '5000users' }, 'its pods are replaced (resources); has 2 pods instead of 1'],
    [{ size: 'miniHA' }, 'its pods are replaced (resources); has 2 pods instead of 1'],
    [{ env: { MM_A: { value: 'b' } } }, 'its pods are replaced (variables)'],
    [{ hibernated: true }, 'is put to sleep: nobody can use it until it is woken'],
    [{ dns: [...own, dns('old.example.com', 77)] }, 'also answers at old.example.com'],
    [
      { dns: [dns('new.example.com', 77, true)] },
      'its address changes from globex.cloud.example.com to new.example.com; its pods are replaced (address globex.cloud.example.com → new.example.com)',
    ],
    [{ allowedIpRanges: [{ cidrBlock: '10.0.0.0/8', enabled: true }] }, 'other networks may reach it'],
    [{ allowedIpRanges: [{ cidrBlock: '10.0.0.0/8', enabled: false }] }, undefined],
    [
      { database: { kind: 'aws-rds-postgres' } },
      'is given another database (cloudnative-pg → aws-rds-postgres); data does not move by itself; its pods are replaced (database)',
    ],
    [{ group: 'canary', groupSequence: 0 }, 'its pods are replaced (group)'],
  ]
  for (const [spec, effect] of cases) {
    const found = impact(change(GLOBEX, with_(GLOBEX, spec)))
    t.equal(found.changed.length, 1, JSON.stringify(spec))
    t.equal(found.changed[0]?.effect, effect, JSON.stringify(spec))
    t.same([found.added, found.removed, found.waves], [[], [], []])
  }
})

test('a hibernated installation that changes has other pods only once it is woken', async (t) => {
  const asleep = with_(GLOBEX, { hibernated: true })
  const other = with_(asleep, { version: '11.3.0' })
  t.match(impact(change(GLOBEX, asleep), change(asleep, other)).changed, [
    { effect: /^is put to sleep.*its pods are replaced/ },
  ])
  const fleet = fleetWith(change(GLOBEX, other))
  t.match(impactOf([change(asleep, other)], fleet).changed, [
    { effect: 'has other pods once it is woken (version 11.2.0 → 11.3.0)', costBefore: 'small' },
  ])
  const woken = with_(asleep, { hibernated: false })
  t.match(impactOf([change(asleep, woken)], fleetWith(change(GLOBEX, woken))).changed, [
    { effect: /^is woken/ },
  ])
})

test('a request that is accepted and placed is one new installation, with its room on the cluster', async (t) => {
  const request: Intent = {
    apiVersion: API_VERSION,
    kind: 'InstallationRequest',
    metadata: { name: 'initech' },
    spec: { owner: 'initech' },
  }
  const initech = placed('initech', 3, { size: '5000users' })
  const found = impact(add(request), remove(request), add(initech))
  t.same(found.added, [
    {
      kind: 'installation',
      id: id(3),
      name: 'initech',
      cluster: 'prod-1',
      group: undefined,
      effect: 'is made at initech.cloud.example.com',
      costAfter: 'medium',
    },
  ])
  t.same(found.clusters, [{ cluster: 'prod-1', before: 2, after: 3, limit: 400 }])
  t.same([found.changed, found.removed], [[], []])
})

test('one that waits for a cluster says so, and takes no room', async (t) => {
  const { placement: _, clusterInstallations: __, ...spec } = placed('initech', 1).spec
  const waiting: Intent = {
    apiVersion: API_VERSION,
    kind: 'InstallationRequest',
    metadata: { id: id(9), name: 'initech', createdAt: CREATED_AT },
    spec: { ...spec, waitingFor: 'no cluster fits' },
  }
  const { added, clusters } = impact(add(waiting))
  t.match(added, [
    { effect: 'is made at initech.cloud.example.com, and waits for a cluster', cluster: undefined },
  ])
  t.same(clusters, [])
})

test('a move is one installation that changes, and both clusters', async (t) => {
  const moved = with_(GLOBEX, {
    placement: { cluster: 'prod-2' },
    clusterInstallations: [{ id: id(102), cluster: 'prod-2', createdAt: CREATED_AT, active: true }],
  })
  const found = impact(remove(GLOBEX), add(moved))
  t.match(found.changed, [{ name: 'globex', cluster: 'prod-2', effect: 'moves from prod-1 to prod-2' }])
  t.same(found.clusters, [
    { cluster: 'prod-1', before: 2, after: 1, limit: 400 },
    { cluster: 'prod-2', before: 0, after: 1, limit: 400 },
  ])
  t.same([found.added, found.removed], [[], []])
})

test('what is to be deleted goes away, whichever step of a deletion it is', async (t) => {
  const asked = with_(GLOBEX, {
    operation: { kind: 'deletion-pending', generation: 2, requestedAt: CREATED_AT },
  })
  t.match(impact(change(GLOBEX, asked)).removed, [
    { name: 'globex', effect: 'goes away: its database is kept, its files are deleted', costBefore: 'small' },
  ])
  const tombstone: Tombstone = {
    apiVersion: API_VERSION,
    kind: 'Tombstone',
    metadata: GLOBEX.metadata,
    spec: {
      actor: 'ada',
      notBefore: CREATED_AT,
      keep: { database: false, filestore: false },
      installation: GLOBEX,
    },
  }
  const buried = { path: tombstonePath('prod-1', GLOBEX.metadata.id), before: undefined, after: tombstone }
  for (const changes of [[buried], [buried, remove(GLOBEX)], [remove(GLOBEX)]]) {
    const { removed, changed } = impact(...changes)
    t.match(removed, [{ name: 'globex', effect: /^goes away/ }])
    t.same(changed, [])
  }
  t.match(impact(buried).removed, [{ effect: 'goes away: its database is deleted, its files are deleted' }])
  const kept = impactOf([change(asked, GLOBEX)], fleetWith())
  t.match(kept.changed, [{ effect: 'stays: its deletion is cancelled' }])
  t.same(kept.removed, [])
})

test('clusters, groups and databases that come or go are told', async (t) => {
  const spare = cluster('prod-2', 12)
  const gone = { ...spare, metadata: { ...spare.metadata, deletedAt: CREATED_AT } }
  t.match(impact(change(spare, gone)).removed, [{ kind: 'cluster', name: 'prod-2', effect: 'goes away' }])
  t.match(impact(remove(group('old', 20))).removed, [{ kind: 'group', name: 'old' }])
  t.match(impact(add(cluster('prod-3', 13))).added, [{ kind: 'cluster', name: 'prod-3', effect: 'is new' }])
})

test('a group change reaches its members in waves, or at once when its sequence stays', async (t) => {
  const newer = { ...RING, spec: { ...RING.spec, version: '11.3.0' } }
  t.same(impact(change(RING, newer)).waves, [{ group: 'canary', members: 1, maxRolling: 5, atOnce: true }])
  const previous = [{ sequence: 0, version: '11.2.0' }]
  const rolled = { ...newer, spec: { ...newer.spec, sequence: 1, previous } }
  t.same(impact(change(RING, rolled)).waves, [{ group: 'canary', members: 1, maxRolling: 5, atOnce: false }])
  const described = { ...RING, spec: { ...RING.spec, description: 'first ones', maxRolling: 2 } }
  t.same(impact(change(RING, described)).waves, [])
  const member = { ...ACME, spec: { ...ACME.spec, groupSequence: 1 } }
  t.match(impact(change(RING, rolled), change(ACME, member)).changed, [
    { name: 'acme', effect: 'its pods are replaced (version 11.2.0 → 11.3.0)' },
  ])
})

test('what installations share is counted', async (t) => {
  const other = cluster('prod-1', 10, { ingress: { className: 'other' }, capacity: { installations: 100 } })
  const { shared, clusters } = impact(change(PROD_1, other))
  t.match(shared, [{ kind: 'cluster', name: 'prod-1', installations: 2, effect: /^another ingress/ }])
  t.same(clusters, [{ cluster: 'prod-1', before: 2, after: 2, limit: 80, limitBefore: 400 }])
  const before = settings()
  const after: FleetSettings = {
    ...before,
    spec: {
      ...before.spec,
      probes: { liveness: { periodSeconds: 5 } },
      placement: { ...before.spec.placement, thresholdPercent: 50 },
    },
  }
  const everywhere = impact(change(before, after))
  t.match(everywhere.shared, [{ kind: 'fleet', installations: 2, effect: /pods are replaced/ }])
  t.match(everywhere.clusters, [
    { cluster: 'prod-1', limit: 250, limitBefore: 400 },
    { cluster: 'prod-2', limit: 250, limitBefore: 400 },
  ])
  const defaults = {
    ...before,
    spec: { ...before.spec, defaults: { ...before.spec.defaults, size: '1000users' } },
  }
  t.same(impact(change(before, defaults)).shared, [], 'defaults are for new ones')
})

test('members of a group are counted and never listed', async (t) => {
  const fleet = fleetWith()
  const refusing = new Proxy(fleet, {
    get(target, name) {
      if (name === 'installations' || name === 'installationsIn' || name === 'installationsOn')
        throw new Error(`${name} lists the whole fleet`)
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  const newer = { ...RING, spec: { ...RING.spec, version: '11.3.0' } }
  t.match(
    impactOf([change(RING, newer), change(PROD_1, cluster('prod-1', 10, { oidcProvider: 'x' }))], refusing),
    {
      waves: [{ members: 1 }],
      shared: [{ installations: 2 }],
    },
  )
})

test('cost classes follow their rule', async (t) => {
  const cases: readonly (readonly [Partial<InstallationSpec>, string])[] = [
    [{ size: 'miniSingleton' }, 'small'],
    [{ size: '1000users' }, 'small'],
    [{ size: '5000users' }, 'medium'],
    [{ size: '25000users' }, 'large'],
    [{ size: 'provisionerXL' }, 'very large'],
    [{ size: '25000users', hibernated: true }, 'small'],
    [{ database: { kind: 'aws-rds-postgres' } }, 'medium'],
    [
      { database: { kind: 'aws-rds-postgres', single: { primaryInstanceType: 'r5', replicasCount: 1 } } },
      'large',
    ],
    [{ database: { kind: 'aws-multitenant-rds-postgres' } }, 'small'],
    [{ size: 'provisionerXL-9', database: { kind: 'aws-rds-postgres' } }, 'very large'],
    [{ affinity: 'isolated' }, 'very large'],
  ]
  for (const [spec, expected] of cases)
    t.equal(costClass(with_(GLOBEX, spec)), expected, JSON.stringify(spec))
})
