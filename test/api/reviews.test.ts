import { t, test } from 'tap'
import type { Id } from '../../src/fleet/ids.ts'
import { secretKeysIn } from '../../src/fleet/secret-references.ts'
import { startReviewLoop } from '../../src/reconcile/reviews.ts'
import { startSecretSweep } from '../../src/reconcile/secret-sweep.ts'
import { createSecretHolds } from '../../src/secrets/holds.ts'
import { systemClock } from '../../src/system/clock.ts'
import { createStable, importCluster, makeStable, type Reply, send } from '../support/api.ts'
import { runHere } from '../support/command-line.ts'
import type { MergeStyle } from '../support/forge-world.ts'
import { startGitServer } from '../support/git-server/server.ts'
import { git } from '../support/person.ts'
import { type ReviewingServer, startReviewingServer } from '../support/reviewing-server.ts'
import { TOKEN } from '../support/server.ts'

t.setTimeout(180_000)

const ALL = {
  deletions: true,
  sizeUps: true,
  groupVersions: true,
  clusterRemovals: true,
  moreThanInstallations: 2,
}

function remove(server: ReviewingServer, id: Id): Promise<Reply> {
  return send(server.url, 'DELETE', `/api/installation/${id}`)
}

function patch(server: ReviewingServer, id: Id, body: object): Promise<Reply> {
  return send(server.url, 'PUT', `/api/installation/${id}/mattermost`, { body })
}

async function truths(server: ReviewingServer, id: Id): Promise<Reply['body']> {
  return (await send(server.url, 'GET', `/api/fleet/installations/${id}/status`)).body
}

async function reviews(server: ReviewingServer): Promise<Reply['body']> {
  return (await send(server.url, 'GET', '/api/fleet/reviews')).body.reviews
}

function urlOf(reply: Reply): string {
  return reply.headers.get('fleetwright-pull-request') ?? ''
}

function numberOf(reply: Reply): number {
  return Number(urlOf(reply).split('/').at(-1))
}

async function said(server: ReviewingServer, reply: Reply): Promise<string> {
  return (await server.forge.sight.comments(numberOf(reply))).map(({ text }) => text).join('\n')
}

async function branches(server: ReviewingServer): Promise<number> {
  return git(server.directory, 'for-each-ref', 'refs/heads/fleetwright').split('\n').length - 1
}

async function storedOf(server: ReviewingServer, id: Id): Promise<readonly string[]> {
  return (await server.parts.secrets.list(`installations/${id}`)).map(({ key }) => key).sort()
}

function spec(server: ReviewingServer, id: Id) {
  const found = server.parts.writer.fleet.installation(id)
  if (found === undefined) throw new Error(`there is no ${id}`)
  return found.spec
}

const WAYS: readonly (readonly [MergeStyle, 'embedded' | 'remote'])[] = [
  ['merge', 'embedded'],
  ['squash', 'embedded'],
  ['rebase', 'embedded'],
  ['merge', 'remote'],
  ['squash', 'remote'],
]

for (const [style, where] of WAYS) {
  test(`${where}: a deletion becomes a pull request, and a ${style} carries it out`, async (t) => {
    const repository = where === 'remote' ? await startGitServer() : undefined
    const server = await startReviewingServer(t, repository === undefined ? {} : { repository })
    t.teardown(() => repository?.close())
    const id = await createStable(server, 'acme')
    await server.setPolicy(ALL)
    const reply = await remove(server, id)
    t.equal(reply.status, 202)
    t.equal(reply.text, '')
    t.match(urlOf(reply), /^https:\/\/forge.invalid\/acme\/fleet\/pulls\/\d+$/)
    t.equal(reply.headers.get('location'), urlOf(reply))
    t.equal(reply.headers.get('fleetwright-commit'), null)
    const view = await send(server.url, 'GET', `/api/installation/${id}`)
    t.equal(view.body.State, 'stable', 'the state on the wire knows nothing of it')
    const [open] = await reviews(server)
    t.match(open, {
      state: 'awaiting review',
      kinds: ['deletion'],
      requestedBy: 'admin',
      pullRequest: urlOf(reply),
      installation: id,
      edited: false,
    })
    t.equal(Date.parse(open.expires) - Date.parse(open.since), 168 * 3_600_000)
    t.same((await truths(server, id)).awaitingReview, [open])
    const again = await remove(server, id)
    t.equal(again.headers.get('fleetwright-pull-request'), urlOf(reply), 'asked for again, it is the same')
    t.equal((await reviews(server)).length, 1)

    await server.forge.people.merge(numberOf(reply), style)
    await server.takeIn()
    t.equal(spec(server, id).operation.kind, 'deletion-pending')
    t.equal((await truths(server, id)).awaitingReview.length, 0)
    await server.loop.settle()
    t.match(await said(server, reply), /carried out/)
    t.equal(await branches(server), 0)
    t.same(server.errors, [])
    t.same(server.parts.problems(), [])
  })
}

test('each kind of change is answered as its route answers, with the object as it is', async (t) => {
  const server = await startReviewingServer(t)
  const ring = (await send(server.url, 'POST', '/api/groups', { body: { Name: 'ring', Version: '11.1.0' } }))
    .body.ID
  const cluster = await importCluster(server.url, 'empty')
  const members = await Promise.all(
    ['aa', 'bb', 'cc'].map((name) => createStable(server, name, { GroupID: ring })),
  )
  const [one] = members
  if (one === undefined) throw new Error('there are members')
  server.parts.observations.set('cluster', cluster, {
    state: 'stable',
    generation: 9,
    observedAt: Date.now(),
  })
  await server.setPolicy(ALL)
  const grown = await patch(server, one, { Size: '5000users' })
  t.match(grown, { status: 202, body: { ID: one, Size: '100users' } })
  const group = await send(server.url, 'PUT', `/api/group/${ring}`, { body: { Version: '11.3.0' } })
  t.match(group, { status: 200, body: { ID: ring, Version: '11.1.0' } })
  const gone = await send(server.url, 'DELETE', `/api/cluster/${cluster}`)
  t.equal(gone.status, 202)
  const planned = await send(server.url, 'PUT', `/api/installation/${members[1]}/deletion/schedule`, {
    body: { ScheduledDeletionTime: Date.now() + 86_400_000 },
  })
  t.match(planned, { status: 200, body: { ID: members[1] } })
  t.equal(planned.body.ScheduledDeletionTime, undefined)
  for (const reply of [grown, group, gone, planned]) t.match(urlOf(reply), /pulls/)
  t.same(
    (await reviews(server)).map(({ kinds }: { readonly kinds: readonly string[] }) => kinds.join()),
    ['size-up', 'group-version,more-than-installations', 'cluster-removal', 'deletion'],
  )
  const shrunk = await patch(server, one, { Version: '11.2.5' })
  t.match(
    shrunk,
    { status: 202, body: { Version: '11.2.5' } },
    'what the policy does not name goes in directly',
  )
  t.ok(shrunk.headers.get('fleetwright-commit'))

  await server.forge.people.merge(numberOf(group), 'squash')
  await server.takeIn()
  t.match((await send(server.url, 'GET', `/api/group/${ring}`)).body, { Version: '11.3.0' })
  const dry = await send(server.url, 'DELETE', `/api/installation/${one}?dry_run=true`)
  t.match(dry, { status: 200, body: { needsReview: [/is to be deleted/] } })
})

test('without a forge what needs a review is refused, and nothing stays', async (t) => {
  const server = await startReviewingServer(t)
  const id = await createStable(server, 'acme')
  await server.setPolicy(ALL)
  const before = git(server.directory, 'for-each-ref')
  const body = { Size: '5000users', License: 'a-licence' }
  const refused = await send(server.plainUrl, 'PUT', `/api/installation/${id}/mattermost`, { body })
  t.match(refused, {
    status: 403,
    body: { code: 'review-required', detail: /acme grows from 100users to 5000users.*no forge/ },
  })
  t.equal(git(server.directory, 'for-each-ref'), before)
  t.same(await storedOf(server, id), [])
  const fine = await send(server.plainUrl, 'PUT', `/api/installation/${id}/mattermost`, {
    body: { Version: '11.2.5' },
  })
  t.equal(fine.status, 202)
})

test('values of a review are held, and go with it', async (t) => {
  const server = await startReviewingServer(t)
  const id = await createStable(server, 'acme', { License: 'first' })
  await server.setPolicy(ALL)
  const [first] = await storedOf(server, id)
  const reply = await patch(server, id, { Size: '5000users', License: 'second' })
  t.equal(reply.status, 202)
  t.equal((await storedOf(server, id)).length, 2)
  const sweep = startSecretSweep({
    ...server.parts,
    holds: server.parts.secretHolds,
    clock: { ...systemClock, now: () => systemClock.now() + 86_400_000 * 30 },
    graceMilliseconds: 86_400_000 * 90,
    onSwept: () => undefined,
    onError: (error) => server.errors.push(error),
  })
  t.teardown(() => sweep.close())
  const holds = createSecretHolds()
  const next = startReviewLoop({ ...server.parts, forge: undefined, holds, onError: t.error })
  t.teardown(() => next.close())
  const [added] = (await storedOf(server, id)).filter((key) => key !== first)
  t.ok(added !== undefined && holds.isHeld(added), 'also by a process that starts now, before its sweep does')
  t.same((await sweep.sweep()).orphans, [], "it is nobody's orphan")
  t.notMatch(git(server.directory, 'log', '--all', '-p'), /second/, 'git knows the key only')
  await server.forge.people.closePullRequest(numberOf(reply))
  await server.loop.settle()
  t.same(await storedOf(server, id), [first])
  t.match(await said(server, reply), /cancelled/)
  t.equal(await branches(server), 0)
  t.same(await reviews(server), [])

  const another = await patch(server, id, { Size: '5000users', License: 'third' })
  await server.forge.people.merge(numberOf(another), 'squash')
  await server.takeIn()
  await server.loop.settle()
  const [key] = [...secretKeysIn(server.parts.writer.fleet.installation(id))]
  t.equal(await server.parts.secrets.get(key ?? ''), 'third', 'the value of a completed one stays')
  t.same((await sweep.sweep()).missing, [])
  t.same(server.errors, [])
})

test('a newer request takes the place of an older one; another kind has to wait', async (t) => {
  const server = await startReviewingServer(t)
  const id = await createStable(server, 'acme')
  await server.setPolicy(ALL)
  const older = await patch(server, id, { Size: '1000users' })
  const newer = await patch(server, id, { Size: '5000users' })
  t.not(urlOf(older), urlOf(newer))
  t.match(await remove(server, id), { status: 409, body: { code: 'review-open' } })
  await server.loop.settle()
  t.same(
    (await reviews(server)).map(({ pullRequest }: { readonly pullRequest: string }) => pullRequest),
    [urlOf(newer)],
  )
  t.ok((await said(server, older)).includes(urlOf(newer)), 'it is told which')
  t.equal((await server.forge.pullRequest(numberOf(older)))?.state, 'closed')
  await server.forge.people.merge(numberOf(newer), 'merge')
  await server.takeIn()
  t.equal(spec(server, id).size, '5000users')
})

test('a review that nobody merges expires', async (t) => {
  const server = await startReviewingServer(t)
  const id = await createStable(server, 'acme')
  await server.setPolicy({ ...ALL, expireHours: 2 })
  const reply = await remove(server, id)
  server.passHours(1)
  await server.loop.settle()
  t.equal((await reviews(server)).length, 1)
  server.passHours(2)
  await server.loop.settle()
  t.match(await said(server, reply), /in time/)
  t.equal((await server.forge.pullRequest(numberOf(reply)))?.state, 'closed')
  t.same([await reviews(server), await branches(server)], [[], 0])
  t.equal(spec(server, id).operation.kind, 'creation')
})

test('whoever is exempt changes directly', async (t) => {
  const server = await startReviewingServer(t)
  const [one, two] = [await createStable(server, 'one'), await createStable(server, 'two')]
  const made = await send(server.url, 'POST', '/api/fleet/tokens', {
    body: { name: 'portal', role: 'writer' },
  })
  const token: string = made.body.token
  const removeAs = (id: Id): Promise<Reply> =>
    send(server.url, 'DELETE', `/api/installation/${id}`, { token })
  await server.setPolicy({ ...ALL, exempt: { roles: ['admin'] } })
  t.match(urlOf(await removeAs(one)), /pulls/)
  t.ok((await remove(server, two)).headers.get('fleetwright-commit'))
  const three = await createStable(server, 'three')
  await server.setPolicy({ ...ALL, exempt: { tokens: ['portal'] } })
  t.ok((await removeAs(three)).headers.get('fleetwright-commit'))
})

test('a key that is sent again finds its review, and later its commit', async (t) => {
  const server = await startReviewingServer(t)
  const id = await createStable(server, 'acme')
  await server.setPolicy({ ...ALL, moreThanInstallations: 1 })
  const wake = { headers: { 'idempotency-key': 'wake-1' }, body: { Size: '5000users' } }
  server.parts.observations.set('installation', id, {
    state: 'hibernating',
    generation: 9,
    observedAt: Date.now(),
  })
  const first = await send(server.url, 'POST', `/api/installation/${id}/wakeup`, wake)
  t.equal(first.status, 202)
  t.match(urlOf(first), /pulls/)
  const other = await startReviewingServer(t, {
    started: { ...server, stop: async () => undefined, close: async () => undefined },
    forge: server.forge,
  })
  const repeated = await send(other.url, 'POST', `/api/installation/${id}/wakeup`, wake)
  t.same(
    [repeated.status, urlOf(repeated)],
    [202, urlOf(first)],
    'also when the process that answered is gone',
  )
  const conflict = await send(other.url, 'POST', `/api/installation/${id}/wakeup`, {
    ...wake,
    body: { Size: '1000users' },
  })
  t.match(conflict, { status: 422, body: { code: 'idempotency-conflict' } })
  await server.forge.people.merge(numberOf(first), 'squash')
  await server.takeIn()
  const third = await startReviewingServer(t, {
    started: { ...server, stop: async () => undefined, close: async () => undefined },
    forge: server.forge,
  })
  const done = await send(third.url, 'POST', `/api/installation/${id}/wakeup`, wake)
  t.match(done, { status: 202, body: { Size: '5000users' } })
  t.equal(done.headers.get('idempotency-replayed'), 'true')
  makeStable(server.parts, id)
})

test('a forge that does not answer loses nothing: the pull request is opened later', async (t) => {
  const server = await startReviewingServer(t)
  const id = await createStable(server, 'acme')
  await server.setPolicy(ALL)
  server.forge.faults.fail('forge-unavailable')
  const reply = await remove(server, id)
  t.equal(reply.status, 202)
  t.equal(urlOf(reply), '')
  t.match(await reviews(server), [{ id: reply.headers.get('fleetwright-review'), pullRequest: null }])
  server.forge.faults.fail(undefined)
  await server.loop.settle()
  t.match(await reviews(server), [{ pullRequest: /pulls/ }])
})

test('the command line says what awaits a review, and where', async (t) => {
  const server = await startReviewingServer(t)
  const id = await createStable(server, 'acme')
  await server.setPolicy(ALL)
  const url = urlOf(await remove(server, id))
  const environment = { FLEETWRIGHT_SERVER: server.url, FLEETWRIGHT_TOKEN: TOKEN }
  const fleet = await runHere(['status', '--json'], environment)
  t.match(JSON.parse(fleet.stdout).reviews, [{ state: 'awaiting review', pullRequest: url }])
  t.match((await runHere(['status'], environment)).stdout, /^1 change awaiting review$/m)
  t.match(
    (await runHere(['status', 'acme'], environment)).stdout,
    /^ {2}Review {4}awaiting review: https:\/\/forge.invalid\/acme\/fleet\/pulls\/1 Delete/m,
  )
  const one = JSON.parse((await runHere(['status', 'acme', '--json'], environment)).stdout)
  t.match(one, { State: 'stable', status: { awaitingReview: [{ pullRequest: url, requestedBy: 'admin' }] } })
})

test('a policy that was pushed just before is held to: it is decided on the head that would be committed to', async (t) => {
  const server = await startReviewingServer(t)
  const id = await createStable(server, 'acme')
  await server.setPolicy(ALL, { unseen: true })
  t.equal(server.parts.writer.fleet.settings.spec.changePolicy, undefined, 'nobody here has seen it')
  const reply = await remove(server, id)
  t.match(urlOf(reply), /pulls/)
  t.equal(spec(server, id).operation.kind, 'creation')
  await server.setPolicy(undefined, { unseen: true })
  t.match(
    urlOf(await remove(server, id)),
    /pulls/,
    'one that was just taken away still counts, at most once too often',
  )
})
