/** List and watch against a real API server: pages, loss and return, expired versions, kinds that come later, the rendered role. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Test, test } from 'tap'
import type { Cluster } from '../../scripts/testbed/cluster.ts'
import { missingCustomResources } from '../../scripts/testbed/custom-resources.ts'
import { startTestbed, type Testbed } from '../../scripts/testbed/testbed.ts'
import { waitFor } from '../../scripts/testbed/wait.ts'
import { MATTERMOST } from '../../src/fleet/observed/mattermost.ts'
import type { ClusterApi } from '../../src/ports/clusters.ts'
import { openClusterWorld } from '../../src/reconcile/cluster-world.ts'
import { systemClock } from '../../src/system/clock.ts'
import { openPassage } from '../support/cut-off.ts'
import { applyAll } from '../support/fleet-files.ts'
import {
  CONFIG_MAP,
  configMap,
  connectByFolder,
  createAll,
  followConfigMaps,
  SECRET,
  serviceAccountToken,
} from '../support/kube-on-testbed.ts'

const skip = missingCustomResources() ?? false
const OBSERVER = join(
  import.meta.dirname,
  '../golden/clusters/flux/clusters/prod-1/system/manifests/observer.yaml',
)
const MANY = 1_500

test('an API server is followed', { skip }, async (t) => {
  const bed = await startTestbed({ clusters: [{ name: 'prod-1', nodes: 1 }], log: (line) => t.comment(line) })
  t.teardown(() => bed.stop())
  const cluster = bed.cluster('prod-1')
  const connections = await connectByFolder(bed, 'admin', ['prod-1'])
  t.teardown(() => connections.close())
  await connections.put('prod-1', cluster.kubeconfigFor(cluster.token))
  const api = connections.clusters.get('prod-1')

  const late = watchKindThatIsNotThere(api)
  await t.test('1,500 objects come in pages, once each', (t) => comesInPages(t, cluster, api))
  await t.test('the rendered role is enough, and no more than that', (t) => roleIsEnough(t, bed, cluster))
  await t.test('a killed API server: stale, then fresh, nothing lost', (t) => survivesKill(t, cluster, api))
  await t.test('a version that is compacted away: everything is listed again', (t) =>
    survivesCompaction(t, bed, cluster),
  )
  await t.test('a kind that came after the watch began is followed', async (t) => {
    t.equal(late.listed(), true, 'a kind that is not there has nothing')
    await applyMattermost(cluster)
    await waitFor('the late one to be seen', async () => late.seen.has('late'), { within: 90_000 })
    t.pass('without a restart')
  })
})

function watchKindThatIsNotThere(api: ClusterApi): {
  readonly seen: Set<string>
  readonly listed: () => boolean
} {
  const seen = new Set<string>()
  let listed = false
  api.watch({
    kind: MATTERMOST,
    keep: (object) => object,
    onChange: ({ object }) => void seen.add(object.metadata.name),
    onListed() {
      listed = true
    },
  })
  return { seen, listed: () => listed }
}

async function applyMattermost({ api }: Cluster): Promise<void> {
  const folder = join(import.meta.dirname, '../../../shared/crds')
  const definition = await readFile(join(folder, 'installation.mattermost.com_mattermosts.yaml'))
  const path =
    '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/mattermosts.installation.mattermost.com'
  await api.patch(`${path}?fieldManager=testbed&force=true`, definition, 'apply')
  const late = {
    apiVersion: 'installation.mattermost.com/v1beta1',
    kind: 'Mattermost',
    metadata: { name: 'late', namespace: 'default' },
    spec: {},
  }
  await waitFor('the kind to be served', () => api.apply(late), { every: 200 })
}

async function comesInPages(t: Test, cluster: Cluster, api: ClusterApi): Promise<void> {
  await createNamespace(cluster, 'many')
  const path = '/api/v1/namespaces/many/configmaps'
  const objects = Array.from({ length: MANY }, (_, at) => configMap('many', `object-${at}`, 'first'))
  await createAll(cluster.api, path, objects)
  const followed = followConfigMaps(api, 'many')
  t.teardown(() => followed.watch.close())
  await waitFor('all of them', async () => followed.watch.fresh)
  t.equal(followed.present.size, (await cluster.api.list(path)).items.length)
  t.ok(followed.present.size >= MANY)
  t.same([followed.lists, followed.told], [1, followed.present.size])
  await cluster.api.patch(`${path}/object-7`, { data: { value: 'second' } })
  await cluster.api.remove(`${path}/object-8`)
  await waitFor('the changes', async () => !followed.present.has('object-8'))
  t.equal(followed.present.get('object-7'), 'second')
  t.equal(followed.lists, 1, 'told by the watch')
  let visited = 0
  await api.list(
    CONFIG_MAP,
    () => {
      visited += 1
    },
    { namespace: 'many' },
  )
  t.equal(visited, followed.present.size)
}

/** With the ConfigMap that Kubernetes itself puts into each. */
async function createNamespace({ api }: Cluster, name: string): Promise<void> {
  await api.create('/api/v1/namespaces', { metadata: { name } })
  const path = `/api/v1/namespaces/${name}/configmaps/kube-root-ca.crt`
  await waitFor('its first ConfigMap', () => api.get(path))
}

async function roleIsEnough(t: Test, bed: Testbed, cluster: Cluster): Promise<void> {
  await applyAll(cluster.api, await readFile(OBSERVER, 'utf8'))
  const token = await serviceAccountToken(cluster, 'fleetwright', 'fleetwright-observer')
  const connections = await connectByFolder(bed, 'observer', ['prod-1'])
  t.teardown(() => connections.close())
  await connections.put('prod-1', cluster.kubeconfigFor(token))
  const api = connections.clusters.get('prod-1')
  const world = openClusterWorld({
    api,
    clock: systemClock,
    onTouch: () => undefined,
    onContact: () => undefined,
  })
  t.teardown(() => world.close())
  await waitFor('every watch to be fresh with that role', async () => world.fresh)
  t.match(world.contact, { connected: true, problem: undefined })
  t.match(world.nodes, { nodes: 1, ready: 1 })
  await t.rejects(
    api.list(SECRET, () => undefined),
    { code: 'cluster-forbidden' },
  )
  await t.rejects(api.annotate(SECRET, 'default', 'x', { a: 'b' }), { code: 'cluster-forbidden' })
}

async function survivesKill(t: Test, cluster: Cluster, api: ClusterApi): Promise<void> {
  const path = '/api/v1/namespaces/default/configmaps'
  const followed = followConfigMaps(api, 'default')
  t.teardown(() => followed.watch.close())
  await cluster.api.create(path, configMap('default', 'before', '1'))
  await waitFor('the first', async () => followed.watch.fresh && followed.present.has('before'))
  const { lastContact } = api.contact
  await cluster.stopApiServer('SIGKILL')
  await waitFor('the loss to be noticed', async () => !followed.watch.fresh && !api.contact.connected)
  t.match(api.contact, { problem: { code: 'unreachable' } })
  t.ok((api.contact.lastContact ?? 0) >= (lastContact ?? 0), 'when it last answered is still known')
  t.equal(followed.present.get('before'), '1', 'what was known is still known')
  await cluster.startApiServer()
  // It may answer 429 until it has read everything.
  await waitFor('it to take a change', () => cluster.api.patch(`${path}/before`, { data: { value: '2' } }))
  await cluster.api.create(path, configMap('default', 'after', '1'))
  await waitFor('everything', async () => followed.watch.fresh && followed.present.has('after'))
  t.match(api.contact, { connected: true, problem: undefined })
  t.same([followed.present.get('before'), followed.present.get('after')], ['2', '1'])
}

async function survivesCompaction(t: Test, bed: Testbed, cluster: Cluster): Promise<void> {
  const passage = await openPassage(new URL(cluster.url))
  const connections = await connectByFolder(bed, 'passage', ['prod-1'])
  t.teardown(async () => {
    await connections.close()
    await passage.close()
  })
  const kubeconfig = cluster.kubeconfigFor(cluster.token)
  await connections.put('prod-1', kubeconfig.replace(cluster.url, `https://127.0.0.1:${passage.port}`))
  await createNamespace(cluster, 'old')
  const path = '/api/v1/namespaces/old/configmaps'
  for (const name of ['stays', 'changes', 'goes']) await cluster.api.create(path, configMap('old', name, '1'))
  const followed = followConfigMaps(connections.clusters.get('prod-1'), 'old')
  await waitFor('all three', async () => followed.watch.fresh && followed.present.has('goes'))
  const version = (await cluster.api.list(path)).metadata.resourceVersion
  const told = followed.told

  passage.cut()
  await waitFor('the cut to be noticed', async () => !followed.watch.fresh)
  await cluster.api.remove(`${path}/goes`)
  await cluster.api.patch(`${path}/changes`, { data: { value: '2' } })
  await cluster.api.create(path, configMap('old', 'comes', '1'))
  await compact(cluster)
  // Its cache would still answer for the old version.
  await cluster.stopApiServer('SIGKILL')
  await cluster.startApiServer()
  const expired = await waitFor('it to answer', () => watchFrom(cluster, path, version))
  t.match(expired, /too old resource version|410|Expired/i, 'the server has forgotten that version')
  passage.mend()
  await waitFor('everything', async () => followed.watch.fresh && followed.present.has('comes'))
  t.equal(followed.lists, 2)
  t.same([followed.present.get('changes'), followed.present.get('stays')], ['2', '1'])
  t.notOk(followed.present.has('goes'), 'also what went unseen')
  t.equal(followed.told - told, 3, 'what is as before is not told again')
}

/** What the server says of a watch from an old version. */
async function watchFrom(cluster: Cluster, path: string, version: string): Promise<string> {
  try {
    for await (const { type, object } of cluster.api.watch(path, version, AbortSignal.timeout(5_000)))
      return `${type} ${JSON.stringify(object)}`
  } catch (error) {
    if (error instanceof Error && !/ECONN|not ready|429/.test(error.message)) return error.message
    throw error
  }
  return 'nothing'
}

/** etcd forgets all revisions but the present one. */
async function compact({ etcdUrl }: Cluster): Promise<void> {
  const range = { key: Buffer.from('/').toString('base64'), limit: '1' }
  const answer = await etcd<{ readonly header: { readonly revision: string } }>(etcdUrl, 'range', range)
  await etcd(etcdUrl, 'compaction', { revision: answer.header.revision, physical: true })
}

async function etcd<Answer>(url: string, call: string, body: object): Promise<Answer> {
  const response = await fetch(`${url}/v3/kv/${call}`, { method: 'POST', body: JSON.stringify(body) })
  const text = await response.text()
  if (!response.ok) throw new Error(`etcd: ${call} was answered ${response.status}: ${text}`)
  return JSON.parse(text)
}
