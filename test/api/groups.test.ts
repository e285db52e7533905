import { test } from 'tap'
import { createStable, importCluster, send } from '../support/api.ts'
import { startTestServer } from '../support/server.ts'

const server = await startTestServer('all')
const { url } = server
const { parts } = server.server
await importCluster(url)

const TOLERATIONS = [
  [{ operator: 'Exists' }, undefined],
  [{ key: 'a', value: 'b', effect: 'NoSchedule' }, undefined],
  [{ key: 'example.com/a', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 60 }, undefined],
  [{}, '/key'],
  [{ key: 'a b' }, '/key'],
  [{ key: 5 }, '/key'],
  [{ key: 'a', operator: 'Near' }, '/operator'],
  [{ key: 'a', operator: 'Exists', value: 'b' }, '/value'],
  [{ key: 'a', value: 'with space' }, '/value'],
  [{ key: 'a', effect: 'Never' }, '/effect'],
  [{ key: 'a', effect: 'NoSchedule', tolerationSeconds: 60 }, '/tolerationSeconds'],
  [{ key: 'a', effect: 'NoExecute', tolerationSeconds: 'long' }, '/tolerationSeconds'],
  [{ key: 'a', 'x/y': 1 }, '/x~1y'],
] as const

test('tolerations follow the rules of Kubernetes', async (t) => {
  for (const [at, [toleration, wrong]] of TOLERATIONS.entries()) {
    const reply = await send(url, 'POST', '/api/groups', {
      body: { Name: `ring-${at}`, Scheduling: { Tolerations: [toleration] } },
    })
    if (wrong === undefined) t.equal(reply.status, 200, JSON.stringify(toleration))
    else
      t.match(
        reply,
        { status: 400, body: { errors: [{ pointer: `/Scheduling/Tolerations/0${wrong}` }] } },
        wrong,
      )
  }
})

const SELECTORS = [
  [{ 'example.com/role': 'app' }, 200],
  [{ role: '' }, 200],
  [{ '': 'a' }, 400],
  [{ 'bad key': 'a' }, 400],
  [{ role: '-a' }, 400],
  [{ role: 'x'.repeat(64) }, 400],
] as const

test('node selectors are labels of Kubernetes, in creation and change', async (t) => {
  const { body: group } = await send(url, 'POST', '/api/groups', { body: { Name: 'selectors' } })
  for (const [at, [NodeSelector, status]] of SELECTORS.entries()) {
    const body = { Name: `selector-${at}`, Scheduling: { NodeSelector } }
    t.equal((await send(url, 'POST', '/api/groups', { body })).status, status, JSON.stringify(NodeSelector))
    const change = await send(url, 'PUT', `/api/group/${group.ID}`, {
      body: { Scheduling: { NodeSelector } },
    })
    t.equal(change.status, status)
  }
})

test('a change of a group waits for its rollout: members keep what they run', async (t) => {
  const { body: group } = await send(url, 'POST', '/api/groups', {
    body: { Name: 'ring', Version: '11.1.0' },
  })
  const id = await createStable(server, 'member', { GroupID: group.ID })
  const path = `clusters/prod-1/installations/${id[0]}/${id}/manifest.yaml`
  const before = await parts.history.fileAt(parts.writer.head, path)
  const changed = await send(url, 'PUT', `/api/group/${group.ID}`, {
    body: { Version: '11.2.0', Scheduling: { NodeSelector: { role: 'app' } } },
  })
  t.match(changed.body, { Sequence: 1, Version: '11.2.0' })
  t.equal(await parts.history.fileAt(parts.writer.head, path), before)
  t.match((await send(url, 'GET', `/api/group/${group.ID}/status`)).body, {
    InstallationsTotal: 1,
    InstallationsUpdated: 0,
    InstallationsAwaitingUpdate: 1,
  })
  t.match((await send(url, 'GET', `/api/installation/${id}`)).body, { Version: '11.2.0', GroupID: group.ID })
})

const JOINING = [
  ['malformed', 404],
  ['aaaaaaaaaaaaaaaaaaaaaaaaaa', 404],
] as const

test('only groups that are there can be joined, and those in use cannot be deleted', async (t) => {
  const { body: group } = await send(url, 'POST', '/api/groups', { body: { Name: 'used' } })
  const id = await createStable(server, 'joining')
  for (const [name, status] of JOINING)
    t.equal((await send(url, 'PUT', `/api/installation/${id}/group/${name}`)).status, status, name)
  t.equal((await send(url, 'PUT', `/api/installation/${id}/group/${group.ID}`)).status, 200)
  t.match(await send(url, 'DELETE', `/api/group/${group.ID}`), { status: 403, body: { code: 'guarded' } })
  t.equal((await send(url, 'DELETE', `/api/installation/${id}/group`)).status, 200)
  t.equal((await send(url, 'DELETE', `/api/group/${group.ID}`)).status, 200)
  t.match(await send(url, 'PUT', `/api/installation/${id}/group/${group.ID}`), {
    status: 400,
    body: { detail: /was deleted/ },
  })
})

test('the server ends', async () => {
  await server.close()
})
