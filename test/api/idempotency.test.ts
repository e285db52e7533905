import { t, test } from 'tap'
import { hasDryRun } from '../../src/api/routes.ts'
import { routeTable } from '../../src/api/table.ts'
import { type Reply, send } from '../support/api.ts'
import { type ChangeCase, installationBody, prepareChanges } from '../support/changes.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

t.setTimeout(180_000)

async function keyed(
  server: TestServer,
  { method, path, body }: ChangeCase,
  key: string,
  more: object = {},
): Promise<Reply> {
  const all = { ...body, ...more }
  return await send(server.url, method, path, {
    headers: { 'Idempotency-Key': key },
    ...(body === undefined && Object.keys(more).length === 0 ? {} : { body: all }),
  })
}

test('every POST that commits is carried out once under a key, also after a restart', async (t) => {
  const server = await startTestServer()
  let running = server
  t.teardown(() => running.close())
  const posts = routeTable(server.server.parts).filter(
    (route) =>
      route.method === 'POST' &&
      route.wire &&
      hasDryRun(route) &&
      !route.summary.endsWith('(not available yet)'),
  )
  const operations = posts.map(({ operationId }) => operationId)
  const cases = await prepareChanges(server, operations)
  t.same(cases.map(({ operationId }) => operationId).sort(), [...operations].sort(), 'every route has a case')
  const first = new Map<string, Reply>()
  for (const request of cases) {
    const name = request.operationId
    const both = await Promise.all([keyed(server, request, name), keyed(server, request, name)])
    const [one, two] = both
    t.ok(one.status < 300, `${name}: ${one.status} ${one.text}`)
    t.equal(two.status, one.status, name)
    t.equal(two.text, one.text, `${name}: both get the same answer`)
    t.equal(both.filter(({ headers }) => headers.has('Idempotency-Replayed')).length, 1, `${name}: done once`)
    const head = server.server.parts.writer.head
    const again = await keyed(server, request, name)
    t.equal(again.text, one.text, `${name}: the same answer later`)
    t.equal(again.headers.get('Fleetwright-Commit'), one.headers.get('Fleetwright-Commit'), name)
    const other = await keyed(server, request, name, { somethingElse: true })
    t.match(other, { status: 422, body: { code: 'idempotency-conflict' } }, name)
    t.equal(server.server.parts.writer.head, head, `${name}: nothing was committed again`)
    first.set(name, one)
  }
  await server.stop()
  const restarted = await startTestServer('none', server.folder)
  running = restarted
  const head = restarted.server.parts.writer.head
  for (const request of cases) {
    const name = request.operationId
    const was = first.get(name)
    const again = await keyed(restarted, request, name)
    t.equal(again.status, was?.status, `${name}: after a restart`)
    t.equal(again.body?.ID, was?.body?.ID, `${name}: the same object`)
    t.equal(again.headers.get('Fleetwright-Commit'), was?.headers.get('Fleetwright-Commit'), name)
    t.equal(again.headers.get('Idempotency-Replayed'), 'true', name)
    const other = await keyed(restarted, request, name, { somethingElse: true })
    t.equal(other.status, 422, `${name}: another request after a restart`)
  }
  t.equal(restarted.server.parts.writer.head, head, 'nothing was committed after the restart')
})

test('a refused request leaves its key free', async (t) => {
  const server = await startTestServer()
  t.teardown(() => server.close())
  const create: ChangeCase = {
    operationId: 'createInstallation',
    method: 'POST',
    path: '/api/installations',
    body: installationBody('acme'),
  }
  t.equal((await keyed(server, { ...create, body: { Name: 'acme' } }, 'k')).status, 400)
  t.equal((await keyed(server, create, 'k')).status, 202)
})

const BAD_KEYS = ['', 'with space', 'ümlaut', 'x'.repeat(201)]

test('a key that would not fit a commit is refused', async (t) => {
  const server = await startTestServer()
  t.teardown(() => server.close())
  for (const key of BAD_KEYS) {
    const headers = { 'Idempotency-Key': key }
    const reply = await send(server.url, 'POST', '/api/clusters', { body: {}, headers })
    t.match(reply, { status: 400, body: { code: 'invalid-request', detail: /Idempotency-Key/ } }, key)
  }
  t.same((await send(server.url, 'GET', '/api/clusters')).body, [])
})

test('a route that cannot keep its answer says so', async (t) => {
  const server = await startTestServer()
  t.teardown(() => server.close())
  const reply = await send(server.url, 'POST', '/api/fleet/tokens', {
    body: { name: 'portal', role: 'writer' },
    headers: { 'Idempotency-Key': 'k' },
  })
  t.match(reply, { status: 400, body: { detail: /takes no Idempotency-Key/ } })
})

const RECEIVERS = [
  ['/api/webhooks', { OwnerID: 'o', URL: 'http://receiver.example.com/a' }],
  [
    '/api/subscriptions',
    { OwnerID: 'o', URL: 'http://receiver.example.com/b', EventType: 'resourceStateChange' },
  ],
] as const

test('receivers, which are not in git, are made once under a key too', async (t) => {
  const server = await startTestServer()
  t.teardown(() => server.close())
  for (const [path, body] of RECEIVERS) {
    const create: ChangeCase = { operationId: path, method: 'POST', path, body }
    const first = await keyed(server, create, path)
    t.equal(first.status, 202, `${path} ${first.text}`)
    const again = await keyed(server, create, path)
    t.equal(again.body.ID, first.body.ID, path)
    t.equal((await send(server.url, 'GET', path)).body.length, 1, path)
    const other = await keyed(server, { ...create, body: { ...body, OwnerID: 'p' } }, path)
    t.equal(other.status, 422, path)
  }
})
