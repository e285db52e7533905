import { test } from 'tap'
import { parse } from 'yaml'
import { JUDGED_KINDS } from '../../src/fleet/observed/kinds.ts'
import { BEGINNING, FAILING, WORKING } from '../../src/fleet/observed/crossplane.ts'
import { healthChecks } from '../../src/render/cluster/health-checks.ts'
import { HEALTH_CEL } from '../../src/render/cluster/health-cel.ts'
import { HEALTH_LUA } from '../../src/render/cluster/health-lua.ts'
import { ARGOCD_WORDS, HEALTH_CASES, liveObjectOf } from '../support/health-cases.ts'
import { runHealthLua } from '../support/lua.ts'

test('the Lua for Argo CD agrees with our functions', async (t) => {
  for (const one of HEALTH_CASES) {
    const { status, message } = runHealthLua(HEALTH_LUA[one.rule], liveObjectOf(one))
    t.equal(status, ARGOCD_WORDS[one.health], `${one.rule}: ${one.name}`)
    t.type(message, 'string')
  }
})

test('every word of AWS is judged alike', async (t) => {
  const words = [
    ...WORKING.map((word) => [word, 'Healthy'] as const),
    ...BEGINNING.map((word) => [word, 'Progressing'] as const),
    ['failed', 'Degraded'] as const,
  ]
  for (const [status, expected] of words) {
    const conditions = [
      { type: 'Synced', status: 'True' },
      { type: 'Ready', status: 'True' },
    ]
    const object = { metadata: { generation: 1 }, status: { conditions, atProvider: { status } } }
    t.equal(runHealthLua(HEALTH_LUA['managed-resource'], object).status, expected, status)
  }
})

test('the script stops nothing that Argo CD offers no library for', async (t) => {
  t.throws(() => runHealthLua('return {status = string.lower("A")}', {}), 'the test bed has none either')
})

test('the fragment of argocd-cm has one script a judged kind, and no other key', async (t) => {
  const { metadata, data } = parse(healthChecks('argocd'))
  t.strictSame(metadata.name, 'argocd-cm')
  const kinds = [
    'installation.mattermost.com_Mattermost',
    ...JUDGED_KINDS.map(({ kind }) => `${kind.group}_${kind.kind}`),
  ]
  t.strictSame(Object.keys(data).sort(), kinds.map((kind) => `resource.customizations.health.${kind}`).sort())
  t.equal(
    data['resource.customizations.health.installation.mattermost.com_Mattermost'],
    HEALTH_LUA.mattermost,
  )
  t.ok(JSON.stringify(data).length < 200_000, 'far from the 1 MiB that a ConfigMap may have')
})

test('the patch for Flux has one entry a group of managed resources', async (t) => {
  const { spec } = parse(healthChecks('flux'))
  const entries: readonly { readonly apiVersion: string; readonly kind?: string }[] = spec.healthCheckExprs
  const names = entries.map(({ apiVersion, kind = '*' }) => `${apiVersion} ${kind}`)
  t.equal(new Set(names).size, names.length)
  for (const { kind, rule } of JUDGED_KINDS)
    t.ok(
      names.includes(`${kind.group}/${kind.version} ${rule === 'managed-resource' ? '*' : kind.kind}`),
      kind.kind,
    )
  t.match(entries[0], { kind: 'Mattermost', ...HEALTH_CEL.mattermost })
  for (const word of [...WORKING, ...BEGINNING, ...FAILING])
    t.ok(JSON.stringify(entries).includes(`'${word}'`), word)
})
