import { test } from 'tap'
import { concernsOf, isConcerned, movedBy } from '../../../src/fleet/review/concerns.ts'
import type { IntentChange } from '../../../src/fleet/fleet.ts'
import type { FleetPath } from '../../../src/fleet/ids.ts'
import { API_VERSION, type InstallationRequest } from '../../../src/fleet/intents.ts'
import { clusterPath, FLEET_PATH, groupPath, installationPath } from '../../../src/fleet/paths.ts'
import { cluster, group, id, installation, settings } from '../../support/intents.ts'

const FLEET = { settings: settings() }

function request(name: string, spec: Partial<InstallationRequest['spec']> = {}): IntentChange {
  const after: InstallationRequest = {
    apiVersion: API_VERSION,
    kind: 'InstallationRequest',
    metadata: { name },
    spec: { owner: 'owner', ...spec },
  }
  return { path: `requests/${name}.yaml` as FleetPath, before: undefined, after }
}

function dns(name: string): {
  readonly id: ReturnType<typeof id>
  readonly name: string
  readonly createdAt: string
} {
  return { id: id(9), name, createdAt: '2026-11-23T09:00:00.000Z' }
}

function placed(name: string, number: number, spec: Parameters<typeof installation>[2] = {}): IntentChange {
  const path = installationPath('prod-1', id(number))
  return { path, before: undefined, after: installation(name, number, spec) }
}

const CASES: readonly (readonly [string, IntentChange, IntentChange, boolean])[] = [
  [
    'another name altogether',
    request('acme'),
    placed('globex', 1, { dns: [dns('globex.example.com')] }),
    false,
  ],
  ['the name', request('acme'), placed('acme', 1, { dns: [dns('other.example.com')] }), true],
  [
    'the DNS name',
    request('acme', { dns: ['x.example.com'] }),
    placed('y', 1, { dns: [dns('x.example.com')] }),
    true,
  ],
  [
    'the DNS name in other letters',
    request('acme', { dns: ['X.example.com'] }),
    placed('y', 1, { dns: [dns('x.Example.com')] }),
    true,
  ],
  [
    'the DNS name that follows from the name',
    request('acme'),
    placed('y', 1, { dns: [dns('acme.cloud.example.com')] }),
    true,
  ],
  [
    'the group it joins',
    request('acme', { group: 'ring' }),
    change(groupPath('ring'), group('ring', 3)),
    true,
  ],
  ['another group', request('acme', { group: 'ring' }), change(groupPath('other'), group('other', 3)), false],
  ['a cluster that may take it', request('acme'), change(clusterPath('prod-1'), cluster('prod-1', 4)), true],
  [
    'a cluster it is not on',
    placed('acme', 1, { placement: { cluster: 'prod-1' } }),
    change(clusterPath('prod-2'), cluster('prod-2', 5)),
    false,
  ],
  ['the settings of the fleet', request('acme'), change(FLEET_PATH, settings()), true],
  [
    'a member of the group that is changed',
    change(groupPath('ring'), group('ring', 3)),
    placed('acme', 1, { group: 'ring' }),
    false,
  ],
]

function change(path: FleetPath, after: NonNullable<IntentChange['after']>): IntentChange {
  return { path, before: undefined, after }
}

test('a change of main concerns what wants the same names or needs what changed, and nothing else', async (t) => {
  for (const [what, wanted, moved, concerned] of CASES)
    t.equal(isConcerned(new Set(concernsOf(FLEET, [wanted])), movedBy(FLEET, [moved], [])), concerned, what)
})

test('a name that becomes free concerns who wants it', async (t) => {
  const { path, after } = placed('acme', 1)
  const moved = movedBy(FLEET, [{ path, before: after, after: undefined }], [])
  t.ok(isConcerned(new Set(concernsOf(FLEET, [request('acme')])), moved))
})

test('a document that cannot be read concerns who changes the same file', async (t) => {
  const concerns = new Set(concernsOf(FLEET, [], ['requests/acme.yaml']))
  t.ok(isConcerned(concerns, movedBy(FLEET, [], ['requests/acme.yaml'])))
  t.notOk(isConcerned(concerns, movedBy(FLEET, [], ['requests/globex.yaml'])))
})

test('one that changes a whole fleet is kept short, and everything concerns it', async (t) => {
  const many = Array.from({ length: 3_000 }, (_, at) => request(`acme-${at}`))
  const concerns = new Set(concernsOf(FLEET, many))
  t.equal(concerns.size, 1)
  t.ok(isConcerned(concerns, movedBy(FLEET, [placed('globex', 1)], [])))
})
