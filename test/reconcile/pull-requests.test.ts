import { test } from 'tap'
import { CHECK_NAME } from '../../src/reconcile/pull-requests/check.ts'
import { creation, importCluster, requestContext } from '../support/git-writer.ts'
import { type PullRequestWorld, pullRequestWorld, requestText } from '../support/pull-request-world.ts'
import { commitAs } from '../support/person.ts'
import { until } from '../support/until.ts'

async function checked(
  { forge, loop }: PullRequestWorld,
  number: number,
  result: string,
): Promise<{ readonly result: string; readonly title: string } | undefined> {
  const listed = await until(
    async () => loop.list().find(({ pull }) => pull.number === number),
    (one) => one?.result === result,
    60,
  )
  return listed === undefined ? undefined : await forge.sight.check(listed.pull.head, CHECK_NAME)
}

test('one that is opened is pending at once and red on its line; fixed it is green, and there is one comment', async (t) => {
  const world = await pullRequestWorld(t, { pollMilliseconds: 3_600_000 })
  const { forge, loop } = world
  const files = { 'requests/acme.yaml': 'kind: Nothing\n' }
  await until(
    async () => forge.faults.calls.length,
    (count) => count > 0,
  )
  const { number, head } = await forge.people.openPullRequest({ branch: 'acme', title: 'Add acme', files })
  t.match(await checked(world, number, 'failure'), { result: 'failure' })
  t.equal(await forge.sight.timesReported(head, CHECK_NAME), 2, 'pending, then the result')
  t.match(await forge.sight.annotations(number), [{ path: 'requests/acme.yaml', line: 1 }])
  await forge.people.push(number, { 'requests/acme.yaml': requestText('acme') })
  t.match(await checked(world, number, 'success'), { result: 'success', title: 'fine' })
  t.equal((await forge.sight.comments(number)).length, 1)
  t.same(await forge.sight.annotations(number), [])
  t.match(loop.list(), [{ problems: 0, plannedOn: world.writer.head }])
  t.same(world.errors, [])
})

test('a hook that is lost is made up for by the poll', async (t) => {
  const world = await pullRequestWorld(t, { hooks: false, pollMilliseconds: 5_000 })
  const files = { 'requests/acme.yaml': requestText('acme') }
  const { number } = await world.forge.people.openPullRequest({ branch: 'acme', title: 'Add acme', files })
  t.match(await checked(world, number, 'success'), { result: 'success' })
})

test('one that was merged has had its last word: its own workspace is nothing that stands against it', async (t) => {
  const world = await pullRequestWorld(t, { hooks: false, pollMilliseconds: 3_600_000 })
  const { forge, loop, writer } = world
  await writer.submit(importCluster('prod-1', 500), requestContext(1))
  const files = { 'requests/acme.yaml': requestText('acme') }
  const { number, head } = await forge.people.openPullRequest({ branch: 'acme', title: 'Add acme', files })
  loop.wake(number)
  await checked(world, number, 'success')
  await forge.people.merge(number, 'squash')
  await writer.poll()
  await until(
    async () => writer.fleet.installationByName('acme'),
    (found) => found !== undefined,
    60,
  )
  await until(
    async () => loop.list().length,
    (count) => count === 0,
    60,
  )
  t.ok(world.plans.length > 1, 'it was planned again, since main has the name now')
  t.match(await forge.sight.check(head, CHECK_NAME), { result: 'success' })
  t.notMatch((await forge.sight.comments(number)).map(({ text }) => text).join(), /in use by/)
  t.same(world.errors, [])
})

test('drafts and forks are checked like all others; another base is not', async (t) => {
  const world = await pullRequestWorld(t)
  const { forge, loop } = world
  const files = { 'requests/acme.yaml': requestText('acme') }
  await forge.people.commit('other', { 'README.md': 'other\n' })
  const draft = await forge.people.openPullRequest({ branch: 'a', title: 'A', files, isDraft: true })
  const fork = await forge.people.openPullRequest({ branch: 'b', title: 'B', files, fromFork: true })
  await forge.people.openPullRequest({ branch: 'c', title: 'C', files, base: 'other' })
  await checked(world, draft.number, 'success')
  await checked(world, fork.number, 'success')
  t.same(
    loop.list().map(({ pull }) => pull.number),
    [fork.number, draft.number],
  )
})

test('a DNS name that somebody else takes turns the check red, and green again when it is free', async (t) => {
  const world = await pullRequestWorld(t)
  const { forge, writer } = world
  await writer.submit(importCluster('prod-1', 1), requestContext(1))
  const files = { 'requests/acme.yaml': requestText('acme', 'acme-7.cloud.example.com') }
  const { number, head } = await forge.people.openPullRequest({ branch: 'acme', title: 'Add acme', files })
  await checked(world, number, 'success')
  await writer.submit(creation(7), requestContext(2))
  await checked(world, number, 'failure')
  t.equal(await forge.sight.timesReported(head, CHECK_NAME), 3, 'a verdict stays until there is another one')
})

/** As a person does who loses a race: fetches, and pushes again. */
async function pushed(world: PullRequestWorld, files: Readonly<Record<string, string>>): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    try {
      await commitAs(world.directory, world.folder, files, 'Change main')
      return
    } catch (error) {
      if (tries === 20) throw error
    }
  }
}

test('a hundred of them while main moves all the time: a bounded number of plans, each right in the end', async (t) => {
  const world = await pullRequestWorld(t, { times: 10 })
  const { forge, writer, plans, clock, loop } = world
  await writer.submit(importCluster('prod-1', 1), requestContext(1))
  for (let at = 0; at < 100; at += 1) {
    const files = { [`requests/r-${at}.yaml`]: requestText(`r-${at}`, `name-${at}.cloud.example.com`) }
    await forge.people.openPullRequest({ branch: `r-${at}`, title: `Add ${at}`, files })
  }
  const count = async (result: string): Promise<number> =>
    loop.list().filter((one) => one.result === result).length
  await until(
    () => count('success'),
    (n) => n === 100,
    120,
  )
  const before = plans.length
  const started = clock.monotonic()
  for (let at = 0; at < 12; at += 1) {
    // Every third takes a name that a pull request wants.
    const dns = at % 3 === 0 ? `name-${at}.cloud.example.com` : `other-${at}.cloud.example.com`
    await pushed(world, { [`requests/m-${at}.yaml`]: requestText(`m-${at}`, dns), 'README.md': `${at}\n` })
    await writer.poll()
    const creations = Array.from({ length: 10 }, (_, nth) => 1_000 + at * 10 + nth)
    await Promise.all(creations.map((number) => writer.submit(creation(number), requestContext(number))))
  }
  await until(
    () => count('failure'),
    (n) => n === 4,
    120,
  )
  const seconds = (clock.monotonic() - started) / 1_000
  t.ok(plans.length - before <= 20 + seconds, `${plans.length - before} plans in ${seconds} s`)
  t.ok(plans.length - before <= 60, `${plans.length - before} plans of more than 130 commits`)
  t.same(world.errors, [])
})

test('after a restart nothing is pending again, and nothing is said twice', async (t) => {
  const world = await pullRequestWorld(t)
  const { forge } = world
  const files = { 'requests/acme.yaml': requestText('acme') }
  const { number, head } = await forge.people.openPullRequest({ branch: 'acme', title: 'Add acme', files })
  await checked(world, number, 'success')
  const times = await forge.sight.timesReported(head, CHECK_NAME)
  await world.restart()
  await checked(world, number, 'success')
  t.equal(await forge.sight.timesReported(head, CHECK_NAME), times)
  t.equal((await forge.sight.comments(number)).length, 1)
})

test('a forge that is away for a while is left alone, told of, and caught up with', async (t) => {
  const world = await pullRequestWorld(t, { pollMilliseconds: 1_000 })
  const { forge, loop } = world
  const files = { 'requests/acme.yaml': requestText('acme') }
  forge.faults.fail('forge-unavailable')
  const { number } = await forge.people.openPullRequest({ branch: 'acme', title: 'Add acme', files })
  await until(
    async () => loop.problems(),
    (problems) => problems[0]?.code === 'forge-unavailable',
  )
  const asked = forge.faults.calls.length
  await world.clock.sleep(60_000)
  t.ok(forge.faults.calls.length - asked <= 8, 'pauses grow')
  forge.faults.fail(undefined)
  await checked(world, number, 'success')
  t.same(loop.problems(), [])
})

test('a token that is revoked is a problem, and the forge is not hammered', async (t) => {
  const world = await pullRequestWorld(t, { pollMilliseconds: 1_000, times: 100 })
  const { forge, loop } = world
  await until(
    async () => forge.faults.calls.length,
    (count) => count > 0,
  )
  forge.faults.fail('forge-denied')
  await until(
    async () => loop.problems(),
    (problems) => problems[0]?.code === 'forge-denied',
    60,
  )
  const asked = forge.faults.calls.length
  await world.clock.sleep(300_000)
  t.ok(forge.faults.calls.length - asked <= 4, `${forge.faults.calls.length - asked} calls in five minutes`)
  forge.faults.fail(undefined)
  const { number } = await forge.people.openPullRequest({
    ...{ branch: 'acme', title: 'Add acme' },
    files: { 'requests/acme.yaml': requestText('acme') },
  })
  await checked(world, number, 'success')
})

test('an answer that is lost is said again, in place', async (t) => {
  const world = await pullRequestWorld(t)
  const { forge } = world
  forge.faults.loseAnswer('comment')
  const files = { 'requests/acme.yaml': requestText('acme') }
  const { number } = await forge.people.openPullRequest({ branch: 'acme', title: 'Add acme', files })
  await checked(world, number, 'success')
  t.equal((await forge.sight.comments(number)).length, 1)
})

test('where Fleetwright itself fails the check is red, and it is tried again', async (t) => {
  let fails = true
  const world = await pullRequestWorld(t, {
    review: async (_pull, plan) => {
      if (fails) throw new TypeError('a defect')
      return await plan()
    },
  })
  const files = { 'requests/acme.yaml': requestText('acme') }
  const { number } = await world.forge.people.openPullRequest({ branch: 'acme', title: 'Add acme', files })
  t.match(await checked(world, number, 'failure'), { title: 'Fleetwright could not check this' })
  t.match(world.errors[0], { message: 'a defect' })
  fails = false
  t.match(await checked(world, number, 'success'), { result: 'success' })
})

test('a failure is told on the head that failed, and holds up no newer one', async (t) => {
  const passes: (() => void)[] = []
  const failed = new Set<string>()
  const world = await pullRequestWorld(t, {
    review: async ({ head }, plan) => {
      if (failed.size > 0) return await plan()
      failed.add(head)
      await new Promise<void>((resolve) => passes.push(resolve))
      throw new TypeError('a defect')
    },
  })
  const { forge, loop } = world
  const files = { 'requests/acme.yaml': requestText('acme') }
  const { number } = await forge.people.openPullRequest({ branch: 'acme', title: 'Add acme', files })
  await until(
    async () => passes.length,
    (count) => count === 1,
    60,
  )
  await forge.people.push(number, { 'requests/acme.yaml': requestText('acme-2') })
  const seen = await until(
    async () => loop.list()[0],
    (one) => one !== undefined && !failed.has(one.pull.head),
    60,
  )
  for (const pass of passes) pass()
  t.match(await checked(world, number, 'success'), { result: 'success' })
  if (seen === undefined) throw new Error('it was seen')
  t.equal(await forge.sight.timesReported(seen.pull.head, CHECK_NAME), 2, 'pending, then the result')
})
