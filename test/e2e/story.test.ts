/**
 * The whole story, on both real engines and real API servers, with Fleetwright killed in the middle of each chapter: a portal
 * request becomes a workspace; a hand's edit becomes drift and is healed; a cluster goes away and comes back; a new
 * version rolls out; a broken one is stuck with its reason.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Test, test } from 'tap'
import { missingCustomResources } from '../../scripts/testbed/custom-resources.ts'
import type { Testbed } from '../../scripts/testbed/testbed.ts'
import { waitFor } from '../../scripts/testbed/wait.ts'
import { send } from '../support/api.ts'
import { startEngineBed } from '../support/engine-bed.ts'
import { clusterIsWired, type FleetCluster, startFleet } from '../support/fleet-on-testbed.ts'
import { mattermostWith } from '../support/installation-on-testbed.ts'
import { type ServerProcess, startServerProcess } from '../support/server-process.ts'
import { startWebhookReceiver, type WebhookReceiver } from '../support/webhook-receiver.ts'

const skip = missingCustomResources() ?? false
const CLUSTERS: readonly FleetCluster[] = [
  { name: 'prod-1', engine: 'argocd' },
  { name: 'prod-2', engine: 'flux' },
]
const STUCK_SECONDS = 8
/** Far enough from stuck that a slow machine still sees it in between. */
const FAILED_SECONDS = 40

interface Stage {
  readonly bed: Testbed
  readonly url: string
  readonly server: ServerProcess
  readonly hook: WebhookReceiver
  /** Installation of each cluster. */
  readonly ids: Map<string, string>
}

// biome-ignore lint/suspicious/noExplicitAny: the story looks into answers of every kind
type Answer = any

async function call(
  { url }: Pick<Stage, 'url'>,
  method: string,
  path: string,
  body?: unknown,
): Promise<Answer> {
  const reply = await send(url, method, path, body === undefined ? {} : { body })
  if (reply.status >= 300) throw new Error(`${method} ${path} was answered ${reply.status}: ${reply.text}`)
  return reply.body
}

async function setUp(t: Test): Promise<Stage> {
  const bed = await startEngineBed(t, CLUSTERS)
  const control = bed.cluster('control')
  const fleet = await startFleet(bed, CLUSTERS)
  const { url } = fleet
  for (const cluster of CLUSTERS) await clusterIsWired(control, cluster)
  // From here on it runs as a process of its own, on the same data.
  await fleet.close()
  const data = join(fleet.repository, '..')
  const server = await startServerProcess({
    data,
    port: Number(new URL(url).port),
    flags: [
      '--poll-seconds',
      '1',
      '--stuck-seconds',
      String(STUCK_SECONDS),
      '--failed-seconds',
      String(FAILED_SECONDS),
    ],
  })
  t.teardown(() => server.stop())
  const hook = await startWebhookReceiver(async () => {
    const text = (await readFile(join(data, 'webhook-key'), 'utf8')).trim()
    return Buffer.from(text.slice('whsec_'.length), 'base64')
  })
  t.teardown(() => hook.close())
  await call({ url }, 'POST', '/api/webhooks', { OwnerID: 'portal', URL: hook.url })
  return { bed, url, server, hook, ids: new Map() }
}

function timer(): () => string {
  const start = performance.now()
  return () => `${((performance.now() - start) / 1000).toFixed(2)} s`
}

async function create({ url }: Stage, cluster: string, name: string): Promise<string> {
  const { ID } = await call({ url }, 'POST', '/api/installations', {
    Name: name,
    OwnerID: 'acme-inc',
    Version: '11.2.0',
    DNSNames: [`${name}.cloud.example.com`],
    Affinity: 'multitenant',
    Database: 'cloudnative-pg',
    Filestore: 'local-ephemeral',
    Annotations: [cluster],
  })
  return ID
}

async function state(stage: Stage, id: string): Promise<string> {
  return (await call(stage, 'GET', `/api/installation/${id}`)).State
}

async function status(stage: Stage, id: string): Promise<Answer> {
  return await call(stage, 'GET', `/api/fleet/installations/${id}/status`)
}

async function becomes(stage: Stage, id: string, wanted: string): Promise<void> {
  await waitFor(`${id} to be ${wanted}`, async () => (await state(stage, id)) === wanted, {
    within: 120_000,
    every: 100,
  })
}

async function told({ hook }: Stage, id: string, wanted: string): Promise<void> {
  await waitFor(
    `the webhook to tell that ${id} is ${wanted}`,
    async () => hook.statesOf(id).at(-1) === wanted,
  )
}

async function eventsOf(stage: Stage, id: string): Promise<readonly string[]> {
  const events: readonly Answer[] = await call(
    stage,
    'GET',
    `/api/events/state_change?resource_id=${id}&per_page=-1`,
  )
  return events.map(({ StateChange }) => `${StateChange.OldState} > ${StateChange.NewState}`).reverse()
}

/** Each event begins where the one before ended: nothing is told twice, nothing is left out. */
function isChain(events: readonly string[]): boolean {
  return events.every((event, at) => at === 0 || event.split(' > ')[0] === events[at - 1]?.split(' > ')[1])
}

test('the whole story', { skip }, async (t) => {
  const stage = await setUp(t)
  for (const { name, engine } of CLUSTERS) {
    await t.test(
      `a request becomes a workspace (${engine}), though Fleetwright is killed after its answer`,
      (t) => created(t, stage, name),
    )
    await t.test(`a hand's edit becomes drift and is healed (${engine})`, (t) =>
      drifted(t, stage, name, engine),
    )
  }
  await t.test('a cluster goes away and comes back: stale, then fresh, nothing lost', (t) => away(t, stage))
  for (const { name, engine } of CLUSTERS) {
    await t.test(`a new version rolls out (${engine}), though Fleetwright is killed meanwhile`, (t) =>
      updated(t, stage, name),
    )
    await t.test(`a broken version is stuck with its reason, and the way out works (${engine})`, (t) =>
      broken(t, stage, name, engine),
    )
  }
  await t.test('every change of state was told once and in order, and signed', async (t) => {
    for (const id of stage.ids.values()) {
      const events = await eventsOf(stage, id)
      t.ok(isChain(events), events.join(', '))
      t.strictSame(
        stage.hook.statesOf(id),
        events.map((event) => event.split(' > ')[1]),
        'the webhook got the same',
      )
    }
    t.equal(stage.hook.forged(), 0)
  })
})

async function created(t: Test, stage: Stage, cluster: string): Promise<void> {
  const took = timer()
  const id = await create(stage, cluster, `acme-${cluster}`)
  stage.ids.set(cluster, id)
  t.comment(`request to committed: ${took()}`)
  await stage.server.killAndStart()
  t.comment(`killed and back: ${took()}`)
  await mattermostWith(stage.bed.cluster(cluster), id, () => true)
  t.comment(`request to applied: ${took()}`)
  await becomes(stage, id, 'stable')
  t.comment(`request to stable in the API: ${took()}`)
  await told(stage, id, 'stable')
  t.comment(`request to stable by webhook: ${took()}`)
  const [first] = await eventsOf(stage, id)
  t.equal(first, 'n/a > creation-requested', 'the request itself was told though the process died')
  const seen = await waitFor('the engine to be current', async () => {
    const found = await status(stage, id)
    return found.synced.synced === true ? found : undefined
  })
  t.match(seen, {
    state: 'stable',
    stuck: false,
    live: { live: true },
    working: { health: 'healthy' },
    observation: { stale: false },
  })
}

async function drifted(
  t: Test,
  stage: Stage,
  cluster: string,
  engine: FleetCluster['engine'],
): Promise<void> {
  const id = stage.ids.get(cluster) ?? ''
  const { api } = stage.bed.cluster(cluster)
  const { metadata } = await mattermostWith(stage.bed.cluster(cluster), id, () => true)
  const took = timer()
  await api.patch(
    `/apis/installation.mattermost.com/v1beta1/namespaces/${id}/mattermosts/${metadata.name}?fieldManager=kubectl-edit`,
    {
      spec: { replicas: 3 },
    },
  )
  if (engine === 'flux') {
    const drift = await waitFor(
      'the drift to be reported',
      async () => (await call(stage, 'GET', `/api/fleet/drift?installation=${id}`)).drift[0],
    )
    t.comment(`edit to reported: ${took()}`)
    t.match(drift, {
      type: 'changed',
      cluster,
      object: { kind: 'Mattermost' },
      fields: [{ path: 'spec.replicas', wanted: 1, found: 3, manager: { name: 'kubectl-edit' } }],
    })
    const unit = `/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/flux-system/kustomizations/${cluster}-shard-${id.charAt(0)}`
    await stage.bed
      .cluster('control')
      .api.patch(unit, { metadata: { annotations: { 'reconcile.fluxcd.io/requestedAt': took() } } })
  }
  await mattermostWith(stage.bed.cluster(cluster), id, ({ spec }) => spec.replicas === 1)
  t.comment(`edit to healed: ${took()}`)
  await waitFor(
    'the drift to be gone',
    async () => (await call(stage, 'GET', `/api/fleet/drift?installation=${id}`)).drift.length === 0,
  )
  t.equal(await state(stage, id), 'stable', 'a disturbance is no change of state')
}

async function away(t: Test, stage: Stage): Promise<void> {
  const cluster = 'prod-1'
  const id = stage.ids.get(cluster) ?? ''
  await stage.bed.cluster(cluster).stopApiServer()
  const took = timer()
  await waitFor('the knowledge to be stale', async () => (await status(stage, id)).observation.stale === true)
  t.comment(`down to stale: ${took()}`)
  t.match(await status(stage, id), {
    state: 'stable',
    working: { health: 'unknown' },
    observation: { problem: { code: 'unreachable' } },
  })
  const other = stage.ids.get('prod-2') ?? ''
  t.equal((await status(stage, other)).observation.stale, false, 'the other cluster is not concerned')
  const late = await create(stage, cluster, 'late')
  stage.ids.set('late', late)
  await stage.bed.cluster(cluster).startApiServer()
  await waitFor(
    'the knowledge to be fresh',
    async () => (await status(stage, id)).observation.stale === false,
    { within: 90_000 },
  )
  t.comment(`up to fresh: ${took()}`)
  await becomes(stage, late, 'stable')
  t.comment(`what was asked for meanwhile is stable: ${took()}`)
}

async function updated(t: Test, stage: Stage, cluster: string): Promise<void> {
  const id = stage.ids.get(cluster) ?? ''
  const took = timer()
  await call(stage, 'PUT', `/api/installation/${id}/mattermost`, { Version: '11.3.0' })
  await stage.server.killAndStart()
  await mattermostWith(stage.bed.cluster(cluster), id, ({ spec }) => spec.version === '11.3.0')
  t.comment(`change to applied: ${took()}`)
  await becomes(stage, id, 'stable')
  await told(stage, id, 'stable')
  t.comment(`change to stable by webhook: ${took()}`)
  t.match(await status(stage, id), { live: { version: '11.3.0' }, requested: { operation: 'update' } })
}

async function broken(t: Test, stage: Stage, cluster: string, engine: FleetCluster['engine']): Promise<void> {
  const id = stage.ids.get(cluster) ?? ''
  await call(stage, 'PUT', `/api/installation/${id}/mattermost`, { Version: 'does-not-exist' })
  const took = timer()
  await stage.server.killAndStart()
  const stuck = await waitFor(
    'it to be called stuck with its cause',
    async () => {
      const found = await status(stage, id)
      return found.stuck && /back-off/.test(found.reason) ? found : undefined
    },
    { within: 180_000, every: 200 },
  )
  t.comment(`change to stuck: ${took()}`)
  t.match(stuck, {
    state: 'update-in-progress',
    reason: /image pull back-off on \d pods?/,
    wayOut: /revert the commit/,
    working: { health: 'degraded' },
  })
  if (engine === 'argocd') {
    const { commits } = await call(stage, 'GET', `/api/fleet/history?kind=installation&id=${id}&limit=1`)
    await call(stage, 'POST', '/api/fleet/revert', { commit: commits[0].commit, kind: 'installation', id })
  } else {
    await becomes(stage, id, 'update-failed')
    t.comment(`change to failed: ${took()}`)
    await call(stage, 'PUT', `/api/installation/${id}/mattermost`, { Version: '11.3.0' })
  }
  await becomes(stage, id, 'stable')
  await told(stage, id, 'stable')
  t.comment(`change to stable by the way out: ${took()}`)
}
