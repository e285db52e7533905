import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Test, test } from 'tap'
import { composeServer, type RunningServer } from '../../src/cli/compose.ts'
import { readConfiguration } from '../../src/configuration/read.ts'
import { commitAs } from '../git/home-contract.ts'
import { importCluster, send } from '../support/api.ts'
import { GIT_TOKEN, type GitServer, startGitServer } from '../support/git-server/server.ts'
import { TOKEN } from '../support/server.ts'

/** A whole server whose fleet repository is on a git server. */
async function serve(t: Test, repository: GitServer): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'fleetwright-'))
  const server = await compose(folder, repository, { FLEETWRIGHT_FLEET_TOKEN: GIT_TOKEN })
  t.teardown(async () => {
    await server.close()
    await rm(folder, { recursive: true, force: true })
  })
  return (await server.api.listen({ host: '127.0.0.1', port: 0 })).url
}

async function compose(
  data: string,
  { url: fleet }: GitServer,
  login: Readonly<Record<string, string>>,
  more: Readonly<Record<string, string>> = {},
): Promise<RunningServer> {
  const environment = { FLEETWRIGHT_ADMIN_TOKEN: TOKEN, ...login }
  const flags = { data, fleet, 'poll-seconds': '1', 'log-level': 'silent', ...more }
  return await composeServer(readConfiguration({ flags, environment }), '0.0.0')
}

async function until<Value>(look: () => Promise<Value>, holds: (value: Value) => boolean): Promise<Value> {
  for (let tries = 0; ; tries += 1) {
    const value = await look()
    if (holds(value) || tries === 150) return value
    await sleep(100)
  }
}

test('a server polls its repository, says when it cannot write, and goes on when that is put right', async (t) => {
  const repository = await startGitServer()
  t.teardown(() => repository.close())
  const url = await serve(t, repository)
  t.equal((await send(url, 'GET', '/readyz', { token: null })).status, 200)
  await importCluster(url)
  t.equal(
    (await send(url, 'GET', '/fleet.git/info/refs?service=git-upload-pack')).status,
    404,
    'clone it from there',
  )

  await commitAs(repository.directory, { 'requests/bad.yaml': 'kind: Nothing\n' })
  const problems = await until(
    async () => (await send(url, 'GET', '/api/fleet/problems')).body.problems,
    (found) => found[0]?.author !== undefined,
  )
  t.match(problems[0], { path: 'requests/bad.yaml', line: 1, author: 'Grace <grace@example.com>' })

  const main = repository.git('rev-parse', 'main').trim()
  repository.git('update-ref', 'refs/heads/main', 'main~1')
  const readiness = (): ReturnType<typeof send> => send(url, 'GET', '/readyz', { token: null })
  const broken = await until(readiness, ({ status }) => status === 503)
  t.match(broken.body, { status: 'not-ready', code: 'history-rewritten', reason: new RegExp(main) })
  t.match((await send(url, 'GET', '/api/fleet/problems')).body.problems[0], {
    path: '.',
    code: 'history-rewritten',
  })
  const refused = await send(url, 'POST', '/api/groups', { body: { Name: 'canary', MaxRolling: 1 } })
  t.match(refused, { status: 503, body: { code: 'history-rewritten' } })

  repository.git('update-ref', 'refs/heads/main', main)
  t.equal((await until(readiness, ({ status }) => status === 200)).status, 200)
  t.equal((await send(url, 'POST', '/api/groups', { body: { Name: 'canary', MaxRolling: 1 } })).status, 200)
})

test('two servers on one repository carry out a request once that is sent to both with the same key', async (t) => {
  const repository = await startGitServer()
  t.teardown(() => repository.close())
  const one = await serve(t, repository)
  const two = await serve(t, repository)
  const sending = { headers: { 'Idempotency-Key': 'only-once' }, body: { Name: 'canary', MaxRolling: 1 } }
  const replies = await Promise.all([one, two].map((url) => send(url, 'POST', '/api/groups', sending)))
  t.same(
    replies.map(({ status }) => status),
    [200, 200],
  )
  t.equal(replies[0]?.body.ID, replies[1]?.body.ID)
  t.equal(replies.filter(({ headers }) => headers.get('idempotency-replayed') === 'true').length, 1)
  t.equal((await send(two, 'POST', '/api/groups', { ...sending, body: { Name: 'other' } })).status, 422)
  t.match(repository.git('log', '--format=%s', 'main'), /^[^\n]*canary[^\n]*\nStart the fleet\n$/)
})

test('a token that is revoked stops writing, says so, and loses nothing; a new one in its file goes on', async (t) => {
  const repository = await startGitServer()
  t.teardown(() => repository.close())
  const folder = t.testdir({ token: GIT_TOKEN })
  const file = join(folder, 'token')
  const server = await compose(join(folder, 'data'), repository, { FLEETWRIGHT_FLEET_TOKEN_FILE: file })
  t.teardown(() => server.close())
  const { url } = await server.api.listen({ host: '127.0.0.1', port: 0 })
  const create = (name: string): ReturnType<typeof send> =>
    send(url, 'POST', '/api/groups', { body: { Name: name, MaxRolling: 1 } })
  const readiness = (): ReturnType<typeof send> => send(url, 'GET', '/readyz', { token: null })
  t.equal((await create('before')).status, 200)

  repository.setToken('another-token')
  t.match(await create('meanwhile'), {
    status: 502,
    body: { code: 'remote-denied', detail: /does not accept the token/ },
  })
  t.match(await until(readiness, ({ status }) => status === 503), { body: { code: 'remote-denied' } })
  const { body } = await send(url, 'GET', '/api/fleet/problems')
  t.match(body.problems[0], { path: '.', code: 'remote-denied' })
  t.notMatch(JSON.stringify(body), new RegExp(GIT_TOKEN))
  t.equal((await send(url, 'GET', '/api/groups')).body.length, 1, 'reading goes on')

  await writeFile(file, 'another-token')
  t.equal((await until(readiness, ({ status }) => status === 200)).status, 200)
  t.equal((await create('after')).status, 200)
  t.same((await send(url, 'GET', '/api/fleet/problems')).body.problems, [])
  const log = repository.git('log', '--format=%s', 'main')
  for (const [name, count] of [
    ['before', 1],
    ['meanwhile', 0],
    ['after', 1],
  ] as const)
    t.equal(log.split('\n').filter((line) => line.includes(name)).length, count, name)
})

test('a server does not start on a repository that was emptied, and does once its history is back', async (t) => {
  const repository = await startGitServer()
  t.teardown(() => repository.close())
  const folder = t.testdir({})
  const login = { FLEETWRIGHT_FLEET_TOKEN: GIT_TOKEN }
  await (await compose(folder, repository, login)).close()
  const main = repository.git('rev-parse', 'main').trim()
  const refs = repository.git('for-each-ref', '--format=%(refname)').trim().split('\n')
  for (const ref of refs) repository.git('update-ref', '-d', ref)
  await rm(join(folder, 'remote'), { recursive: true })
  await t.rejects(compose(folder, repository, login), {
    code: 'history-rewritten',
    message: new RegExp(main),
  })
  t.equal(repository.git('for-each-ref'), '', 'nothing was written')
  repository.git('update-ref', 'refs/heads/main', main)
  const again = await compose(folder, repository, login)
  t.equal(again.parts.writer.head, main)
  await again.close()
})
