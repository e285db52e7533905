import type { RequestListener } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { type Test, test } from 'tap'
import { createHttpPing, type HttpPingOptions } from '../../src/ping/http-ping.ts'
import type { Ping } from '../../src/ports/ping.ts'
import { selfSigned } from '../support/self-signed.ts'

const HOST = 'acme.cloud.example.com'
const tls = selfSigned([HOST])
const NEVER = new AbortController().signal

async function workspace(
  t: Test,
  answer: RequestListener,
  options: HttpPingOptions = {},
): Promise<{ readonly ping: Ping; readonly asked: string[] }> {
  const asked: string[] = []
  const server = createServer(tls, (request, response) => {
    asked.push(`${request.method} ${request.headers.host} ${request.url}`)
    answer(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  // It listens on TCP, so it has an address.
  const { port } = server.address() as AddressInfo
  const ping = createHttpPing({
    port,
    certificateAuthority: tls.cert,
    timeLimitMilliseconds: 500,
    lookup: (_name, { all }, callback) =>
      all === true ? callback(null, [{ address: '127.0.0.1', family: 4 }]) : callback(null, '127.0.0.1', 4),
    ...options,
  })
  t.teardown(async () => {
    ping.close()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  return { ping, asked }
}

test('a workspace that answers is well, and asked for nothing else', async (t) => {
  const { ping, asked } = await workspace(t, (_request, response) => response.end('{"status":"OK"}'))
  t.same(await ping.ping(HOST, NEVER), { ok: true, status: 200 })
  t.match(asked, [new RegExp(`^GET ${HOST}:\\d+ /api/v4/system/ping$`)])
})

const ANSWERS: readonly (readonly [string, RequestListener, object])[] = [
  ['says no', (_q, r) => r.writeHead(503).end(), { status: 503, detail: 'HTTP 503' }],
  ['sends elsewhere', (_q, r) => r.writeHead(302, { Location: 'https://10.0.0.1/' }).end(), { status: 302 }],
  ['says nothing', () => undefined, { status: undefined, detail: /no answer in 500 ms/ }],
  [
    'stops in the middle',
    (_q, r) => r.writeHead(200, { 'Content-Length': '9' }).write('x'),
    { status: undefined },
  ],
  ['hangs up', (q) => q.socket.destroy(), { status: undefined, detail: /does not answer/ }],
  ['never ends', (_q, r) => void r.end('x'.repeat(100_000)), { status: undefined, detail: /too long/ }],
]

for (const [what, answer, found] of ANSWERS) {
  test(`a workspace that ${what} is not well`, async (t) => {
    const { ping, asked } = await workspace(t, answer)
    t.match(await ping.ping(HOST, NEVER), { ok: false, ...found })
    t.equal(asked.length, 1, 'asked once, and nobody else')
  })
}

test('certificates are checked', async (t) => {
  const { ping } = await workspace(t, (_request, response) => response.end())
  t.match(await ping.ping('other.cloud.example.com', NEVER), { ok: false, detail: /altnames/ })
  const stranger = await workspace(t, (_request, response) => response.end(), {
    certificateAuthority: selfSigned([HOST]).cert,
  })
  t.match(await stranger.ping.ping(HOST, NEVER), { ok: false, detail: /certificate|signature/i })
})

test('addresses of the metadata services are not asked', async (t) => {
  const ping = createHttpPing({ port: 9 })
  t.teardown(() => ping.close())
  t.match(await ping.ping('169.254.169.254', NEVER), { ok: false, detail: /not allowed/ })
})

test('it ends when the process does', async (t) => {
  const { ping } = await workspace(t, () => undefined, { timeLimitMilliseconds: 60_000 })
  t.match(await ping.ping(HOST, AbortSignal.timeout(50)), { ok: false })
})
