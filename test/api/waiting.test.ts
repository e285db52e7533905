import { test } from 'tap'
import { commitOf, importCluster, send } from '../support/api.ts'
import { installationBody } from '../support/changes.ts'
import { startTestServer } from '../support/server.ts'
import { until } from '../support/until.ts'

const server = await startTestServer('all')
const { url } = server
const { parts } = server.server

// biome-ignore lint/suspicious/noExplicitAny: an answer of the API
async function show(id: string): Promise<any> {
  return (await send(url, 'GET', `/api/installation/${id}`)).body
}

async function fileAt(path: string): Promise<string | undefined> {
  return await parts.history.fileAt(parts.writer.head, path)
}

test('a request that fits nowhere is committed, and placed when a cluster comes', async (t) => {
  const created = await send(url, 'POST', '/api/installations', {
    body: { ...installationBody('acme'), Annotations: ['europe'] },
  })
  t.match(created, { status: 202, body: { State: 'creation-no-compatible-clusters' } })
  const id = created.body.ID
  t.ok(commitOf(created), 'acknowledged with its commit')
  t.match(await fileAt(`requests/${id}.yaml`), /waitingFor: the fleet has no cluster/)
  await importCluster(url, 'america')
  t.match(
    await show(id),
    { State: 'creation-no-compatible-clusters' },
    'one that does not fit changes nothing',
  )
  const { body: europe } = await send(url, 'POST', '/api/clusters/import', {
    body: { 'external-cluster-secret-name': 'europe', 'allow-installations': true, annotations: ['europe'] },
  })
  const placed = await until(
    () => show(id),
    ({ ClusterIDs }) => ClusterIDs !== undefined,
  )
  t.match(placed, { State: 'creation-requested', ClusterIDs: [europe.ID], Name: 'acme' })
  t.equal(await fileAt(`requests/${id}.yaml`), undefined, 'the request is consumed')
  t.match(await fileAt(`clusters/europe/installations/${id[0]}/${id}/manifest.yaml`), /kind: Mattermost/)
  const { body: history } = await send(url, 'GET', `/api/fleet/history?kind=installation&id=${id}`)
  t.match(history.commits[0].subject, 'Place installation acme on europe')
})

test('room that a cluster makes is used', async (t) => {
  const { body: full } = await send(url, 'POST', '/api/clusters/import', {
    body: { 'external-cluster-secret-name': 'asia', annotations: ['asia'] },
  })
  const { body: waiting } = await send(url, 'POST', '/api/installations', {
    body: { ...installationBody('tokyo'), Annotations: ['asia'] },
  })
  t.equal(waiting.State, 'creation-no-compatible-clusters')
  t.match(await fileAt(`requests/${waiting.ID}.yaml`), /asia takes no new installations/)
  await send(url, 'PUT', `/api/cluster/${full.ID}`, { body: { AllowInstallations: true } })
  const placed = await until(
    () => show(waiting.ID),
    ({ ClusterIDs }) => ClusterIDs !== undefined,
  )
  t.same(placed.ClusterIDs, [full.ID])
})

test('one that still waits is deleted at once, and its names are free again', async (t) => {
  const body = { ...installationBody('nowhere'), Annotations: ['nowhere'] }
  const { body: waiting } = await send(url, 'POST', '/api/installations', { body })
  const reply = await send(url, 'DELETE', `/api/installation/${waiting.ID}`)
  t.equal(reply.status, 202)
  const gone = await until(
    () => show(waiting.ID),
    ({ State }) => State === 'deleted',
  )
  t.ok(gone.DeleteAt > 0)
  t.match(await fileAt(`requests/tombstones/${waiting.ID}.yaml`), /kind: Tombstone[\s\S]*removedAt:/)
  t.equal(await fileAt(`requests/${waiting.ID}.yaml`), undefined)
  t.equal((await send(url, 'DELETE', `/api/installation/${waiting.ID}`)).status, 400, 'it is deleted already')
  t.equal((await send(url, 'POST', '/api/installations', { body })).status, 202, 'the name can be had again')
  const listed = (await send(url, 'GET', '/api/installations?include_deleted=true&name=nowhere')).body
  t.same(
    listed.map(({ State }: { State: string }) => State),
    ['deleted', 'creation-no-compatible-clusters'],
  )
})

test('one that never ran and has a cluster is prepared to go, and stays until it is seen gone', async (t) => {
  const { body } = await send(url, 'POST', '/api/installations', { body: installationBody('placed') })
  const path = `/api/installation/${body.ID}`
  const plan = await send(url, 'DELETE', `${path}?dry_run=true`)
  t.match(plan, { status: 200, body: { subject: 'Delete installation placed, which never ran' } })
  t.match((await send(url, 'GET', path)).body, { State: 'creation-requested' }, 'a plan changes nothing')
  t.equal((await send(url, 'DELETE', path)).status, 202)
  const tombstone = await until(
    async () => parts.writer.fleet.tombstone(body.ID),
    (found) => found !== undefined,
  )
  t.match(tombstone?.spec, { actor: 'admin', keep: { database: true } })
  const shown = (await send(url, 'GET', path)).body
  t.match(shown, { DeleteAt: 0, State: /^deletion-(requested|in-progress)$/ })
  t.match((await send(url, 'GET', '/api/installations?name=placed')).body, [{ ID: body.ID, DeleteAt: 0 }])
  const all = (await send(url, 'GET', '/api/installations?name=placed&include_deleted=true')).body
  t.equal(all.length, 1, 'it is not deleted yet')
})

test('the server ends', async () => {
  await server.close()
})
