import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'tap'
import { createStable, importCluster, send } from '../support/api.ts'
import { startTestServer } from '../support/server.ts'
import { until } from '../support/until.ts'

const server = await startTestServer('all')
const { url } = server

/** Refuses until told otherwise. */
let refuses = true
const taken: string[] = []
async function take(request: IncomingMessage): Promise<number> {
  let body = ''
  for await (const chunk of request) body += chunk
  if (!refuses) taken.push(JSON.parse(body).new_state)
  return refuses ? 410 : 200
}
const target = createServer((request, response) => {
  void take(request).then((status) => response.writeHead(status).end())
})
await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve))
// An address, because it listens on TCP.
const { port } = target.address() as AddressInfo

const webhook = await send(url, 'POST', '/api/webhooks', {
  body: { OwnerID: 'owner', URL: `http://127.0.0.1:${port}/` },
})
const receiver = webhook.body.ID
const letters = (query = '') => send(url, 'GET', `/api/fleet/dead-letters${query}`)

test('what a receiver refuses is a dead letter, with the reason', async (t) => {
  await importCluster(url)
  await createStable(server, 'one')
  const { body } = await until(letters, ({ body }) => body.total > 0)
  const [letter] = body.deadLetters
  t.match(letter, { receiver, attempts: 1, error: /410/, event: { resourceType: 'cluster' } })
  t.match((await letters(`?receiver=${receiver}&limit=1`)).body.deadLetters, { length: 1 })
})

test('dead letters are delivered again, in order, when somebody asks', async (t) => {
  const before = await until(letters, ({ body }) => body.total >= 4)
  refuses = false
  const replay = await send(url, 'POST', `/api/fleet/receivers/${receiver}/replay`, { body: {} })
  t.equal(replay.status, 200)
  t.ok(replay.body.replayed >= before.body.total)
  await until(letters, ({ body }) => body.total === 0)
  await until(
    async () => taken,
    (all) => all.length >= replay.body.replayed,
  )
  t.equal(taken[0], before.body.deadLetters[0].event.newState)
})

test('wrong questions are refused', async (t) => {
  const unknown = 'a'.repeat(26)
  t.match(await letters(`?receiver=${unknown}`), { status: 404, body: { code: 'not-found' } })
  t.match(await letters('?receiver=x'), { status: 404 })
  for (const limit of ['0', '-1', 'x', '1001'])
    t.match(await letters(`?limit=${limit}`), { status: 400, body: { errors: [{ pointer: '/limit' }] } })
  t.match(await send(url, 'POST', `/api/fleet/receivers/${unknown}/replay`, { body: {} }), { status: 404 })
  t.match(await send(url, 'POST', `/api/fleet/receivers/${receiver}/replay`, { token: null, body: {} }), {
    status: 401,
  })
  await send(url, 'DELETE', `/api/webhook/${receiver}`)
  t.match(await send(url, 'POST', `/api/fleet/receivers/${receiver}/replay`, { body: {} }), {
    status: 400,
    body: { code: 'invalid-state' },
  })
})

test('the server closes', async () => {
  await server.close()
  await new Promise((resolve) => target.close(resolve))
})
