/** Every call of the forge may be the last one of a process; the next process goes on from what is there. */
import { t, test } from 'tap'
import { FleetError } from '../../src/fleet/errors.ts'
import type { Id } from '../../src/fleet/ids.ts'
import { startReviewLoop } from '../../src/reconcile/reviews.ts'
import type { ReviewForge } from '../../src/reconcile/review-forge.ts'
import { createSecretHolds } from '../../src/secrets/holds.ts'
import { systemClock } from '../../src/system/clock.ts'
import { createStable, send } from '../support/api.ts'
import { commitAs, git } from '../support/person.ts'
import { type ReviewingServer, startReviewingServer } from '../support/reviewing-server.ts'

t.setTimeout(180_000)

/** A loop that dies before or after its n-th call, and says whether it did. */
async function runAndDie(server: ReviewingServer, call: number, hours: number): Promise<boolean> {
  let calls = 0
  let isDead = false
  const around =
    <Args extends readonly unknown[], Answer>(work: (...args: Args) => Promise<Answer>) =>
    async (...args: Args): Promise<Answer> => {
      calls += 1
      if (isDead || calls > call) {
        isDead = true
        throw new FleetError('forge-unavailable', 'The process is dead.')
      }
      const answer = await work(...args)
      if (calls === call) isDead = true
      if (isDead) throw new FleetError('forge-unavailable', 'The process died before it heard of it.')
      return answer
    }
  const { forge } = server
  const dying: ReviewForge = {
    openPullRequests: around(forge.openPullRequests),
    endedPullRequests: around(forge.endedPullRequests),
    pullRequest: around(forge.pullRequest),
    open: around(forge.open),
    close: around(forge.close),
    comment: around(forge.comment),
    deleteBranch: around(forge.deleteBranch),
  }
  const { writer, history, secrets } = server.parts
  const loop = startReviewLoop({
    ...{ forge: dying, writer, history, secrets },
    holds: createSecretHolds(),
    clock: { ...systemClock, now: () => systemClock.now() + hours * 3_600_000 },
    onError: () => undefined,
  })
  await loop.settle().catch(() => undefined)
  await loop.close()
  return isDead
}

type Ending = (server: ReviewingServer, number: number) => Promise<void>

const ENDINGS: Readonly<
  Record<
    string,
    { readonly hours: number; readonly end: Ending; readonly word: RegExp; readonly size: string }
  >
> = {
  merged: {
    hours: 0,
    word: /carried out/,
    size: '5000users',
    async end(server, number) {
      await server.forge.people.merge(number, 'squash')
      await server.takeIn()
    },
  },
  closed: {
    hours: 0,
    word: /cancelled/,
    size: '100users',
    end: ({ forge }, number) => forge.people.closePullRequest(number),
  },
  expired: { hours: 200, word: /in time/, size: '100users', end: async () => undefined },
}

for (const [how, { hours, end, word, size }] of Object.entries(ENDINGS)) {
  test(`a review that is ${how} ends the same, wherever a process died`, async (t) => {
    const server = await startReviewingServer(t, { quiet: true })
    await server.setPolicy({ sizeUps: true })
    let deaths = 0
    for (let call = 1; call < 20; call += 1) {
      const id: Id = await createStable(server, `acme-${call}`)
      const body = { Size: '5000users', License: 'a-licence' }
      const reply = await send(server.url, 'PUT', `/api/installation/${id}/mattermost`, { body })
      const number = Number(reply.headers.get('fleetwright-pull-request')?.split('/').at(-1))
      await end(server, number)
      const isDead = await runAndDie(server, call, hours)
      if (isDead) deaths += 1
      await runAndDie(server, Number.POSITIVE_INFINITY, hours)
      const comments = await server.forge.sight.comments(number)
      t.equal(comments.length, 1, `after call ${call} one comment`)
      t.match(comments[0]?.text, word)
      t.equal((await server.forge.pullRequest(number))?.state, how === 'merged' ? 'merged' : 'closed')
      t.same(server.parts.writer.openReviews(), [])
      t.equal(server.parts.writer.fleet.installation(id)?.spec.size, size)
      const values = await server.parts.secrets.list(`installations/${id}`)
      // A value whose branch went just before the process did is left to the sweep.
      t.ok(how === 'merged' ? values.length === 1 : values.length <= 1)
      if (!isDead) {
        t.equal(values.length, how === 'merged' ? 1 : 0)
        break
      }
    }
    t.ok(deaths >= 3, `${deaths} deaths, and then it got through`)
  })
}

test('a branch whose pull request was never opened gets it at the next start', async (t) => {
  const server = await startReviewingServer(t, { quiet: true })
  await server.setPolicy({ sizeUps: true })
  const id = await createStable(server, 'acme')
  server.forge.faults.fail('forge-unavailable', { methods: ['open'] })
  const reply = await send(server.url, 'PUT', `/api/installation/${id}/mattermost`, {
    body: { Size: '5000users' },
  })
  t.equal(reply.headers.get('fleetwright-pull-request'), null)
  server.forge.faults.fail(undefined)
  server.forge.faults.loseAnswer('open')
  await runAndDie(server, Number.POSITIVE_INFINITY, 0)
  await runAndDie(server, Number.POSITIVE_INFINITY, 0)
  const open = await server.forge.openPullRequests('main')
  t.match(open, [{ number: 1, branch: `fleetwright/review/${reply.headers.get('fleetwright-review')}` }])
  t.equal(open.length, 1)
})

/** Whoever may push branches can make one that looks like Fleetwright's. */
async function forgeReview(server: ReviewingServer, id: Id, licence: string): Promise<string> {
  const { directory, folder, parts } = server
  const path = parts.writer.fleet.pathOf(id) ?? ''
  const text = `${git(directory, 'show', `main:${path}`)}  licence:\n    key: ${licence}\n`
  const branch = `fleetwright/review/${'a'.repeat(26)}`
  const commit = await commitAs(directory, folder, { [path]: text }, 'Change', 'scratch')
  const named = ['-c', 'user.name=Fleetwright', '-c', 'user.email=fleetwright@fleetwright.invalid']
  const message = `Change it\n\nReview: ${'a'.repeat(26)}\nRequest-Id: forged`
  const forged = git(directory, ...named, 'commit-tree', `${commit}^{tree}`, '-p', 'main', '-m', message)
  git(directory, 'update-ref', `refs/heads/${branch}`, forged.trim())
  await parts.writer.poll()
  return branch
}

test('a forged review gets no pull request in the name of Fleetwright, and closing its own removes no secret', async (t) => {
  const server = await startReviewingServer(t)
  const rich = await createStable(server, 'rich')
  const poor = await createStable(server, 'poor')
  await send(server.url, 'PUT', `/api/installation/${rich}/mattermost`, { body: { License: 'a-licence' } })
  const [{ key } = { key: '' }] = await server.parts.secrets.list(`installations/${rich}`)
  t.ok(key)
  const branch = await forgeReview(server, poor, key)
  t.match(server.parts.writer.openReviews(), [{ branch }])
  await server.loop.settle()
  t.same(await server.forge.openPullRequests('main'), [])
  const { number } = await server.forge.open({ branch, base: 'main', title: 'Change', body: '' })
  await server.loop.settle()
  await server.forge.people.closePullRequest(number)
  await server.loop.settle()
  t.same(server.parts.writer.openReviews(), [])
  t.equal(await server.parts.secrets.get(key), 'a-licence')
})

test('while a review is open the forge is not asked with every commit', async (t) => {
  const server = await startReviewingServer(t, { quiet: true })
  await server.setPolicy({ sizeUps: true })
  const id = await createStable(server, 'acme')
  await send(server.url, 'PUT', `/api/installation/${id}/mattermost`, { body: { Size: '5000users' } })
  let asked = 0
  const { writer, history, secrets } = server.parts
  const loop = startReviewLoop({
    ...{ writer, history, secrets, clock: systemClock },
    forge: {
      ...server.forge,
      async openPullRequests(base) {
        asked += 1
        return await server.forge.openPullRequests(base)
      },
    },
    holds: createSecretHolds(),
    onError: (error) => t.fail(String(error)),
  })
  t.teardown(() => loop.close())
  await loop.settle()
  await loop.settle()
  const before = asked
  for (let count = 0; count < 10; count += 1) {
    await createStable(server, `other-${count}`)
  }
  await loop.settle()
  t.equal(asked, before + 1)
})
