/** Reviews of API calls, and a protected main, with a process of its own on a real Gitea; it is killed at bad moments. */
import { type Test, test } from 'tap'
import { missingCustomResources } from '../../scripts/testbed/custom-resources.ts'
import { createSupervisor } from '../../scripts/testbed/supervisor.ts'
import type { Id } from '../../src/fleet/ids.ts'
import type { Reply } from '../support/api.ts'
import { type ReviewsOnGitea, reviewOf, startReviewsOnGitea } from '../support/reviews-on-gitea.ts'
import type { ServerProcess } from '../support/server-process.ts'
import { until } from '../support/until.ts'

const skip = missingCustomResources() ?? false
const CHECK = 'fleetwright/plan'
const SECONDS = 90

async function open(stage: ReviewsOnGitea): Promise<readonly Record<string, unknown>[]> {
  return (await stage.ask('GET', '/api/fleet/reviews')).body.reviews
}

async function checked(stage: ReviewsOnGitea, number: number, result: string): Promise<void> {
  await until(
    async () => {
      const { sha } = (await stage.pull(number)).head
      return await stage.world.sight.check(sha as never, CHECK)
    },
    (check) => check?.result === result,
    SECONDS,
  )
}

function pause(most: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.floor(Math.random() * most)))
}

test('reviews on Gitea', { skip, timeout: 900_000 }, async (t) => {
  const supervisor = await createSupervisor()
  let server: ServerProcess | undefined
  t.teardown(async () => {
    await server?.stop()
    await supervisor.close()
  })
  const started = Date.now()
  const lap = (what: string): void => t.comment(`${what}: ${((Date.now() - started) / 1000).toFixed(1)} s`)
  const stage = await startReviewsOnGitea(supervisor)
  server = stage.server
  lap('started')
  const { people, sight } = stage.world
  const names = [...'abcdefghijklmn'].map((letter) => `team-${letter}`)
  const ids = [...(await stage.createUpdating(names))]
  const next = (): Id => {
    const id = ids.pop()
    if (id === undefined) throw new Error('no installation is left')
    return id
  }
  lap('created')

  await t.test('a request becomes a pull request, is checked, and a merge carries it out', async (t) => {
    const ring = (await stage.ask('POST', '/api/groups', { body: { Name: 'ring', Version: '11.1.0' } })).body
      .ID
    const [deleted, grown, member] = [next(), next(), next()]
    await stage.ask('PUT', `/api/installation/${member}/group/${ring}`)
    const asked = [
      {
        style: 'merge',
        send: () => stage.ask('DELETE', `/api/installation/${deleted}`, { key: 'delete-1' }),
        status: 202,
        kind: 'deletion',
        done: async () => (await stage.ask('GET', `/api/installation/${deleted}`)).body.State,
        after: 'deletion-pending-requested',
      },
      {
        style: 'squash',
        send: () => stage.grow(grown, '5000users', 'grow-1'),
        status: 202,
        kind: 'size-up',
        done: () => stage.sizeOf(grown),
        after: '5000users',
      },
      {
        style: 'rebase',
        send: () => stage.ask('PUT', `/api/group/${ring}`, { body: { Version: '11.3.0' }, key: 'ring-1' }),
        status: 200,
        kind: 'group-version',
        done: async () => (await stage.ask('GET', `/api/group/${ring}`)).body.Version,
        after: '11.3.0',
      },
    ] as const
    for (const { style, send, status, kind, done, after } of asked) {
      const reply = await send()
      t.equal(reply.status, status, reply.text)
      const review = reviewOf(reply)
      t.equal(reply.headers.get('location'), review.url)
      t.equal(reply.headers.get('fleetwright-commit'), null)
      const pull = await stage.pull(review.number)
      t.match(pull, { html_url: review.url, state: 'open', merged: false })
      t.match(await open(stage), [
        { id: review.id, state: 'awaiting review', kinds: [kind], pullRequest: review.url },
      ])
      await checked(stage, review.number, 'success')
      const comments = await until(
        () => sight.comments(review.number),
        (comments) => comments.length > 0,
        SECONDS,
      )
      t.equal(comments.length, 1, 'one comment says what it does')
      t.not(await done(), after)
      t.equal(reviewOf(await send()).url, review.url, 'asked for again, it is the same')
      await people.merge(review.number, style)
      await until(done, (now) => now === after, SECONDS)
      t.same(await stage.ended(review, /carried out/), ['completed'])
      t.same(await open(stage), [])
      t.equal((await stage.pullsOf(pull.head.ref)).length, 1)
      lap(style)
    }
    await stage.server.killAndStart()
    const again = await stage.grow(grown, '5000users', 'grow-1')
    t.equal(again.status, 202)
    t.equal(again.headers.get('fleetwright-review'), null, 'it is carried out already')
  })

  await t.test('what is closed is cancelled, what is newer takes the place', async (t) => {
    const id = next()
    const older = reviewOf(await stage.grow(id, '1000users'))
    const newer = reviewOf(await stage.grow(id, '5000users'))
    t.same(await stage.ended(older, new RegExp(newer.url)), [])
    t.match(await stage.ask('DELETE', `/api/installation/${id}`), {
      status: 409,
      body: { code: 'review-open' },
    })
    await people.closePullRequest(newer.number)
    t.same(await stage.ended(newer, /cancelled/), [])
    t.same(await open(stage), [])
    t.equal(await stage.sizeOf(id), '100users')
    lap('closed')
  })

  await t.test(
    'what is not what was asked for any more turns red, and is put back when it is merged',
    async (t) => {
      const [edited, locked] = [next(), next()]
      const before = await stage.document(edited)
      const first = reviewOf(await stage.grow(edited, '5000users'))
      await checked(stage, first.number, 'success')
      await people.push(first.number, { [before.path]: before.text.replace('100users', '10000users') })
      await checked(stage, first.number, 'failure')
      const [shown] = await until(
        () => open(stage),
        ([one]) => one?.edited === true,
        SECONDS,
      )
      t.equal(shown?.id, first.id)
      const second = reviewOf(await stage.grow(locked, '5000users'))
      await checked(stage, second.number, 'success')
      t.equal((await stage.ask('POST', `/api/security/installation/${locked}/api/lock`)).status, 200)
      await checked(stage, second.number, 'failure')
      lap('red')
      for (const [review, id, why] of [
        [first, edited, /not what was asked for/],
        [second, locked, /locked/],
      ] as const) {
        await people.merge(review.number, 'merge')
        t.same(await stage.ended(review, why), ['undone'])
        t.equal(await stage.sizeOf(id), '100users')
        t.match((await stage.document(id)).text, /size: "?100users/)
      }
      lap('put back')
    },
  )

  await t.test('hooks that come late or in the wrong order do no harm', async (t) => {
    const id = next()
    const main = await sight.tip('refs/heads/main')
    const review = reviewOf(await stage.grow(id, '1000users'))
    await checked(stage, review.number, 'success')
    const hook = (action: string): Promise<number> =>
      stage.hook('pull_request', { action, number: review.number, pull_request: { number: review.number } })
    const push = { ref: 'refs/heads/main', before: '0'.repeat(40), after: main }
    for (const answer of [await hook('closed'), await hook('opened'), await stage.hook('push', push)])
      t.equal(answer, 202)
    t.match(await open(stage), [{ id: review.id, pullRequest: review.url }])
    await people.merge(review.number, 'squash')
    for (const answer of [await hook('opened'), await stage.hook('push', push), await hook('synchronized')])
      t.equal(answer, 202)
    t.same(await stage.ended(review, /carried out/), ['completed'])
    await hook('opened')
    await stage.hook('push', { ...push, ref: `refs/heads/fleetwright/review/${review.id}` })
    t.same(await open(stage), [])
    t.equal(await stage.sizeOf(id), '1000users')
    lap('hooks')
  })

  await t.test('a process that is killed goes on where it was', async (t) => {
    await killedAtKnownMoments(t, stage, next)
    lap('killed at known moments')
    await killedAtAnyMoment(t, stage, next)
    lap('killed at any moment')
  })

  await t.test('a protected main', async (t) => {
    await protectedMain(t, stage, next)
    lap('protected')
  })
})

async function killedAtKnownMoments(t: Test, stage: ReviewsOnGitea, next: () => Id): Promise<void> {
  const { server, world } = stage
  const { people } = world
  const [kept, gone, cancelled] = [next(), next(), next()]
  const asked = [
    reviewOf(await stage.grow(kept, '5000users', 'kept')),
    reviewOf(await stage.grow(gone, '5000users', 'gone')),
    reviewOf(await stage.grow(cancelled, '5000users', 'cancelled')),
  ] as const
  await server.killAndStart()
  t.same(
    (await open(stage)).map(({ id }) => id),
    asked.map(({ id }) => id),
    'right after the answers',
  )
  t.equal(reviewOf(await stage.grow(kept, '5000users', 'kept')).url, asked[0].url)
  await server.kill()
  await people.merge(asked[0].number, 'rebase')
  await stage.mergeAndRemove(asked[1].number)
  await people.closePullRequest(asked[2].number)
  await server.start()
  t.same(await stage.ended(asked[0], /carried out/), ['completed'], 'merged before it was taken in')
  t.same(await stage.ended(asked[1], /carried out/), ['completed'], 'merged, and its branch removed')
  t.same(await stage.ended(asked[2], /cancelled/), [])
  t.same([await stage.sizeOf(kept), await stage.sizeOf(gone)], ['5000users', '5000users'])
  t.equal(await stage.sizeOf(cancelled), '100users')
  t.same(await open(stage), [])
}

async function killedAtAnyMoment(t: Test, stage: ReviewsOnGitea, next: () => Id): Promise<void> {
  const { server, world } = stage
  for (const [most, style] of [
    [200, 'merge'],
    [600, 'squash'],
    [1200, 'rebase'],
  ] as const) {
    const id = next()
    const unanswered = stage.grow(id, '5000users', `any-${id}`).catch(() => undefined)
    await pause(most)
    await server.kill()
    await unanswered
    await server.start()
    const review = reviewOf(await stage.grow(id, '5000users', `any-${id}`))
    t.match(await open(stage), [{ id: review.id, pullRequest: review.url }])
    const merging = world.people.merge(review.number, style)
    await merging
    await pause(most)
    await server.kill()
    await server.start()
    t.same(await stage.ended(review, /carried out/), ['completed'])
    t.equal(await stage.sizeOf(id), '5000users')
    t.equal((await stage.pullsOf(`fleetwright/review/${review.id}`)).length, 1)
    t.same(await open(stage), [])
  }
}

async function protectedMain(t: Test, stage: ReviewsOnGitea, next: () => Id): Promise<void> {
  const { server, world, flags } = stage
  const { people } = world
  await people.protectMain('for-all')
  await server.kill()
  await server.start([...flags, '--protected-main', 'pull-requests'])
  const create = (name: string): Promise<Reply> =>
    stage.ask('POST', '/api/groups', { body: { Name: name, MaxRolling: 1 }, key: `create-${name}` })
  async function acknowledged(...replies: readonly Reply[]): Promise<void> {
    for (const { status, text, headers } of replies) {
      t.equal(status, 200, text)
      t.ok(await stage.isOnMain(headers.get('fleetwright-commit') ?? ''))
    }
  }
  await acknowledged(await create('direct'))
  const { number } = await people.openPullRequest({
    branch: 'notes',
    title: 'Say what this is',
    files: { 'notes/fleet.md': 'Note\n' },
  })
  const merging = people.merge(number, 'merge')
  await acknowledged(...(await Promise.all([create('one'), create('two')])))
  await merging
  await acknowledged(await create('three'))

  const id = next()
  const review = reviewOf(await stage.grow(id, '5000users'))
  await people.merge(review.number, 'squash')
  t.same(await stage.ended(review, /carried out/), ['completed'])

  const made = ['direct', 'one', 'two', 'three']
  for (const most of [300, 1_000, 2_000]) {
    const names = [`killed-${most}-a`, `killed-${most}-b`]
    const unanswered = Promise.all(names.map((name) => create(name).catch(() => undefined)))
    await pause(most)
    await server.kill()
    const answers = await unanswered
    await acknowledged(...answers.filter((reply) => reply !== undefined))
    await server.start()
    t.same(await stage.branchesBelow('fleetwright/window/'), [], 'nothing is left of the one before')
    const open = (await stage.pullsOf('fleetwright/window/')).filter(({ state }) => state === 'open')
    t.same(open, [])
    for (const name of names) await acknowledged(await create(name))
    made.push(...names)
  }
  const groups: readonly { readonly Name: string }[] = (
    await stage.ask('GET', '/api/groups?page=0&per_page=100')
  ).body
  const counted = groups.map(({ Name }) => Name).filter((name) => made.includes(name))
  t.same(counted.sort(), made.sort(), 'each is there once')
}
