import { execFileSync } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Test, test } from 'tap'
import type { ObjectId } from '../../src/fleet/ids.ts'
import type { RepositoryHome } from '../../src/git/contracts.ts'
import { createCredentials } from '../../src/git/remote/credentials.ts'
import { remoteHome } from '../support/git-server/home.ts'
import { type Fault, GIT_TOKEN, type GitServer, startGitServer } from '../support/git-server/server.ts'
import { commitAs, MAIN, makeCommit, pushMain } from './home-contract.ts'

interface Started {
  readonly server: GitServer
  readonly folder: string
  readonly home: RepositoryHome
  readonly first: ObjectId
}

async function serverAndFolder(t: Test, branch?: string): Promise<Omit<Started, 'home' | 'first'>> {
  const server = await startGitServer(branch === undefined ? {} : { branch })
  const folder = await mkdtemp(join(tmpdir(), 'fleetwright-'))
  t.teardown(async () => {
    await server.close()
    await rm(folder, { recursive: true, force: true })
  })
  return { server, folder }
}

async function start(t: Test, extra: Parameters<typeof remoteHome>[2] = {}): Promise<Started> {
  const { server, folder } = await serverAndFolder(t)
  const home = await remoteHome(server, folder, extra)
  t.teardown(() => home.close())
  const first = await makeCommit(home, undefined, { 'a.yaml': 'a: 1\n' })
  await pushMain(home, undefined, first)
  return { server, folder, home, first: first.oid }
}

const LOST: readonly (readonly [Fault['kind'] & ('cut-before' | 'cut-after' | 'half-answer'), boolean])[] = [
  ['cut-before', false],
  ['cut-after', true],
  ['half-answer', true],
]

test('a push whose answer does not come whole is unavailable, and a fetch shows whether it went in', async (t) => {
  const { server, home, first } = await start(t)
  let tip = first
  for (const [kind, written] of LOST) {
    const next = await makeCommit(home, tip, { 'a.yaml': `a: ${kind}\n` })
    server.fail('receive-pack', { kind })
    await t.rejects(pushMain(home, tip, next), { code: 'remote-unavailable' }, kind)
    const now = (await home.fetch()).get(MAIN)
    t.equal(now, written ? next.oid : tip, kind)
    if (now !== undefined) tip = now
    t.equal((await home.objects.commit(tip)).parents.length, tip === first ? 0 : 1)
  }
})

const STATUSES: readonly (readonly [number, string])[] = [
  [302, 'remote-denied'],
  [401, 'remote-denied'],
  [403, 'remote-denied'],
  [404, 'remote-denied'],
  [413, 'remote-refused'],
  [422, 'remote-refused'],
  [429, 'remote-unavailable'],
  [500, 'remote-unavailable'],
  [503, 'remote-unavailable'],
]

test('each status has its error, with the words of the server and without the token', async (t) => {
  const { server, home, first } = await start(t)
  const next = await makeCommit(home, first, { 'a.yaml': 'a: 2\n' })
  for (const [status, code] of STATUSES) {
    const text = `Sorry \u001b[31mnot now\u001b[0m\r\n${GIT_TOKEN}\u0007`
    server.fail('receive-pack', { kind: 'status', status, text })
    const error = await pushMain(home, first, next).then(
      () => undefined,
      (thrown: unknown) => thrown,
    )
    t.match(error, { code }, `${status}`)
    const message = error instanceof Error ? error.message : ''
    t.notMatch(message, new RegExp(`${GIT_TOKEN}|[\\u0000-\\u001f]`), `${status}: ${message}`)
    if (status !== 302) t.match(message, /Sorry not now \*\*\*/)
  }
  t.equal((await home.tips()).get(MAIN), first)
})

test('a redirect is not followed, and the token goes nowhere else', async (t) => {
  const { server, home } = await start(t)
  let visits = 0
  const elsewhere = createServer((_request, response) => {
    visits += 1
    response.end()
  })
  await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve))
  t.teardown(() => new Promise((resolve) => elsewhere.close(resolve)))
  const { port } = elsewhere.address() as AddressInfo
  const location = `http://127.0.0.1:${port}/moved.git?secret=1`
  server.fail('upload-pack', { kind: 'status', status: 307, headers: { Location: location } })
  await t.rejects(home.fetch(), {
    code: 'remote-denied',
    message: `The fleet repository has moved to http://127.0.0.1:${port}/moved.git; set fleet to where it is now.`,
  })
  t.equal(visits, 0)
})

test('a token that was rotated in its file is noticed', async (t) => {
  const { server, folder } = await serverAndFolder(t)
  const tokenFile = join(folder, 'token')
  await writeFile(tokenFile, `${GIT_TOKEN}\n`)
  const home = await remoteHome(server, folder, { credentials: createCredentials({ user: 'x', tokenFile }) })
  t.teardown(() => home.close())
  const first = await makeCommit(home, undefined, { 'a.yaml': 'a: 1\n' })
  await pushMain(home, undefined, first)
  server.setToken('another-token')
  const next = await makeCommit(home, first.oid, { 'a.yaml': 'a: 2\n' })
  await t.rejects(pushMain(home, first.oid, next), {
    code: 'remote-denied',
    message: /does not accept the token/,
  })
  await writeFile(tokenFile, 'another-token')
  t.same(await pushMain(home, first.oid, next), { outcome: 'accepted' })
  await commitAs(server.directory, { 'b.yaml': 'b: 1\n' })
  t.ok(await home.fetch(), 'native git has the new token too')
  await rm(tokenFile)
  await t.rejects(home.tips(), { code: 'remote-denied', message: /token file .* cannot be read/ })
})

test('a server that falls silent is given up', async (t) => {
  const { server, home } = await start(t, {
    limits: { silenceMilliseconds: 2_000, totalMilliseconds: 60_000 },
  })
  server.fail('upload-pack', { kind: 'slow', milliseconds: 4_000 })
  await t.rejects(home.tips(), { code: 'remote-unavailable', message: /no sign of life/ })
  t.ok(await home.tips())
})

test('a push is one request on a connection that stays, a look at the tips is one small one, and no file holds the token', async (t) => {
  const { server, home, first, folder } = await start(t)
  const before = server.requests.length
  const connections = server.connections()
  const next = await makeCommit(home, first, { 'a.yaml': 'a: 2\n' })
  await pushMain(home, first, next)
  t.same(
    server.requests.slice(before).map(({ line }) => line),
    ['POST /fleet.git/git-receive-pack'],
  )
  t.ok((server.requests.at(-1)?.bytes ?? 0) < 1_000, 'only what is new')
  await home.fetch()
  t.same(
    server.requests.slice(before + 1).map(({ line }) => line),
    ['POST /fleet.git/git-upload-pack'],
  )
  t.equal(server.connections(), connections)
  await commitAs(server.directory, { 'b.yaml': 'b: 1\n' })
  await home.fetch()
  const basic = Buffer.from(`fleetwright:${GIT_TOKEN}`).toString('base64')
  const names = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = names.filter((entry) => entry.isFile())
  t.ok(files.length > 5)
  for (const file of files) {
    const content = await readFile(join(file.parentPath, file.name), 'latin1')
    t.notOk(content.includes(GIT_TOKEN) || content.includes(basic), file.name)
  }
})

test('a repository whose default branch is not main, with other object ids, or out of reach, is refused clearly', async (t) => {
  const { server, folder } = await serverAndFolder(t, 'master')
  const seed = execFileSync('git', ['hash-object', '-t', 'tree', '-w', '--stdin'], {
    env: { ...process.env, GIT_DIR: server.directory },
    input: '',
    encoding: 'utf8',
  })
  const commit = server.git(
    '-c',
    'user.name=G',
    '-c',
    'user.email=g@e',
    'commit-tree',
    '-m',
    'x',
    seed.trim(),
  )
  server.git('update-ref', 'refs/heads/master', commit.trim())
  await t.rejects(remoteHome(server, folder), {
    code: 'invalid-configuration',
    message: /is master.*writes main/s,
  })
  await t.rejects(remoteHome({ url: `${server.url}/nothing-here` }, folder), { code: 'remote-denied' })
  await t.rejects(remoteHome({ url: 'http://127.0.0.1:9/fleet.git' }, folder), { code: 'remote-unavailable' })
  const other = await startGitServer({ objectFormat: 'sha256' })
  t.teardown(() => other.close())
  await t.rejects(remoteHome(other, folder), { code: 'invalid-configuration', message: /object-format=sha1/ })
})

test('a damaged clone is made again, a rewritten main is noticed after a restart', async (t) => {
  const { server, folder, home, first } = await start(t)
  const next = await makeCommit(home, first, { 'a.yaml': 'a: 2\n' })
  await pushMain(home, first, next)
  const packs = join(home.gitDirectory, 'objects', 'pack')
  await home.close()
  for (const name of await readdir(packs)) await rm(join(packs, name))
  const again = await remoteHome(server, folder)
  t.equal((await again.objects.commit(next.oid)).parents[0], first)
  await again.close()
  server.git('update-ref', 'refs/heads/main', first)
  await t.rejects(remoteHome(server, folder), { code: 'history-rewritten' })
  server.git('update-ref', '-d', 'refs/heads/main')
  await t.rejects(remoteHome(server, folder), { code: 'history-rewritten' })
  server.git('update-ref', 'refs/heads/main', next.oid)
  await (await remoteHome(server, folder)).close()
})
