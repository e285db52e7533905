import { createHmac } from 'node:crypto'
import { test } from 'tap'
import { send } from '../support/api.ts'
import { runHere } from '../support/command-line.ts'
import { startTestServer, TOKEN } from '../support/server.ts'

const SECRET = 'for-tests-only'
/** A forge that does not answer. */
const server = await startTestServer('all', undefined, {
  ...{ forge: 'gitea', 'forge-url': 'http://127.0.0.1:9', 'forge-repository': 'team/fleet' },
  ...{ 'forge-token': 'for-tests-only', 'forge-hook-secret': SECRET },
})
const { url } = server

interface Sent {
  readonly secret?: string
  readonly delivery?: string
  readonly headers?: Readonly<Record<string, string>>
}

async function hook(body: object, { secret = SECRET, delivery = '1', headers = {} }: Sent = {}) {
  const signature = createHmac('sha256', secret).update(JSON.stringify(body)).digest('hex')
  const own = { 'x-gitea-event': 'push', 'x-gitea-delivery': delivery, 'x-gitea-signature': signature }
  const sending = { token: null, body, headers: { ...own, ...headers } }
  return await send(url, 'POST', '/api/fleet/hooks/gitea', sending)
}

const PUSH = { repository: { full_name: 'team/fleet' }, ref: 'refs/heads/main' }

test('a signed hook needs no token, and is answered alike when it is replayed', async (t) => {
  t.match(await hook(PUSH), { status: 202, body: { taken: true } })
  t.match(await hook(PUSH), { status: 202, body: { taken: true } })
  const { text } = await send(url, 'GET', '/metrics')
  t.match(text, /fleetwright_forge_hooks_total\{outcome="replayed"\} 1/)
})

test('forged, foreign, huge and misdirected ones are refused with a problem document', async (t) => {
  t.match(await hook(PUSH, { secret: 'guessed' }), { status: 401, body: { code: 'unauthenticated' } })
  const other = { ...PUSH, repository: { full_name: 'team/other' } }
  t.match(await hook(other), { status: 403, body: { code: 'forbidden' } })
  const huge = { ...PUSH, text: 'x'.repeat(1024 * 1024) }
  t.match(await hook(huge), { status: 413, body: { code: 'body-too-large' } })
  const form = { headers: { 'content-type': 'application/x-www-form-urlencoded' } }
  t.match(await hook(PUSH, form), { status: 415, body: { code: 'unsupported-media-type' } })
  t.match(await send(url, 'POST', '/api/fleet/hooks/github', { token: null, body: PUSH }), {
    status: 404,
    body: { code: 'not-found' },
  })
})

test('a forge that does not answer is a problem, and the server is ready all the same', async (t) => {
  const { body } = await send(url, 'GET', '/api/fleet/problems')
  t.match(body.problems, [{ path: '.', code: 'forge-unavailable' }])
  t.equal((await send(url, 'GET', '/readyz')).status, 200)
  t.match(await send(url, 'GET', '/api/fleet/pull-requests'), { status: 200, body: { pullRequests: [] } })
  const shown = await runHere(['pull-requests', '--server', url], { FLEETWRIGHT_TOKEN: TOKEN })
  t.match(shown, { code: 0, stdout: 'No pull request is open.\n' })
})

test('the server closes', (t) => t.resolves(server.close()))
