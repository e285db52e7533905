import { execFileSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Test, test } from 'tap'
import { composeServer, type RunningServer } from '../../src/cli/compose.ts'
import { readConfiguration } from '../../src/configuration/read.ts'
import { FleetError } from '../../src/fleet/errors.ts'
import type { HeadChange } from '../../src/ports/writer.ts'
import { startMirroring } from '../../src/reconcile/mirroring.ts'
import { systemClock, systemRandomness } from '../../src/system/clock.ts'
import { gitIn } from '../git/home-contract.ts'
import { importCluster, send } from '../support/api.ts'
import { GIT_TOKEN, startGitServer } from '../support/git-server/server.ts'
import { TOKEN } from '../support/server.ts'
import { noSshd, startSshServer } from '../support/ssh-server/server.ts'
import { until } from '../support/until.ts'

interface Fake {
  pushes: number
  /** Answers the push that is under way. */
  answer: ((error?: Error) => void) | undefined
  change(): void
  readonly mirroring: ReturnType<typeof startMirroring>
}

function fake(t: Test): Fake {
  const listeners = new Set<(change: HeadChange) => void>()
  const world: { pushes: number; answer: Fake['answer'] } = { pushes: 0, answer: undefined }
  const mirroring = startMirroring({
    mirror: {
      name: 'https://mirror.example.com/fleet.git',
      push: (signal) =>
        new Promise((resolve, reject) => {
          world.pushes += 1
          world.answer = (error) => {
            world.answer = undefined
            if (error === undefined) resolve()
            else reject(error)
          }
          signal.addEventListener('abort', () => reject(new Error('stopped')))
        }),
      close: async () => undefined,
    },
    writer: {
      onChange(listener) {
        listeners.add(listener)
        return () => listeners.delete(listener)
      },
    },
    clock: systemClock,
    randomness: systemRandomness,
    pauseMilliseconds: 100,
    onPushed: () => undefined,
    onError: () => undefined,
  })
  t.teardown(() => mirroring.close())
  const change: HeadChange = { to: '0'.repeat(40) as HeadChange['to'], by: 'others', changes: [], paths: [] }
  return Object.assign(world, {
    mirroring,
    change() {
      for (const listener of listeners) listener(change)
    },
  })
}

test('many changes go in one push; what comes during a push goes with the next', async (t) => {
  const world = fake(t)
  await until(
    async () => world.pushes,
    (pushes) => pushes === 1,
  )
  for (let at = 0; at < 50; at += 1) world.change()
  world.answer?.()
  await until(
    async () => world.pushes,
    (pushes) => pushes === 2,
  )
  t.ok(world.mirroring.behind() > 0, 'not before that push is through')
  world.answer?.()
  await until(
    async () => world.mirroring.behind(),
    (behind) => behind === 0,
  )
  t.equal(world.pushes, 2)
})

test('a failed push is a problem until one succeeds, and the mirror stays behind meanwhile', async (t) => {
  const world = fake(t)
  await until(
    async () => world.answer !== undefined,
    (asked) => asked,
  )
  t.same(world.mirroring.problems(), [])
  world.answer?.(new FleetError('remote-denied', 'no such token'))
  await until(
    async () => world.mirroring.problems().length,
    (count) => count === 1,
  )
  t.match(world.mirroring.problems(), [
    { path: '.', code: 'mirror-behind', detail: /mirror\.example\.com.*behind by \d+ s: no such token/ },
  ])
  t.ok(world.mirroring.behind() > 0)
  await until(
    async () => world.answer !== undefined,
    (asked) => asked,
  )
  world.answer?.()
  await until(
    async () => world.mirroring.problems().length,
    (count) => count === 0,
  )
  t.equal(world.mirroring.behind(), 0)
})

interface Mirrored {
  readonly server: RunningServer
  readonly url: string
}

async function serve(
  folder: string,
  mirrors: readonly string[],
  more: Readonly<Record<string, string>>,
): Promise<Mirrored> {
  const flags = {
    ...{ data: join(folder, 'data'), 'log-level': 'silent', 'fleet-mirror': mirrors.join(',') },
    ...more,
  }
  const environment = { FLEETWRIGHT_ADMIN_TOKEN: TOKEN }
  const server = await composeServer(readConfiguration({ flags, environment }), '0.0.0')
  return { server, url: (await server.api.listen({ host: '127.0.0.1', port: 0 })).url }
}

/** What counts: every ref that Fleetwright writes. */
function refsOf(directory: string): string {
  return gitIn(directory, 'for-each-ref', '--format=%(objectname) %(refname)', 'refs/heads')
}

async function temporary(t: Test): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'fleetwright-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  return folder
}

test('a path, a server over HTTP and one over ssh get what is written; a restart catches up', {
  skip: noSshd,
  timeout: 240_000,
}, async (t) => {
  const folder = await temporary(t)
  const http = await startGitServer()
  const ssh = await startSshServer()
  t.teardown(() => http.close())
  t.teardown(() => ssh.close())
  const path = join(folder, 'mirror.git')
  execFileSync('git', ['init', '--quiet', '--bare', path])
  const credentials = join(folder, 'logins')
  execFileSync('mkdir', [credentials])
  execFileSync('cp', [ssh.keyFile, join(credentials, '127.0.0.1.key')])
  execFileSync('sh', ['-c', `printf %s '${GIT_TOKEN}' > '${join(credentials, '127.0.0.1.token')}'`])
  const more = { 'fleet-mirror-credentials': credentials, 'fleet-known-hosts-file': ssh.knownHostsFile }
  const mirrors = [path, http.url, ssh.url]
  const first = await serve(folder, mirrors, more)
  await importCluster(first.url)
  const directory = join(folder, 'data', 'fleet.git')
  t.match(refsOf(directory), /refs\/heads\/cluster\//)
  for (const mirror of [path, http.directory, ssh.directory])
    await until(
      async () => refsOf(mirror) === refsOf(directory),
      (same) => same,
      120,
    )
  const metrics = await (await fetch(`${first.url}/metrics`)).text()
  t.match(metrics, `fleetwright_mirror_behind_seconds{mirror="${http.url}"} `)
  t.notMatch(metrics, new RegExp(GIT_TOKEN))
  // The last change may be on its way to none of them when the process ends.
  await send(first.url, 'POST', '/api/groups', { body: { Name: 'late', MaxRolling: 1 } })
  await first.server.close()
  const second = await serve(folder, mirrors, more)
  t.teardown(() => second.server.close())
  for (const mirror of [path, http.directory, ssh.directory])
    await until(
      async () => refsOf(mirror) === refsOf(directory),
      (same) => same,
      120,
    )
  t.match(gitIn(path, 'log', '--format=%s', 'main'), /late/)
})

test('a mirror that holds something else is left as it is; requests are as quick and as good as without it', async (t) => {
  const folder = await temporary(t)
  const path = join(folder, 'other.git')
  execFileSync('git', ['init', '--quiet', '--bare', '--initial-branch=main', path])
  const tree = gitIn(path, 'hash-object', '-t', 'tree', '-w', '/dev/null')
  const person = ['-c', 'user.name=G', '-c', 'user.email=g@e']
  const commit = gitIn(path, ...person, 'commit-tree', '-m', 'x', tree.trim()).trim()
  gitIn(path, 'update-ref', 'refs/heads/main', commit)
  const { server, url } = await serve(folder, [path, join(folder, 'missing.git')], {})
  t.teardown(() => server.close())
  t.equal((await send(url, 'POST', '/api/groups', { body: { Name: 'canary', MaxRolling: 1 } })).status, 200)
  const problems = await until(
    async () => (await send(url, 'GET', '/api/fleet/problems')).body.problems,
    (found) => found.length === 2,
    60,
  )
  t.match(problems[0], {
    code: 'mirror-behind',
    detail: /other\.git does not take refs\/heads\/main .*(?:non-fast-forward|fetch first)/,
  })
  t.match(problems[1], { code: 'mirror-behind', detail: /missing\.git/ })
  t.equal(gitIn(path, 'rev-parse', 'main').trim(), commit)
  t.equal((await send(url, 'GET', '/readyz', { token: null })).status, 200)
})

test('a mirror is not the fleet itself, and over ssh needs known hosts', async (t) => {
  const folder = await temporary(t)
  const fleet = join(folder, 'fleet.git')
  await t.rejects(serve(folder, [fleet], { fleet }), {
    code: 'invalid-configuration',
    message: /is the fleet repository itself/,
  })
  await t.rejects(serve(folder, ['git@git.example.com:fleet.git'], {}), {
    code: 'invalid-configuration',
    message: /fleet-known-hosts-file/,
  })
})
