/** What comes back from a Gitea that is not well, or from something in front of it. */
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { inspect } from 'node:util'
import { type Test, test } from 'tap'
import { isFleetError } from '../../src/fleet/errors.ts'
import { createGiteaForge } from '../../src/forge/gitea/forge.ts'
import { rotatedToken } from '../../src/forge/token.ts'
import type { Forge } from '../../src/ports/forge.ts'
import { systemClock } from '../../src/system/clock.ts'

const TOKEN = '0123456789abcdef0123456789abcdef01234567'

async function forgeBefore(t: Test, answer: RequestListener): Promise<Forge> {
  const server = createServer(answer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  const forge = createGiteaForge({
    server: `http://127.0.0.1:${port}/`,
    repository: 'acme/fleet',
    token: rotatedToken(async () => TOKEN),
    clock: systemClock,
    limits: { milliseconds: 500, bytes: 10_000 },
  })
  t.teardown(async () => {
    await forge.stop()
    server.closeAllConnections()
    server.close()
  })
  return forge
}

const CASES: readonly (readonly [what: string, answer: RequestListener, wanted: object])[] = [
  [
    'too many requests',
    (_, response) => response.writeHead(429, { 'Retry-After': '7' }).end('slow down'),
    { code: 'forge-unavailable', data: { retryAfter: 7000 } },
  ],
  [
    'a proxy without the forge',
    (_, response) => response.writeHead(502, { 'Content-Type': 'text/html' }).end('<html>Bad gateway'),
    { code: 'forge-unavailable', data: { status: 502 } },
  ],
  [
    'a page to log in',
    (_, response) => response.writeHead(200, { 'Content-Type': 'text/html' }).end('<html>Log in'),
    { code: 'forge-unavailable', message: /not JSON.*proxy/ },
  ],
  [
    'a list that is none',
    (_, response) => response.end('{"pulls":1}'),
    { code: 'forge-unavailable', message: /must be a list/ },
  ],
  [
    'a pull request without a head',
    (_, response) => response.end('[{"number":1}]'),
    { code: 'forge-unavailable', message: /pull requests 0, head must be an object/ },
  ],
  [
    'an answer without end',
    (_, response) => response.end(`[${'"x",'.repeat(10_000)}"x"]`),
    { code: 'forge-unavailable', message: /longer than 10000 bytes/ },
  ],
  ['no answer at all', () => undefined, { code: 'forge-unavailable', message: /in time/ }],
  ['a connection that breaks', (request) => void request.socket.destroy(), { code: 'forge-unavailable' }],
  [
    'another place',
    (_, response) => response.writeHead(302, { Location: 'http://elsewhere.invalid/' }).end(),
    { code: 'forge-refused', message: /moved/ },
  ],
  [
    'a token that is not valid',
    (_, response) => response.writeHead(401).end(`{"message":"bad token"}`),
    { code: 'forge-denied', message: /bad token/ },
  ],
  [
    'a right that is missing',
    (_, response) => response.writeHead(403).end('{"message":"needs [read:repository]"}'),
    { code: 'forge-denied', message: /needs \[read:repository\]/ },
  ],
  [
    'pages without end',
    (_, response) => response.writeHead(200, { Link: '<http://x/?page=2>; rel="next"' }).end('[]'),
    { code: 'forge-refused', message: /more than 100 pages/ },
  ],
]

for (const [what, answer, wanted] of CASES)
  test(what, async (t) => {
    const forge = await forgeBefore(t, answer)
    const error = await forge.openPullRequests('main').then(
      () => undefined,
      (error: unknown) => error,
    )
    t.ok(isFleetError(error))
    t.match(error, wanted)
    t.notOk(inspect(error, { depth: 9 }).includes(TOKEN))
  })

test('the token goes in a header, and to this server only', async (t) => {
  const seen: (readonly [string | undefined, string | undefined])[] = []
  const forge = await forgeBefore(t, (request, response) => {
    seen.push([request.url, request.headers.authorization])
    response.end('[]')
  })
  t.same(await forge.openPullRequests('ma/in&x=1'), [])
  t.strictSame(seen, [
    [
      '/api/v1/repos/acme/fleet/pulls?state=open&sort=oldest&base_branch=ma%2Fin%26x%3D1&limit=50&page=1',
      `token ${TOKEN}`,
    ],
  ])
})

test('a repository has an owner and a name', async (t) => {
  const token = rotatedToken(async () => TOKEN)
  for (const repository of ['fleet', 'acme/', '/fleet', 'acme/fleet/x', '../..', 'acme/a b', 'acme/fleet?x'])
    t.throws(
      () => createGiteaForge({ server: 'https://git.example.com', repository, token, clock: systemClock }),
      { code: 'invalid-configuration' },
      repository,
    )
})
