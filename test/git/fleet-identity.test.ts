import { execFileSync } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Test, test } from 'tap'
import type { ObjectId } from '../../src/fleet/ids.ts'
import type { RepositoryHome } from '../../src/git/contracts.ts'
import { openEmbeddedHome } from '../../src/git/embedded/home.ts'
import { type FleetIdentity, openFleetIdentity } from '../../src/git/fleet-identity.ts'
import { createCredentials } from '../../src/git/remote/credentials.ts'
import { openRemoteHome } from '../../src/git/remote/home.ts'
import { createHttpTransport } from '../../src/git/remote/http-transport.ts'
import { systemClock } from '../../src/system/clock.ts'
import { GIT_TOKEN, startGitServer } from '../support/git-server/server.ts'
import { commitAs, gitIn, MAIN, makeCommit, pushMain } from './home-contract.ts'

interface World {
  readonly data: string
  /** The repository that counts. */
  readonly directory: string
  open(accept?: string): Promise<{ home: RepositoryHome; identity: FleetIdentity }>
  /** Empties the repository, as one that was deleted and made again. */
  recreate(): Promise<void>
}

async function identityIn(data: string, accept?: string): Promise<FleetIdentity> {
  const extra = accept === undefined ? {} : { accept: accept as ObjectId }
  const onError = (error: unknown): void => {
    throw error
  }
  return await openFleetIdentity({
    path: join(data, 'fleet-identity.json'),
    clock: systemClock,
    onError,
    ...extra,
  })
}

async function world(t: Test, kind: 'embedded' | 'remote'): Promise<World> {
  const data = await mkdtemp(join(tmpdir(), 'fleetwright-'))
  const server = kind === 'remote' ? await startGitServer() : undefined
  const directory = server?.directory ?? join(data, 'fleet.git')
  t.teardown(async () => {
    await server?.close()
    await rm(data, { recursive: true, force: true })
  })
  return {
    data,
    directory,
    async open(accept) {
      const identity = await identityIn(data, accept)
      const credentials = createCredentials({ user: 'fleetwright', token: GIT_TOKEN })
      const opened =
        server === undefined
          ? openEmbeddedHome(directory, identity)
          : openRemoteHome({
              transport: createHttpTransport({ url: server.url, credentials }),
              folder: join(data, 'remote'),
              identity,
            })
      try {
        return { home: await opened, identity }
      } catch (error) {
        await identity.close()
        throw error
      }
    },
    async recreate() {
      await rm(directory, { recursive: true })
      execFileSync('git', ['init', '--quiet', '--bare', '--initial-branch=main', directory])
      gitIn(directory, 'config', 'http.receivepack', 'true')
    },
  }
}

/** Opens, looks as the writer does at its start, and closes. */
async function start({ open }: World, accept?: string): Promise<ObjectId | undefined> {
  const { home, identity } = await open(accept)
  try {
    return (await home.fetch()).get(MAIN)
  } finally {
    await home.close()
    await identity.close()
  }
}

/** A fleet of two commits that a process has seen. */
async function knownFleet(
  t: Test,
  kind: 'embedded' | 'remote',
): Promise<World & { tip: ObjectId; first: ObjectId }> {
  const fleet = await world(t, kind)
  const { home, identity } = await fleet.open()
  await home.fetch()
  const first = await makeCommit(home, undefined, { 'a.yaml': 'a: 1\n' })
  await pushMain(home, undefined, first)
  await home.fetch()
  const second = await makeCommit(home, first.oid, { 'a.yaml': 'a: 2\n' })
  await pushMain(home, first.oid, second)
  await home.close()
  await identity.close()
  return { ...fleet, tip: second.oid, first: first.oid }
}

for (const kind of ['embedded', 'remote'] as const) {
  test(`${kind}: a repository that was emptied is not started anew, whether the clone is there or not`, async (t) => {
    const fleet = await knownFleet(t, kind)
    await fleet.recreate()
    await t.rejects(start(fleet), {
      code: 'history-rewritten',
      message: new RegExp(`is gone.*${fleet.tip}`, 's'),
    })
    await rm(join(fleet.data, 'remote'), { recursive: true, force: true })
    await t.rejects(start(fleet), {
      code: 'history-rewritten',
      message: /A new fleet needs a data directory of its own/,
    })
    t.equal(gitIn(fleet.directory, 'for-each-ref'), '', 'nothing was written')
  })

  test(`${kind}: a repository with another history is not taken until a person names a commit of it, and then once`, async (t) => {
    const fleet = await knownFleet(t, kind)
    await fleet.recreate()
    const other = await commitAs(fleet.directory, { 'fleet.yaml': 'another: fleet\n' })
    await rm(join(fleet.data, 'remote'), { recursive: true, force: true })
    const refused = {
      code: 'history-rewritten',
      message: new RegExp(`is another one.*--accept-new-history ${other}`, 's'),
    }
    await t.rejects(start(fleet), refused)
    await t.rejects(start(fleet, 'f'.repeat(40)), refused, 'a commit that is not in it')
    t.equal(await start(fleet, other), other)
    t.equal(await start(fleet), other, 'it is the known one now')

    const { home, identity } = await fleet.open()
    const next = await makeCommit(home, other as ObjectId, { 'b.yaml': 'b: 1\n' })
    await home.fetch()
    await pushMain(home, other as ObjectId, next)
    await home.close()
    await identity.close()
    gitIn(fleet.directory, 'update-ref', 'refs/heads/main', other)
    await t.rejects(
      start(fleet, other),
      { code: 'history-rewritten', message: new RegExp(`was rewritten.*${next.oid}`) },
      'a setting that was left there accepts nothing more',
    )
  })

  test(`${kind}: a main that was pushed back while no process ran is seen without the clone, and can be accepted`, async (t) => {
    const fleet = await knownFleet(t, kind)
    await rm(join(fleet.data, 'remote'), { recursive: true, force: true })
    t.equal(await start(fleet), fleet.tip, 'a clone that was thrown away is made again')
    await rm(join(fleet.data, 'remote'), { recursive: true, force: true })
    gitIn(fleet.directory, 'update-ref', 'refs/heads/main', fleet.first)
    await t.rejects(start(fleet), { code: 'history-rewritten', message: new RegExp(fleet.tip) })
    gitIn(fleet.directory, 'update-ref', 'refs/heads/main', fleet.tip)
    t.equal(await start(fleet), fleet.tip, 'put right')
    gitIn(fleet.directory, 'update-ref', 'refs/heads/main', fleet.first)
    t.equal(await start(fleet, fleet.first), fleet.first, 'accepted')
  })
}

test('a repository on disk that is not there any more is not made again', async (t) => {
  const fleet = await knownFleet(t, 'embedded')
  await rm(fleet.directory, { recursive: true })
  await t.rejects(start(fleet), { code: 'history-rewritten', message: /is gone/ })
  await t.rejects(readFile(join(fleet.directory, 'HEAD')), { code: 'ENOENT' })
})

test('while it runs, nothing is written to a repository that the forge numbers anew', async (t) => {
  const fleet = await knownFleet(t, 'remote')
  const { home, identity } = await fleet.open()
  t.teardown(() => home.close())
  t.teardown(() => identity.close())
  const url = 'https://git.example.com/team/fleet'
  t.equal(identity.sawRepository({ url, id: '3' }), undefined)
  const next = await makeCommit(home, fleet.tip, { 'a.yaml': 'a: 3\n' })
  t.match(identity.sawRepository({ url, id: '7' }), {
    code: 'history-rewritten',
    message: /number 7.*number 3/,
  })
  await t.rejects(pushMain(home, fleet.tip, next), { code: 'history-rewritten' })
  await t.rejects(home.fetch(), { code: 'history-rewritten' })
  t.equal(gitIn(fleet.directory, 'rev-parse', 'main').trim(), fleet.tip)
  t.equal(identity.sawRepository({ url, id: '3' }), undefined, 'put right')
  t.same(await pushMain(home, fleet.tip, next), { outcome: 'accepted' })
})

test('another number on the forge is remembered over a restart, and can be accepted; another address is none', async (t) => {
  const data = t.testdir({})
  const url = 'https://git.example.com/team/fleet'
  async function saw(repository: { url: string; id: string }, accept?: string): Promise<string | undefined> {
    const identity = await identityIn(data, accept)
    const trouble = identity.sawRepository(repository)
    await identity.close()
    return trouble?.code
  }
  t.equal(await saw({ url, id: '3' }), undefined)
  t.equal(await saw({ url, id: '4' }), 'history-rewritten')
  t.equal(await saw({ url, id: '4' }), 'history-rewritten')
  t.equal(await saw({ url, id: '4' }, 'a'.repeat(40)), undefined)
  t.equal(await saw({ url, id: '4' }), undefined)
  t.equal(await saw({ url: `${url}-2`, id: '9' }), undefined, 'the setting was changed by a person')
})

test('a file that cannot be read stops the start and is named', async (t) => {
  const data = t.testdir({})
  const path = join(data, 'fleet-identity.json')
  for (const text of [
    '{',
    '{"version":2}',
    '{"version":1,"main":"main"}',
    '{"version":1,"repository":3}',
    'null',
  ]) {
    await writeFile(path, text)
    await t.rejects(
      identityIn(data),
      { code: 'invalid-configuration', message: /fleet-identity\.json.*Restore it/ },
      text,
    )
  }
})

test('many moves of main are few writes, and the last one is there at the end', async (t) => {
  const data = t.testdir({})
  const identity = await identityIn(data)
  const oid = (at: number): ObjectId => at.toString(16).padStart(40, '0') as ObjectId
  for (let at = 1; at <= 500; at += 1) identity.saw(oid(at), oid(0))
  await identity.close()
  t.match(JSON.parse(await readFile(join(data, 'fleet-identity.json'), 'utf8')), {
    main: oid(500),
    root: oid(0),
  })
})
