import fc from 'fast-check'
import { test } from 'tap'
import { compareObject } from '../../../src/fleet/drift/compare.ts'
import { managerOf } from '../../../src/fleet/drift/manager.ts'
import { masked } from '../../../src/fleet/drift/mask.ts'
import { quantityOf, sameDuration, sameQuantity } from '../../../src/fleet/drift/quantity.ts'
import type { JsonObject } from '../../../src/fleet/intents.ts'
import type { LiveObject } from '../../../src/fleet/observed/objects.ts'

function live(fields: JsonObject, metadata: Partial<LiveObject['metadata']> = {}): LiveObject {
  return { apiVersion: 'v1', kind: 'X', metadata: { name: 'x', ...metadata }, ...fields } as LiveObject
}

function wanted(fields: JsonObject, metadata: JsonObject = {}): JsonObject {
  return { apiVersion: 'v1', kind: 'X', metadata: { name: 'x', ...metadata }, ...fields }
}

const paths = (want: JsonObject, have: LiveObject): readonly string[] =>
  compareObject(want, have).map(({ path }) => path)

/** Wanted, live, what is reported. */
const CASES: readonly (readonly [string, JsonObject, JsonObject, readonly string[]])[] = [
  ['the same', { spec: { replicas: 1 } }, { spec: { replicas: 1 } }, []],
  ['another value', { spec: { replicas: 1 } }, { spec: { replicas: 3 } }, ['spec.replicas']],
  ['a field that is gone', { spec: { a: 'b' } }, { spec: {} }, ['spec.a']],
  [
    'defaults of the API server',
    { spec: { a: 1 } },
    { spec: { a: 1, dnsPolicy: 'ClusterFirst', terms: [] } },
    [],
  ],
  [
    'what the Mattermost operator fills in',
    { spec: { image: 'i' } },
    { spec: { image: 'i', elasticSearch: {}, ingressName: '', probes: { livenessProbe: {} } } },
    [],
  ],
  ['status', { status: { phase: 'a' } }, { status: { phase: 'b' } }, []],
  ['empty against absent', { spec: { a: {}, b: [], c: null } }, { spec: {} }, []],
  [
    'quantities',
    { resources: { limits: { cpu: '0.1', memory: '1Gi' } } },
    { resources: { limits: { cpu: '100m', memory: '1073741824' } } },
    [],
  ],
  [
    'other quantities',
    { resources: { limits: { cpu: '0.1' } } },
    { resources: { limits: { cpu: '200m' } } },
    ['resources.limits.cpu'],
  ],
  [
    'a size of storage',
    { spec: { storage: { size: '1Ti' } } },
    { spec: { storage: { size: '1024Gi' } } },
    [],
  ],
  ['durations', { spec: { refreshInterval: '60m' } }, { spec: { refreshInterval: '1h0m0s' } }, []],
  [
    'a text that looks like a quantity is a text',
    { spec: { version: '1.0' } },
    { spec: { version: '1.00' } },
    ['spec.version'],
  ],
  [
    'env in another order',
    {
      env: [
        { name: 'A', value: '1' },
        { name: 'B', value: '2' },
      ],
    },
    {
      env: [
        { name: 'B', value: '2' },
        { name: 'A', value: '1' },
      ],
    },
    [],
  ],
  [
    'one variable',
    { env: [{ name: 'A', value: '1' }] },
    { env: [{ name: 'A', value: '2' }] },
    ['env[name=A].value'],
  ],
  [
    'a variable that was added',
    { env: [{ name: 'A', value: '1' }] },
    {
      env: [
        { name: 'A', value: '1' },
        { name: 'B', value: '2' },
      ],
    },
    ['env[name=B]'],
  ],
  [
    'a variable that was removed',
    {
      env: [
        { name: 'A', value: '1' },
        { name: 'B', value: '2' },
      ],
    },
    { env: [{ name: 'A', value: '1' }] },
    ['env[name=B]'],
  ],
  ['a list of values', { args: ['a', 'b'] }, { args: ['a', 'c', 'd'] }, ['args[1]', 'args[2]']],
  [
    'defaults within items',
    { ports: [{ name: 'app', port: 80 }] },
    { ports: [{ name: 'app', port: 80, protocol: 'TCP' }] },
    [],
  ],
  ['a value of another type', { spec: { a: '1' } }, { spec: { a: 1 } }, ['spec.a']],
]

test('only what git names is compared, by what it means', async (t) => {
  for (const [name, want, have, expected] of CASES)
    t.strictSame(paths(wanted(want), live(have)), expected, name)
})

test('labels and annotations of others are their own', async (t) => {
  const want = wanted({}, { labels: { app: 'mm' }, annotations: { 'fleetwright.dev/generation': '1' } })
  const have = {
    labels: { app: 'mm', 'argocd.argoproj.io/instance': 'x' },
    annotations: { 'fleetwright.dev/generation': '1', 'argocd.argoproj.io/tracking-id': 'x' },
  }
  t.strictSame(paths(want, live({}, have)), [])
  t.strictSame(paths(want, live({}, { ...have, labels: { app: 'other' } })), ['metadata.labels.app'])
})

const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.string(),
    fc.integer(),
    fc.boolean(),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), tie('value'), { maxKeys: 4 }),
  ),
})).value

test('anything equals itself, whatever is added beside it', async (t) => {
  fc.assert(
    fc.property(fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), json, { maxKeys: 4 }), (spec) => {
      const want = wanted({ spec: spec as JsonObject })
      const more = { ...(spec as JsonObject), ADDED: 'by a controller' }
      return paths(want, live({ spec: more })).length === 0
    }),
  )
  t.pass('random objects')
})

test('quantities and durations', async (t) => {
  t.equal(quantityOf('1.5Gi'), 1.5 * 2 ** 30)
  t.equal(quantityOf('1e3'), 1000)
  t.equal(quantityOf('abc'), undefined)
  t.ok(sameQuantity('2000m', 2))
  t.notOk(sameQuantity('2000m', '3'))
  t.ok(sameDuration('90s', '1m30s'))
  t.notOk(sameDuration('90s', '1m31s'))
})

const managedFields: LiveObject['metadata']['managedFields'] = [
  {
    manager: 'argocd-controller',
    operation: 'Apply',
    time: '2026-11-24T10:00:00Z',
    fieldsV1: { 'f:spec': { 'f:replicas': {}, 'f:mattermostEnv': {} } },
  },
  {
    manager: 'kubectl-edit',
    operation: 'Update',
    time: '2026-11-24T11:00:00Z',
    fieldsV1: { 'f:spec': { 'f:replicas': {} } },
  },
  {
    manager: 'helm',
    operation: 'Update',
    time: '2026-11-24T09:00:00Z',
    fieldsV1: { 'f:spec': { 'f:replicas': {}, 'f:env': { 'k:{"name":"A"}': { '.': {}, 'f:value': {} } } } },
  },
]

test('the manager of a field is who wrote it last, not the engine', async (t) => {
  const object = live({}, { managedFields })
  t.strictSame(managerOf(object, [{ key: 'spec' }, { key: 'replicas' }]), {
    name: 'kubectl-edit',
    operation: 'Update',
    at: '2026-11-24T11:00:00Z',
  })
  t.match(managerOf(object, [{ key: 'spec' }, { key: 'env' }, { name: 'A' }, { key: 'value' }]), {
    name: 'helm',
  })
  t.match(
    managerOf(object, [{ key: 'spec' }, { key: 'mattermostEnv' }, { name: 'A' }]),
    { name: 'argocd-controller' },
    'an atomic list is owned as a whole',
  )
  t.equal(managerOf(object, [{ key: 'spec' }, { key: 'image' }]), undefined)
})

const SECRET = 'hunter2-hunter2'

test('a value that could be a secret is never shown', async (t) => {
  const env = (name: string, value: string): JsonObject => ({ name, value })
  const pairs: readonly (readonly [JsonObject, JsonObject])[] = [
    [{ env: [env('MM_SQLSETTINGS_DATASOURCE', 'a')] }, { env: [env('MM_SQLSETTINGS_DATASOURCE', SECRET)] }],
    [{ env: [env('MM_X', 'a')] }, { env: [env('MM_X', 'a'), env('MM_Y_PASSWORD', SECRET)] }],
    [{ spec: { password: 'a' } }, { spec: { password: SECRET } }],
    [{ spec: { config: 'a' } }, { spec: { config: { token: SECRET } } }],
  ]
  for (const [want, have] of pairs) {
    const differences = compareObject(wanted(want), live(have)).map((one) => masked(one))
    t.ok(differences.length > 0)
    t.notMatch(JSON.stringify(differences), SECRET)
  }
  const plain = compareObject(
    wanted({ spec: { licenseSecret: 'a' } }),
    live({ spec: { licenseSecret: 'b' } }),
  ).map((one) => masked(one))
  t.match(plain, [{ wanted: 'a', found: 'b' }], 'the name of a secret is no secret')
})
