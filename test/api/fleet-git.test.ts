import { execFile } from 'node:child_process'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { test } from 'tap'
import { createStable, importCluster, send } from '../support/api.ts'
import { startTestServer, TOKEN } from '../support/server.ts'

const run = promisify(execFile)
const server = await startTestServer('all')
const { url } = server
await importCluster(url)
for (const name of ['one', 'two', 'three']) await createStable(server, name)
const folder = await mkdtemp(join(tmpdir(), 'fleetwright-'))
const bearer = ['-c', `http.extraHeader=Authorization: Bearer ${TOKEN}`]

interface Ran {
  readonly code: number
  readonly output: string
  readonly words: string
}

/** The real git, with nothing of this machine's settings. */
async function git(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Ran> {
  const env = {
    PATH: process.env.PATH,
    HOME: folder,
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_AUTHOR_NAME: 'Ada',
    GIT_AUTHOR_EMAIL: 'ada@example.com',
    GIT_COMMITTER_NAME: 'Ada',
    GIT_COMMITTER_EMAIL: 'ada@example.com',
    ...environment,
  }
  try {
    const { stdout, stderr } = await run('git', [...args], { env, cwd: folder })
    return { code: 0, output: stdout.trim(), words: stderr }
  } catch (error) {
    if (!(error instanceof Error) || !('stderr' in error)) throw error
    return { code: 1, output: '', words: String(error.stderr) }
  }
}

function clone(name: string, ...options: readonly string[]): Promise<Ran> {
  return git([...bearer, 'clone', '--quiet', ...options, `${url}/fleet.git`, name])
}

test('a clone has the head, as Bearer and as the password of Basic', async (t) => {
  t.match(await clone('bearer'), { code: 0 })
  t.match(await git(['-C', 'bearer', 'rev-parse', 'HEAD']), { output: server.server.parts.writer.head })
  const basic = `${url.replace('http://', `http://anybody:${TOKEN}@`)}/fleet.git`
  t.match(await git(['clone', '--quiet', basic, 'basic']), { code: 0 })
  t.match(await git(['-C', 'basic', 'fsck', '--strict']), { code: 0 })
})

test('a fetch brings what came since', async (t) => {
  await clone('fetching')
  await createStable(server, 'later')
  t.match(await git([...bearer, '-C', 'fetching', 'fetch', '--quiet']), { code: 0 })
  t.match(await git(['-C', 'fetching', 'rev-parse', 'origin/main']), {
    output: server.server.parts.writer.head,
  })
})

test('a shallow clone has one commit, and can be deepened', async (t) => {
  await clone('shallow', '--depth=1')
  t.match(await git(['-C', 'shallow', 'rev-list', '--count', 'HEAD']), { output: '1' })
  t.match(await git([...bearer, '-C', 'shallow', 'fetch', '--quiet', '--unshallow']), { code: 0 })
  const { output } = await git(['-C', 'shallow', 'rev-list', '--count', 'HEAD'])
  t.ok(Number(output) >= 5, output)
})

test('a partial clone has no files until they are asked for', async (t) => {
  await clone('partial', '--filter=blob:none', '--no-checkout')
  const missing = await git(['-C', 'partial', 'rev-list', '--objects', '--missing=print', 'HEAD'])
  t.match(missing.output, /^\?[0-9a-f]{40}$/m)
  t.match(await git([...bearer, '-C', 'partial', 'show', 'HEAD:fleet.yaml']), {
    code: 0,
    output: /kind: Fleet/,
  })
})

test('one branch alone, as the engines pull it', async (t) => {
  await clone('branch', '--single-branch', '--branch=cluster/prod-1', '--depth=1')
  const names = await readdir(join(folder, 'branch'))
  t.ok(names.includes('cluster.yaml') && names.includes('installations'))
  t.notOk(names.includes('fleet.yaml'), 'what is of this cluster, and nothing else')
})

test('protocol 2, 1 and 0 are spoken', async (t) => {
  for (const version of ['2', '1', '0']) {
    const args = [...bearer, '-c', `protocol.version=${version}`, 'ls-remote', `${url}/fleet.git`, 'main']
    const { code, output, words } = await git(args, { GIT_TRACE_PACKET: '1' })
    t.match({ code, output }, { code: 0, output: new RegExp(server.server.parts.writer.head) })
    const spoken = /(?:ls-remote|git)< version (\d)/.exec(words)?.[1] ?? '0'
    t.equal(spoken, version)
  }
})

test('nobody comes in without a token', async (t) => {
  t.match(await git(['ls-remote', `${url}/fleet.git`]), { code: 1, words: /could not read Username|401/ })
  const wrong = `${url.replace('http://', 'http://x:fwt_wrong-wrong-wrong-wrong@')}/fleet.git`
  t.match(await git(['ls-remote', wrong]), { code: 1, words: /Authentication failed/ })
  const reply = await send(url, 'GET', '/fleet.git/info/refs?service=git-upload-pack', { token: null })
  t.match(reply, { status: 401, body: { code: 'unauthenticated' } })
  t.match(reply.headers.get('www-authenticate'), /Bearer .*Basic /)
})

test('a reader may clone', async (t) => {
  const { body } = await send(url, 'POST', '/api/fleet/tokens', { body: { name: 'engine', role: 'reader' } })
  const address = `${url.replace('http://', `http://fleet:${body.token}@`)}/fleet.git`
  t.match(await git(['clone', '--quiet', '--depth=1', address, 'reader']), { code: 0 })
})

test('a push is refused and says what to do instead', async (t) => {
  await clone('pushing')
  await git(['-C', 'pushing', 'commit', '--quiet', '--allow-empty', '--message', 'Mine'])
  const { head } = server.server.parts.writer
  const pushed = await git([...bearer, '-C', 'pushing', 'push', 'origin', 'main'])
  t.match(pushed, { code: 1, words: /read-only; change the fleet through the API/ })
  for (const [method, path] of [
    ['POST', '/fleet.git/git-receive-pack'],
    ['GET', '/fleet.git/info/refs?service=git-receive-pack'],
  ] as const)
    t.match(await send(url, method, path), { status: 403 })
  t.equal(server.server.parts.writer.head, head)
})

test('other paths below the repository are no files of it', async (t) => {
  for (const path of ['HEAD', 'config', 'objects/info/packs', '..%2f..%2ftokens.json', 'info/refs'])
    t.match(await send(url, 'GET', `/fleet.git/${path}`), { status: 404 }, path)
})

test('the server closes', async () => {
  await server.close()
  await rm(folder, { recursive: true, force: true })
})
