import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Test, test } from 'tap'
import type { RepositoryHome } from '../../src/git/contracts.ts'
import { createProtectedHome } from '../../src/git/protected/home.ts'
import type { RepositoryWriter } from '../../src/git/writer/types.ts'
import { systemClock } from '../../src/system/clock.ts'
import { remoteHome } from '../support/git-server/home.ts'
import { type GitServer, startGitServer } from '../support/git-server/server.ts'
import { creation, importCluster, requestContext, writerOn } from '../support/git-writer.ts'
import { id } from '../support/intents.ts'
import { createMemoryForge, type MemoryForge } from '../support/memory-forge.ts'
import { git } from '../support/person.ts'

const REFUSAL = 'GH006: Protected branch update failed for refs/heads/main.'

interface World {
  readonly server: GitServer
  readonly forge: MemoryForge
  readonly directory: string
  open(around?: (home: RepositoryHome) => RepositoryHome): Promise<RepositoryWriter>
}

/** A fleet with a cluster, whose main is protected from now on: it moves by merges of the forge only. */
async function protectedFleet(t: Test, patienceMilliseconds = 60_000): Promise<World> {
  const server = await startGitServer()
  const { directory } = server
  const folder = t.testdir()
  const writers: RepositoryWriter[] = []
  t.teardown(async () => {
    for (const writer of writers) await writer.close()
    await server.close()
  })
  const first = await writerOn(await remoteHome(server, join(folder, 'first')))
  await first.submit(importCluster('prod-1', 500), requestContext(0))
  await first.close()
  const hook = join(directory, 'hooks', 'update')
  await mkdir(join(directory, 'hooks'), { recursive: true })
  await writeFile(hook, `#!/bin/sh\n[ "$1" != refs/heads/main ] || { echo "${REFUSAL}" >&2; exit 1; }\n`)
  await chmod(hook, 0o755)
  const forge = createMemoryForge({ directory })
  return {
    ...{ server, forge, directory },
    async open(around = (home) => home) {
      const home = await remoteHome(server, join(folder, `data-${writers.length}`))
      const protectedHome = createProtectedHome({ home, forge, clock: systemClock, patienceMilliseconds })
      const writer = await writerOn(around(protectedHome), { patienceMilliseconds: 5_000 })
      writers.push(writer)
      return writer
    },
  }
}

function create(
  writer: RepositoryWriter,
  ...numbers: readonly number[]
): ReturnType<RepositoryWriter['submit']>[] {
  return numbers.map((number) => writer.submit(creation(number), requestContext(number)))
}

/** Main holds every request once, the projection has what main has, and no branch or pull request is left. */
async function mustBeWhole(t: Test, { directory, forge }: World, installations: number): Promise<void> {
  t.equal(
    git(directory, 'rev-parse', 'main:clusters/prod-1'),
    git(directory, 'rev-parse', 'cluster/prod-1^{tree}'),
    'the projection follows main',
  )
  const created = git(directory, 'log', '--format=%s', '--grep=^Create installation', 'main')
    .trim()
    .split('\n')
  t.equal(created.length, installations)
  t.equal(new Set(created).size, installations)
  t.equal(git(directory, 'for-each-ref', 'refs/heads/fleetwright'), '')
  t.same(await forge.openPullRequests('main'), [])
  t.equal(git(directory, 'fsck', '--strict', '--no-dangling'), '')
}

test('without a way in, a protected main is said to be one, with what to do', async (t) => {
  const world = await protectedFleet(t)
  const writer = await writerOn(await remoteHome(world.server, join(t.testdirName, 'direct')))
  t.teardown(() => writer.close())
  await t.rejects(writer.submit(creation(1), requestContext(1)), {
    code: 'remote-denied',
    message: /GH006.*protected-main/,
  })
  t.match(writer.problems(), [{ code: 'remote-denied', detail: /protected/ }])
})

test('windows go into a protected main through pull requests, with their commits as they are', async (t) => {
  const world = await protectedFleet(t)
  const writer = await world.open()
  const { directory, forge } = world
  for (const numbers of [[1], [2, 3, 4], [5]]) {
    const committed = await Promise.all(create(writer, ...numbers))
    for (const { commit } of committed)
      t.equal(git(directory, 'merge-base', '--is-ancestor', commit ?? 'none', 'main'), '')
    const last = committed.at(-1)?.commit ?? 'none'
    t.equal(git(directory, 'rev-parse', `${last}^{tree}`), git(directory, 'rev-parse', 'main^{tree}'))
    t.match(await forge.sight.check(last as never, 'fleetwright/plan'), { result: 'success' })
  }
  await writer.poll()
  await Promise.all(create(writer, 6, 7))
  t.equal(writer.fleet.installationCount(), 7)
  t.equal(writer.contact.trouble, undefined)
  await mustBeWhole(t, world, 7)
})

test('what is pipelined behind a window that is being merged goes in on top of it', async (t) => {
  const world = await protectedFleet(t)
  const writer = await world.open()
  const answers: Promise<unknown>[] = []
  for (let number = 1; number <= 12; number += 1) {
    answers.push(...create(writer, number))
    await new Promise((resolve) => setTimeout(resolve, 40))
  }
  await Promise.all(answers)
  await mustBeWhole(t, world, 12)
})

test('when a person was first, the window is built again, and nothing is left of the first one', async (t) => {
  const world = await protectedFleet(t)
  const { forge, directory } = world
  let races = 2
  const writer = await world.open((home) => ({
    ...home,
    async push(updates, objects) {
      if (races > 0 && updates.some(({ ref }) => ref === 'refs/heads/main')) {
        races -= 1
        await forge.people.commit('main', { [`notes/${races}.md`]: 'Note\n' })
      }
      return await home.push(updates, objects)
    },
  }))
  await Promise.all(create(writer, 1, 2))
  t.equal(git(directory, 'show', 'main:notes/0.md'), 'Note\n')
  await writer.poll()
  await mustBeWhole(t, world, 2)
})

test('when a person is first between the look and the merge, both are in main, and the request is carried out once', async (t) => {
  const world = await protectedFleet(t)
  const { forge, directory } = world
  let between = true
  const merge = forge.merge
  const late: MemoryForge = {
    ...forge,
    async merge(number, head, how) {
      if (between) await forge.people.commit('main', { 'notes/late.md': 'Late\n' })
      between = false
      return await merge(number, head, how)
    },
  }
  const home = await remoteHome(world.server, join(t.testdirName, 'late'))
  const racing = await writerOn(createProtectedHome({ home, forge: late, clock: systemClock }))
  t.teardown(() => racing.close())
  await Promise.all(create(racing, 1, 2))
  t.equal(between, false)
  t.equal(git(directory, 'show', 'main:notes/late.md'), 'Late\n')
  await Promise.all(create(racing, 3))
  await racing.poll()
  await mustBeWhole(t, world, 3)
})

for (const method of ['open', 'report', 'merge', 'deleteBranch'] as const)
  test(`when the answer of ${method} is lost, every request is carried out once`, async (t) => {
    const world = await protectedFleet(t)
    const writer = await world.open()
    await Promise.all(create(writer, 1))
    world.forge.faults.loseAnswer(method)
    await Promise.all(create(writer, 2, 3))
    await Promise.all(create(writer, 4))
    await writer.poll()
    t.equal(writer.fleet.installation(id(4))?.metadata.name, 'acme-4')
    await mustBeWhole(t, world, 4)
  })

test('a forge that is away for a while keeps requests waiting; one that stays away refuses them, and they are not carried out later', async (t) => {
  const world = await protectedFleet(t, 400)
  const writer = await world.open()
  await Promise.all(create(writer, 1))
  const { faults } = world.forge
  faults.fail('forge-unavailable')
  const waiting = Promise.all(create(writer, 2))
  setTimeout(() => faults.fail(undefined), 1_000)
  await waiting
  faults.fail('forge-unavailable', { methods: ['merge'] })
  await t.rejects(Promise.all(create(writer, 3)), { code: /remote-unavailable|stale-lease/ })
  faults.fail(undefined)
  await Promise.all(create(writer, 4))
  t.equal(writer.fleet.installation(id(3)), undefined)
  await mustBeWhole(t, world, 3)
})

test('a forge that does not allow the merge is a clear refusal, and nothing is left behind', async (t) => {
  const world = await protectedFleet(t, 300)
  const forbidding: MemoryForge = { ...world.forge, merge: async () => false }
  const home = await remoteHome(world.server, join(t.testdirName, 'forbidding'))
  const options = { home, forge: forbidding, clock: systemClock, patienceMilliseconds: 300 }
  const writer = await writerOn(createProtectedHome(options))
  t.teardown(() => writer.close())
  const results = await Promise.allSettled(create(writer, 1, 2))
  for (const result of results)
    t.match(result, {
      status: 'rejected',
      reason: { code: 'remote-denied', message: /merge its own pull request http/ },
    })
  t.match(writer.problems(), [{ code: 'remote-denied' }])
  t.equal(git(world.directory, 'for-each-ref', 'refs/heads/fleetwright'), '')
  t.same(await world.forge.openPullRequests('main'), [])
})

test('what an earlier process left behind is closed before anything is written, and is not merged later', async (t) => {
  const world = await protectedFleet(t)
  const { forge, directory } = world
  git(directory, 'branch', 'fleetwright/window/0123', 'main')
  const stray = await forge.people.commit('fleetwright/window/4567', { 'notes/stray.md': 'Stray\n' })
  const pull = await forge.open({ branch: 'fleetwright/window/4567', base: 'main', title: 'Write', body: '' })
  t.equal(pull.head, stray)
  const writer = await world.open()
  await Promise.all(create(writer, 1))
  t.match(await forge.pullRequest(pull.number), { state: 'closed' })
  await mustBeWhole(t, world, 1)
})

test('what an earlier process left behind is closed at the start, when the forge is there', async (t) => {
  const { forge, directory, server } = await protectedFleet(t)
  const branch = 'fleetwright/window/4567'
  await forge.people.commit(branch, { 'notes/stray.md': 'Stray\n' })
  const pull = await forge.open({ branch, base: 'main', title: 'Write', body: '' })
  const home = createProtectedHome({
    home: await remoteHome(server, join(t.testdir(), 'next')),
    ...{ forge, clock: systemClock },
  })
  t.teardown(() => home.close())
  forge.faults.fail('forge-unavailable')
  await home.tidy()
  t.not(git(directory, 'for-each-ref', 'refs/heads/fleetwright'), '', 'the start does not wait for it')
  forge.faults.fail(undefined)
  await home.tidy()
  t.match(await forge.pullRequest(pull.number), { state: 'closed' })
  t.equal(git(directory, 'for-each-ref', 'refs/heads/fleetwright'), '')
})

test('a restart goes on from the merge commit, and repairs what was not projected', async (t) => {
  const world = await protectedFleet(t)
  const first = await world.open()
  await Promise.all(create(first, 1, 2))
  await first.close()
  git(world.directory, 'update-ref', '-d', 'refs/heads/cluster/prod-1')
  const second = await world.open()
  await Promise.all(create(second, 3))
  t.equal(second.fleet.installationCount(), 3)
  await mustBeWhole(t, world, 3)
})
