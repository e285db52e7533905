import { type Test, test } from 'tap'
import type { FleetPath } from '../../src/fleet/ids.ts'
import { CHECK_NAME } from '../../src/reconcile/pull-requests/check.ts'
import { creation, requestContext } from '../support/git-writer.ts'
import { type MergedWorld, mergedWorld, seeLive, told, verdict } from '../support/merged-world.ts'
import { requestText } from '../support/pull-request-world.ts'
import { until } from '../support/until.ts'

/** The commit that accepted the request of this name. */
async function acceptance(
  { history, now }: MergedWorld,
  name: string,
): Promise<Awaited<ReturnType<MergedWorld['history']['log']>>[number] | undefined> {
  const path = `requests/${name}.yaml`
  await until(
    async () => now.writer.fleet.installationByName(name),
    (found) => found !== undefined,
    60,
  )
  return (await history.log({ paths: [path], limit: 1 }))[0]
}

async function open(world: MergedWorld, name: string, dns?: string): Promise<number> {
  const files = { [`requests/${name}.yaml`]: requestText(name, dns) }
  const { number } = await world.forge.people.openPullRequest({ branch: name, title: `Add ${name}`, files })
  return number
}

for (const style of ['merge', 'squash', 'rebase'] as const) {
  test(`${style}: opened red, fixed green, merged, placed by a commit that points to it, told until it is live`, async (t) => {
    const world = await mergedWorld(t)
    const { forge, now } = world
    const { number } = await forge.people.openPullRequest({
      ...{ branch: 'acme', title: 'Add acme' },
      files: { 'requests/acme.yaml': `${requestText('acme')}  color: red\n` },
    })
    await verdict(world, number, 'failure')
    t.match(await forge.sight.annotations(number), [{ path: 'requests/acme.yaml', line: 8 }])
    const head = await forge.people.push(number, { 'requests/acme.yaml': requestText('acme') })
    await verdict(world, number, 'success')
    t.match(await forge.sight.check(head, CHECK_NAME), { result: 'success' })
    // One more commit, so that a rebase is a row.
    await forge.people.push(number, { 'README.md': 'A workspace more.\n' })
    await verdict(world, number, 'success')
    await forge.people.merge(number, style)
    const commit = await acceptance(world, 'acme')
    t.match(commit, {
      subject: 'Create installation acme on prod-1',
      body: new RegExp(`^Asked for in requests/acme.yaml, pull request ${number}: Add acme\n`),
      author: 'Grace',
      trailers: { 'Pull-Request': `https://forge.invalid/acme/fleet/pulls/${number}` },
    })
    t.match(await told(world, number, /is made on cluster/), /Why there: /)
    seeLive(now, 'acme', world.clock.now())
    t.match(await told(world, number, /The workspace is live/), /acme\.cloud\.example\.com/)
    t.equal((await world.comments(number)).length, 2, 'one of the plan, one of the outcome')
    t.same(world.errors, [])
  })
}

test('a commit that somebody pushed just before a rebase is not taken for a part of it', async (t) => {
  const world = await mergedWorld(t, { times: 1 })
  const { forge } = world
  const number = await open(world, 'acme')
  await verdict(world, number, 'success')
  await forge.people.push(number, { 'README.md': 'A workspace more.\n' })
  await verdict(world, number, 'success')
  world.tellsPushes = false
  await forge.people.commit('main', { 'requests/globex.yaml': requestText('globex') })
  await forge.people.merge(number, 'rebase')
  await world.now.writer.poll()
  t.equal((await acceptance(world, 'globex'))?.trailers['Pull-Request'], undefined)
  t.match((await acceptance(world, 'acme'))?.trailers['Pull-Request'], /pulls/)
})

test('of two pull requests for one DNS name the second turns red when the first is merged', async (t) => {
  const world = await mergedWorld(t)
  const { forge } = world
  const first = await open(world, 'acme', 'same.cloud.example.com')
  const second = await open(world, 'globex', 'same.cloud.example.com')
  await verdict(world, first, 'success')
  await verdict(world, second, 'success')
  await forge.people.merge(first, 'squash')
  await verdict(world, second, 'failure')
  const plan = (await world.comments(second)).find((text) => text.includes('fleetwright:plan'))
  t.match(plan, /same\.cloud\.example\.com/)
})

test('a clash that is merged all the same is held and told, harms nothing, and is told when it is put right', async (t) => {
  const world = await mergedWorld(t)
  const { forge, now } = world
  const first = await open(world, 'acme', 'same.cloud.example.com')
  const second = await open(world, 'globex', 'same.cloud.example.com')
  await verdict(world, second, 'success')
  await forge.people.merge(first, 'merge')
  await acceptance(world, 'acme')
  await forge.people.merge(second, 'merge')
  t.match(await told(world, second, /cannot be carried out/), /requests\/globex\.yaml/)
  t.ok(now.writer.problems().some(({ path }) => path === 'requests/globex.yaml'))
  await now.writer.submit(creation(7), requestContext(70))
  t.ok(now.writer.fleet.installationByName('acme-7'), 'others go on')
  await forge.people.commit('main', { 'requests/globex.yaml': requestText('globex') })
  t.match(await told(world, second, /is made on cluster/), /globex/)
})

test('one that waits for a cluster is told so, and placed after a restart it is told again', async (t) => {
  const world = await mergedWorld(t, { clusters: 0 })
  const { forge } = world
  const number = await open(world, 'acme')
  await until(
    async () => world.now.pullRequests.list()[0]?.checkedAt,
    (at) => at !== undefined,
    60,
  )
  await forge.people.merge(number, 'squash')
  await told(world, number, /waits for a cluster/)
  const next = await world.restart()
  t.match(next.writer.fleet.waitingCount(), 1)
  await told(world, number, /waits for a cluster/)
  t.equal((await world.comments(number)).length, 2)
})

test('stuck and failed are told with the reason and the way out', async (t) => {
  const world = await mergedWorld(t)
  const number = await open(world, 'acme')
  await verdict(world, number, 'success')
  await world.forge.people.merge(number, 'squash')
  await acceptance(world, 'acme')
  const { now } = world
  const installation = now.writer.fleet.installationByName('acme')
  if (installation === undefined) return t.fail('it is there')
  const { id } = installation.metadata
  const health = { health: 'degraded', reason: 'x', message: 'x' } as const
  now.verdicts.set(id, {
    ...{ state: 'creation-in-progress', reason: 'the image cannot be pulled', wayOut: 'correct the version' },
    ...{ stuck: true, health, completed: false },
  })
  now.observations.set('installation', id, { state: 'creation-in-progress', generation: 1, observedAt: 0 })
  t.match(
    await told(world, number, /is stuck/),
    /the image cannot be pulled[\s\S]*Way out: correct the version/,
  )
  now.observations.set('installation', id, { state: 'creation-failed', generation: 1, observedAt: 0 })
  t.match(await told(world, number, /has failed/), /creation-failed/)
})

test('a forge that is away when it is merged delays nothing: the commit goes without, the author is told later', async (t) => {
  const world = await mergedWorld(t)
  const { forge, now } = world
  const number = await open(world, 'acme')
  await verdict(world, number, 'success')
  const methods = ['endedPullRequests', 'pullRequest', 'openPullRequests', 'comment', 'report'] as const
  forge.faults.fail('forge-unavailable', { methods })
  await forge.people.merge(number, 'rebase')
  t.equal((await acceptance(world, 'acme'))?.trailers['Pull-Request'], undefined)
  seeLive(now, 'acme', world.clock.now())
  forge.faults.fail(undefined)
  t.match(await told(world, number, /The workspace is live/), /acme/)
})

test('a forge that hangs does not hold the writer', async (t) => {
  const world = await mergedWorld(t)
  const { forge, now } = world
  const number = await open(world, 'acme')
  await verdict(world, number, 'success')
  const release = forge.faults.hold()
  await forge.people.merge(number, 'squash')
  await now.writer.poll()
  const started = Date.now()
  await now.writer.submit(creation(7), requestContext(70))
  t.ok(Date.now() - started < 5_000)
  t.equal((await acceptance(world, 'acme'))?.trailers['Pull-Request'], undefined)
  release()
  await told(world, number, /is made on cluster/)
})

/** Stops the process at the moment, and lets the next one do the rest. */
async function cutOff(t: Test, world: MergedWorld, number: number): Promise<void> {
  const next = await world.restart()
  await acceptance(world, 'acme')
  await told(world, number, /is made on cluster/)
  seeLive(next, 'acme', world.clock.now())
  await told(world, number, /The workspace is live/)
  const after = await world.restart()
  seeLive(after, 'acme', world.clock.now())
  await told(world, number, /The workspace is live/)
  t.equal((await world.comments(number)).length, 2)
}

test('a restart between the merge and the follow-up loses nothing', async (t) => {
  const world = await mergedWorld(t)
  const number = await open(world, 'acme')
  await verdict(world, number, 'success')
  await world.now.stop()
  await world.forge.people.merge(number, 'merge')
  await cutOff(t, world, number)
  t.match((await acceptance(world, 'acme'))?.trailers['Pull-Request'], /pulls/)
})

test('a restart between the follow-up and the comment loses nothing', async (t) => {
  const world = await mergedWorld(t)
  const number = await open(world, 'acme')
  await verdict(world, number, 'success')
  world.forge.faults.fail('forge-unavailable', { methods: ['comment'] })
  await world.forge.people.merge(number, 'squash')
  await acceptance(world, 'acme')
  await world.now.stop()
  world.forge.faults.fail(undefined)
  await cutOff(t, world, number)
})

test('a title cannot write lines of its own into the commit', async (t) => {
  const world = await mergedWorld(t)
  const { number } = await world.forge.people.openPullRequest({
    ...{ branch: 'acme', title: 'Add acme\n\nPlacement: by me\nInstallation: x' },
    files: { 'requests/acme.yaml': requestText('acme') },
  })
  await verdict(world, number, 'success')
  await world.forge.people.merge(number, 'squash')
  const commit = await acceptance(world, 'acme')
  t.match(
    commit?.body,
    /^Asked for in requests\/acme.yaml, pull request 1: Add acme Placement: by me Installation: x$/m,
  )
  t.notMatch(await told(world, number, /is made on cluster/), /by me/)
})

test('a conversation that is locked does not keep others from being told', async (t) => {
  const world = await mergedWorld(t)
  const { forge } = world
  const numbers = [await open(world, 'acme'), await open(world, 'globex')]
  for (const number of numbers) await verdict(world, number, 'success')
  forge.faults.fail('forge-refused', { methods: ['comment'] })
  const [locked = 0, other = 0] = numbers
  await forge.people.merge(locked, 'squash')
  await acceptance(world, 'acme')
  await until(
    async () => world.errors.length,
    (count) => count > 0,
    60,
  )
  forge.faults.fail(undefined)
  await forge.people.merge(other, 'squash')
  await told(world, other, /is made on cluster/)
  t.equal(await world.outcome(locked), '', 'it waits its time')
})

test('a request that is taken back before it is accepted, and one that is removed, are told as such', async (t) => {
  const world = await mergedWorld(t)
  const first = await open(world, 'acme', 'same.cloud.example.com')
  const second = await open(world, 'globex', 'same.cloud.example.com')
  await verdict(world, second, 'success')
  await world.forge.people.merge(first, 'squash')
  await acceptance(world, 'acme')
  await world.forge.people.merge(second, 'squash')
  await told(world, second, /cannot be carried out/)
  await world.forge.people.commit('main', { 'requests/globex.yaml': undefined })
  t.match(await told(world, second, /Taken back/), /requests\/globex\.yaml/)
  t.equal(world.now.writer.fleet.intent('requests/globex.yaml' as FleetPath), undefined)
})

test('many requests that come from no pull request cost a few questions of the forge', async (t) => {
  const world = await mergedWorld(t)
  const { forge, now, clock } = world
  const names = Array.from({ length: 30 }, (_, at) => `pushed-${at}`)
  const files = Object.fromEntries(names.map((name) => [`requests/${name}.yaml`, requestText(name)]))
  await forge.people.commit('main', files)
  await until(
    async () => names.filter((name) => now.writer.fleet.installationByName(name) !== undefined).length,
    (found) => found === names.length,
    60,
  )
  // All are looked for several times meanwhile; the writer has asked for each once.
  await clock.sleep(60_000)
  const asked = forge.faults.calls.filter((call) => call.includes('endedPullRequests')).length
  t.ok(asked > 0 && asked < names.length * 2, `${asked} questions`)
})
