import { connect } from 'node:net'
import { Registry } from 'prom-client'
import { t, test } from 'tap'
import { type ApiServer, createApiServer } from '../../src/api/server.ts'
import { send } from '../support/api.ts'
import { startTestServer, type TestServer, TOKEN } from '../support/server.ts'

t.setTimeout(120_000)

const HEAD = `Host: test\r\nAuthorization: Bearer ${TOKEN}\r\n`
const MEBIBYTE = 1024 * 1024

/** Sends bytes as they are, piece by piece, and reads until the server closes or the answer is whole. */
async function talk(port: number, pieces: readonly string[], pause = 0): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  const chunks: Buffer[] = []
  socket.on('data', (chunk) => chunks.push(chunk))
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  // The server may close while we still write: that is what the tests are about.
  socket.on('error', () => undefined)
  for (const piece of pieces) {
    if (socket.destroyed) break
    socket.write(piece)
    if (pause > 0) await new Promise((resolve) => setTimeout(resolve, pause))
  }
  await closed
  return Buffer.concat(chunks).toString('utf8')
}

/** The same server with limits that a test can wait for. */
async function impatient(server: TestServer): Promise<{ readonly api: ApiServer; readonly port: number }> {
  const { parts } = server.server
  const options = {
    ...parts.options,
    headersTimeoutMilliseconds: 500,
    requestTimeoutMilliseconds: 1000,
  }
  const api = createApiServer({ ...parts, registry: new Registry(), options })
  const { port } = await api.listen({ host: '127.0.0.1', port: 0 })
  return { api, port }
}

function portOf(url: string): number {
  return Number(new URL(url).port)
}

function problemIn(answer: string): unknown {
  return JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4))
}

test('a body over the limit is refused, and the connection ends', async (t) => {
  const server = await startTestServer()
  t.teardown(() => server.close())
  const port = portOf(server.url)
  const announced = await talk(port, [
    `POST /api/clusters HTTP/1.1\r\n${HEAD}Content-Length: ${2 * MEBIBYTE}\r\n\r\n`,
  ])
  t.match(announced, /^HTTP\/1\.1 413 /, 'before a byte of it came')
  t.match(announced, /^Connection: close\r$/im)
  t.match(problemIn(announced), { status: 413, code: 'body-too-large', detail: /1048576 bytes/ })
  const piece = `${(MEBIBYTE / 2).toString(16)}\r\n${' '.repeat(MEBIBYTE / 2)}\r\n`
  const chunked = await talk(port, [
    `POST /api/clusters HTTP/1.1\r\n${HEAD}Transfer-Encoding: chunked\r\n\r\n`,
    piece,
    piece,
    piece,
  ])
  t.match(chunked, /^HTTP\/1\.1 413 /, 'when it does not say its size')
  const fits = await send(server.url, 'POST', '/api/clusters/import', {
    body: { 'external-cluster-secret-name': 'prod-1', padding: ' '.repeat(MEBIBYTE - 200) },
  })
  t.equal(fits.status, 202, 'up to the limit it is read')
})

test('slow senders are cut off, and others are served meanwhile', async (t) => {
  const server = await startTestServer()
  t.teardown(() => server.close())
  const { api, port } = await impatient(server)
  t.teardown(() => api.close())
  const started = Date.now()
  const slowHead = talk(port, ['POST /api/clusters HTTP/1.1\r\n', ...'Host: test'.repeat(30)], 100)
  const slowBody = talk(
    port,
    [`POST /api/clusters HTTP/1.1\r\n${HEAD}Content-Length: 300\r\n\r\n`, ...'{'.repeat(300)],
    100,
  )
  const other = await send(`http://127.0.0.1:${port}`, 'GET', '/api/clusters')
  t.equal(other.status, 200)
  t.match(await slowHead, /^HTTP\/1\.1 408 /, 'headers')
  t.match(await slowBody, /^HTTP\/1\.1 4(?:08|00) /, 'body')
  t.ok(Date.now() - started < 25_000, 'long before all was sent')
  t.same((await send(server.url, 'GET', '/api/clusters')).body, [], 'nothing was made of them')
})

test('a sender that goes away half-way changes nothing', async (t) => {
  const server = await startTestServer()
  t.teardown(() => server.close())
  const socket = connect(portOf(server.url), '127.0.0.1')
  const body = '{"external-cluster-secret-name":"prod-1"}'
  socket.write(
    `POST /api/clusters/import HTTP/1.1\r\n${HEAD}Content-Length: ${body.length + 1}\r\n\r\n${body}`,
  )
  await new Promise((resolve) => setTimeout(resolve, 100))
  socket.destroy()
  t.same((await send(server.url, 'GET', '/api/clusters')).body, [])
})

const BROKEN: readonly (readonly [string, RegExp])[] = [
  ['{', /line 1, column 2 \(character 1\)/],
  ['x', /line 1, column 1 \(character 0\)/],
  ['{"Name":x}', /line 1, column 9 \(character 8\)/],
  ['{"Name":"a",}', /line 1, column 13 \(character 12\)/],
  ['{\n  "Name": "a"\n  "Version": "b"\n}', /line 3, column 3/],
  ['{"Name":"a"} {"Name":"b"}', /column 14/],
  ['{"Name":"a"}}', /column 13/],
  ['nul', /character 3/],
  ['{"a":1,"a":2}', /\/a is given twice, again at character 7/],
  ['{"a":{"b":1,"b":2}}', /\/a\/b is given twice/],
  ['{"__proto__":{}}', /not allowed as a key/],
  [`${'['.repeat(65)}${']'.repeat(65)}`, /deeper than 64 levels/],
  [`${'{"a":'.repeat(65)}1${'}'.repeat(65)}`, /deeper than 64 levels/],
  [`${'['.repeat(400_000)}${']'.repeat(400_000)}`, /deeper than 64 levels/],
  ['['.repeat(900_000), /character 900000/],
]

test('broken and deep JSON is refused with the place, and none of its text', async (t) => {
  const server = await startTestServer()
  t.teardown(() => server.close())
  for (const [body, detail] of BROKEN) {
    const response = await fetch(`${server.url}/api/groups`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKEN}` },
      body,
    })
    const problem = await response.json()
    t.match(problem, { status: 400, code: 'invalid-json', detail }, body.slice(0, 40))
    t.match(response.headers.get('content-type'), /^application\/problem\+json/)
  }
  const secret = await fetch(`${server.url}/api/installations`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TOKEN}` },
    body: '{"License":"licence-of-the-test" oops}',
  })
  t.notMatch(await secret.text(), /licence-of-the-test/)
})

test('a path nobody knows is answered as the original does it, below /api/fleet with a problem', async (t) => {
  const server = await startTestServer()
  t.teardown(() => server.close())
  const { url } = server
  const original = await send(url, 'GET', '/api/nowhere')
  t.match(original, { status: 404, text: '404 page not found\n' })
  const own = await send(url, 'DELETE', '/api/fleet/history')
  t.match(own, { status: 404, body: { code: 'not-found', detail: /There is no DELETE .*openapi\.json/ } })
})
