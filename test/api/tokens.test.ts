import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Test, test } from 'tap'
import { routeTable } from '../../src/api/table.ts'
import { type Reply, send } from '../support/api.ts'
import { startTestServer, TOKEN } from '../support/server.ts'

const server = await startTestServer()
const { url } = server

async function makeToken(role: string): Promise<string> {
  const reply = await send(url, 'POST', '/api/fleet/tokens', { body: { name: `the-${role}`, role } })
  return reply.body.token
}
const TOKENS = {
  reader: await makeToken('reader'),
  writer: await makeToken('writer'),
  admin: await makeToken('admin'),
} as const
type Role = keyof typeof TOKENS

test('a token works at once, is shown once, and is kept as a hash', async (t) => {
  const made = await send(url, 'POST', '/api/fleet/tokens', { body: { name: 'portal', role: 'writer' } })
  t.match(made, { status: 201, body: { name: 'portal', role: 'writer', createdAt: /Z$/, token: /^fwt_/ } })
  t.equal(made.headers.get('cache-control'), 'no-store')
  const token = made.body.token
  const group = await send(url, 'POST', '/api/groups', { token, body: { name: 'ring', version: '1' } })
  t.equal(group.status, 200)
  const { body } = await send(url, 'GET', '/api/fleet/history?limit=1')
  t.equal(body.commits[0].actor.name, 'portal', 'its name is the author')
  const listed = await send(url, 'GET', '/api/fleet/tokens')
  t.match(listed.body.tokens, [{ name: 'admin' }, {}, {}, {}, { name: 'portal', role: 'writer' }])
  const file = await readFile(join(server.folder, 'tokens.json'), 'utf8')
  for (const secret of [token, TOKEN, ...Object.values(TOKENS)]) {
    t.notOk(listed.text.includes(secret))
    t.notOk(file.includes(secret))
  }
})

test('a revoked token is refused at once', async (t) => {
  const { body } = await send(url, 'POST', '/api/fleet/tokens', { body: { name: 'short', role: 'reader' } })
  t.equal((await send(url, 'GET', '/api/groups', { token: body.token })).status, 200)
  t.equal((await send(url, 'DELETE', '/api/fleet/tokens/short')).status, 204)
  t.match(await send(url, 'GET', '/api/groups', { token: body.token }), { status: 401 })
  t.match(await send(url, 'DELETE', '/api/fleet/tokens/short'), { status: 404, body: { code: 'not-found' } })
})

test('the last admin token stays', async (t) => {
  t.equal((await send(url, 'DELETE', '/api/fleet/tokens/the-admin')).status, 204)
  t.match(await send(url, 'DELETE', '/api/fleet/tokens/admin'), { status: 403, body: { code: 'guarded' } })
  t.equal((await send(url, 'GET', '/api/fleet/tokens')).status, 200)
})

test('tokens that are not right are refused with what would be', async (t) => {
  for (const [body, status, code] of [
    [{ name: 'x y', role: 'reader' }, 400, 'invalid-request'],
    [{ name: 'x', role: 'root' }, 400, 'invalid-request'],
    [{ name: 'x' }, 400, 'invalid-request'],
    [{ role: 'reader' }, 400, 'invalid-request'],
    [{ name: 'the-reader', role: 'admin' }, 409, 'name-taken'],
  ] as const)
    t.match(await send(url, 'POST', '/api/fleet/tokens', { body }), { status, body: { code } })
  const dry = await send(url, 'POST', '/api/fleet/tokens?dry_run=true', {
    body: { name: 'dry', role: 'reader' },
  })
  t.match(dry, { status: 400, body: { code: 'invalid-request' } }, 'there is no plan of a token')
  t.match(await send(url, 'GET', '/api/groups', { token: '' }), { status: 401 })
})

const ROLES: readonly Role[] = ['reader', 'writer', 'admin']
const routes = routeTable(server.server.parts)

test('every route refuses who has no token, an unknown one, or too small a role', async (t) => {
  for (const { method, path, role, operationId, openOnLoopback, signed } of routes) {
    if (signed) continue
    const address = path.replaceAll(/\{[^}]+\}/g, 'a'.repeat(26))
    const refused = async (token: string | null, status: number): Promise<void> => {
      const reply = await send(url, method, address, { token })
      t.equal(reply.status, status, `${operationId} with ${token === null ? 'no token' : status}`)
      checkProblem(t, reply, status)
    }
    // From elsewhere, also health needs a token: a proxy on this machine is told by its header.
    const away = { 'x-forwarded-for': '203.0.113.7' }
    t.match(await send(url, method, address, { token: null, headers: away }), { status: 401 }, operationId)
    if (openOnLoopback !== true) await refused(null, 401)
    await refused('fwt_nobody-has-this-token-0123456789', 401)
    for (const smaller of ROLES.slice(0, ROLES.indexOf(role)))
      if (smaller !== 'admin') await refused(TOKENS[smaller], 403)
  }
})

test('every role may do what its routes need', async (t) => {
  for (const { method, path, role, operationId, signed } of routes) {
    if (role === 'admin' || signed) continue
    const address = path.replaceAll(/\{[^}]+\}/g, 'a'.repeat(26))
    const { status } = await send(url, method, address, { token: TOKENS[role] })
    t.not(status, 401, operationId)
    t.not(status, 403, operationId)
  }
})

test('the roles of the table are what the methods need: nothing that changes is open to readers', async (t) => {
  for (const { method, role, operationId } of routes) if (method !== 'GET') t.not(role, 'reader', operationId)
  const admins = routes.filter(({ role }) => role === 'admin').map(({ operationId }) => operationId)
  t.same(admins.sort(), ['createToken', 'listTokens', 'revokeToken'])
})

test('what a signature lets in needs no token, and a token does not let it in', async (t) => {
  const signed = routes.filter((route) => route.signed === true).map(({ operationId }) => operationId)
  t.same(signed, ['receiveHook'])
  for (const token of [null, TOKENS.admin, 'fwt_nobody-has-this-token-0123456789'])
    t.equal((await send(url, 'POST', '/api/fleet/hooks/gitea', { token, body: {} })).status, 404, 'no forge')
})

test('health and metrics are open on loopback only', async (t) => {
  const open = routes.filter(({ openOnLoopback }) => openOnLoopback === true).map(({ path }) => path)
  t.same(open.sort(), ['/healthz', '/metrics', '/readyz'])
  for (const path of open) t.equal((await send(url, 'GET', path, { token: null })).status, 200, path)
})

function checkProblem(t: Test, { headers, body }: Reply, status: number): void {
  if (headers.get('content-type') !== 'application/problem+json') t.fail('no problem document')
  if (body.code !== (status === 401 ? 'unauthenticated' : 'forbidden')) t.fail(`code ${body.code}`)
  const challenge = headers.get('www-authenticate')
  if (status === 401 && !/^Bearer .*Basic /.test(challenge ?? '')) t.fail(`WWW-Authenticate: ${challenge}`)
  if (status === 403 && !/needs the role/.test(body.detail)) t.fail(body.detail)
}

test('the server closes', (t) => t.resolves(server.close()))
