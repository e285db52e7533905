import { join } from 'node:path'
import { type Test, test } from 'tap'
import { createDocuments } from '../../src/fleet/documents.ts'
import type { Installation } from '../../src/fleet/intents.ts'
import { installationPath } from '../../src/fleet/paths.ts'
import type { Transaction } from '../../src/fleet/transaction.ts'
import { requestDeletion } from '../../src/fleet/transactions/installations/deletion.ts'
import { updateInstallation } from '../../src/fleet/transactions/installations/update.ts'
import type { OpenReview, ReviewRequest } from '../../src/ports/change-reviews.ts'
import type { FleetWriter } from '../../src/ports/writer.ts'
import type { MergeStyle } from '../support/forge-world.ts'
import { remoteHome } from '../support/git-server/home.ts'
import {
  creation,
  embeddedWriter,
  importCluster,
  requestContext,
  type StartedWriter,
  startWriter,
  writerOn,
} from '../support/git-writer.ts'
import { createInstantClock } from '../support/instant-clock.ts'
import { id } from '../support/intents.ts'
import { createMemoryForge, type MemoryForge } from '../support/memory-forge.ts'
import { commitAs, git } from '../support/person.ts'
import { until } from '../support/until.ts'

const STYLES: readonly MergeStyle[] = ['merge', 'squash', 'rebase']
const DOCUMENTS = createDocuments()
const stateOf = (): string => 'stable'
const resize = (number: number, size: string): Transaction<unknown> =>
  updateInstallation({ id: id(number), stateOf, patch: { size } })

function request(
  number: number,
  transaction: Transaction<unknown>,
  review = id(700 + number),
): ReviewRequest<unknown> {
  return {
    id: review,
    reasons: [{ kind: 'size-up', detail: 'it grows' }],
    transaction,
    context: requestContext(number, { idempotencyKey: `key-${review}`, requestDigest: `digest-${number}` }),
  }
}

interface Place extends StartedWriter {
  readonly forge: MemoryForge
  readonly path: ReturnType<typeof installationPath>
  /** The document of acme-1 as the fleet has it. */
  acme(writer?: FleetWriter): Installation
  text(): string
  open(review: OpenReview): Promise<number>
  /** The same repository after a restart. */
  again(): Promise<FleetWriter>
}

async function start(
  t: Test,
  kind: 'embedded' | 'remote' = 'embedded',
  extra: Parameters<typeof startWriter>[2] = {},
): Promise<Place> {
  const started = await startWriter(t, kind, extra)
  const { writer, directory } = started
  await writer.submit(importCluster('prod-1', 900), requestContext(0))
  await writer.submit(creation(1), requestContext(1))
  await writer.submit(creation(2), requestContext(2))
  const path = installationPath('prod-1', id(1))
  const forge = createMemoryForge({ directory })
  return {
    ...started,
    forge,
    path,
    acme(of = writer) {
      const intent = of.fleet.intent(path)
      if (intent?.kind !== 'Installation') throw new Error('acme-1 is gone')
      return intent
    },
    text: () => git(directory, 'show', `main:${path}`),
    async again() {
      await writer.close()
      const next = await embeddedWriter(directory)
      t.teardown(() => next.close())
      return next
    },
    open: async ({ branch, subject, id: review }) =>
      (await forge.open({ branch, base: 'main', title: `${subject} (review ${review})`, body: '' })).number,
  }
}

async function proposed(writer: FleetWriter, asked: ReviewRequest<unknown>): Promise<OpenReview> {
  const { review } = await writer.propose(asked)
  if (review === undefined) throw new Error('there was nothing to review')
  return review
}

/** A change of acme-1 as a person makes it. */
function edited(place: Place, spec: Partial<Installation['spec']>): Record<string, string> {
  const before = place.acme()
  return {
    [place.path]: DOCUMENTS.edit(place.text(), before, { ...before, spec: { ...before.spec, ...spec } }),
  }
}

/** As a person at a command line does it. */
async function settleInFavourOfReview(place: Place, review: OpenReview, style: MergeStyle): Promise<void> {
  const { directory } = place
  const text = git(directory, 'show', `${review.commit}:${place.path}`)
  const message = git(directory, 'log', '-1', '--format=%B', review.commit)
  if (style !== 'merge') {
    await commitAs(
      directory,
      place.folder,
      { [place.path]: text },
      style === 'rebase' ? message : `${review.subject} (review ${review.id})`,
    )
    return
  }
  const settled = await commitAs(directory, place.folder, { [place.path]: text }, 'Settle', 'settled')
  const tree = git(directory, 'rev-parse', `${settled}^{tree}`).trim()
  const main = git(directory, 'rev-parse', 'main').trim()
  const merge = git(
    directory,
    '-c',
    'user.name=Grace',
    '-c',
    'user.email=grace@example.com',
    'commit-tree',
    tree,
    '-p',
    main,
    '-p',
    review.commit,
    '-m',
    'Merge it',
  ).trim()
  git(directory, 'update-ref', 'refs/heads/main', merge)
}

test('a proposed change is a branch with its documents; main and the projections stay', async (t) => {
  const place = await start(t)
  const { writer, directory } = place
  const refs = git(directory, 'for-each-ref')
  const review = await proposed(writer, request(1, resize(1, '1000users')))
  t.equal(
    git(directory, 'for-each-ref')
      .split('\n')
      .filter((line) => !line.includes('review/'))
      .join('\n'),
    refs,
  )
  t.equal(git(directory, 'diff', '--name-only', 'main', review.branch).trim(), place.path)
  t.equal(place.acme().spec.size, '100users')
  t.match(
    git(directory, 'log', '-1', '--format=%an%n%cn%n%(trailers)', review.branch),
    /Ada\nFleetwright\n[\s\S]*Review: [\s\S]*Request-Id: request-1\nActor: Ada <ada@example.com>\nIdempotency-Key: key-[\s\S]*Request-Digest: digest-1/,
  )
  t.equal(git(directory, 'fsck', '--strict', '--no-dangling'), '')
  await writer.submit(creation(3), requestContext(3))
  t.equal(writer.openReviews()[0]?.id, review.id, 'later windows leave it alone')
})

const DELETION = [{ kind: 'deletion' as const, detail: 'it goes' }]

test('a main that was pushed with force gets no branches', async (t) => {
  const { writer, directory } = await start(t, 'remote')
  git(directory, 'update-ref', 'refs/heads/main', git(directory, 'rev-parse', 'main~1').trim())
  await t.rejects(writer.poll(), { code: 'history-rewritten' })
  const refs = git(directory, 'for-each-ref')
  await t.rejects(writer.propose(request(1, resize(1, '1000users'))), { code: 'history-rewritten' })
  t.equal(git(directory, 'for-each-ref'), refs)
})

test('the same request again has the same branch; one of another kind is refused meanwhile', async (t) => {
  const { writer } = await start(t)
  const first = request(1, resize(1, '1000users'))
  await proposed(writer, first)
  t.equal((await proposed(writer, { ...first, id: id(797) })).id, first.id)
  const other = { ...request(2, resize(1, '5000users')), id: id(798) }
  t.equal(
    (await proposed(writer, other)).id,
    other.id,
    'a newer one of the same kind has a branch of its own',
  )
  const deletion = { ...request(3, requestDeletion({ id: id(1), stateOf })), reasons: DELETION }
  await t.rejects(writer.propose(deletion), { code: 'review-open' })
  const elsewhere = { ...request(4, requestDeletion({ id: id(2), stateOf })), reasons: DELETION }
  t.equal((await proposed(writer, elsewhere)).id, elsewhere.id)
  await t.rejects(writer.propose(request(5, resize(99, '1000users'))), { code: 'not-found' })
  t.equal((await writer.propose(request(6, resize(1, '100users')))).review, undefined, 'nothing to change')
})

for (const style of STYLES) {
  test(`a ${style} completes the request, and time runs from then on`, async (t) => {
    const place = await start(t)
    const { writer, forge } = place
    const review = await proposed(writer, {
      ...request(1, requestDeletion({ id: id(1), stateOf })),
      reasons: DELETION,
    })
    const number = await place.open(review)
    await writer.submit(creation(4), requestContext(4))
    const merged = Date.now()
    await forge.people.merge(number, style)
    await forge.deleteBranch(review.branch)
    await writer.poll()
    await writer.submit(creation(5), requestContext(5))
    t.same(writer.problems(), [])
    t.match(writer.reviewOutcome(review.id), { outcome: 'completed' })
    const { operation, hibernated, deletion } = place.acme().spec
    t.match(operation, { kind: 'deletion-pending', generation: 2 })
    t.equal(hibernated, true)
    t.ok(Date.parse(operation.requestedAt) >= merged, operation.requestedAt)
    t.ok(
      Date.parse(deletion?.pendingExpiresAt ?? '') >= merged + 180_000,
      'it can be cancelled for as long as any',
    )
    t.same(DOCUMENTS.parse(place.path, place.text()).intent, place.acme(), 'and so it is written')
    const record = writer.findByIdempotencyKey(review.idempotencyKey ?? '')
    t.equal(record?.commit, writer.reviewOutcome(review.id)?.commit)
    t.match(record, { requestDigest: 'digest-1', trailers: { Installation: id(1) } })
    t.equal(
      git(place.directory, 'rev-parse', 'main:clusters/prod-1'),
      git(place.directory, 'rev-parse', 'cluster/prod-1^{tree}'),
    )
    const next = await place.again()
    t.match(next.reviewOutcome(review.id), { outcome: 'completed' }, 'the next start knows')
    t.equal(next.findByIdempotencyKey(review.idempotencyKey ?? '')?.commit, record?.commit)
    t.same(next.problems(), [])
    t.same(next.fleet.intent(place.path), DOCUMENTS.parse(place.path, place.text()).intent)
  })

  test(`a ${style} is taken back when another request changed the object meanwhile`, async (t) => {
    const place = await start(t)
    const { writer, forge } = place
    const review = await proposed(writer, request(1, resize(1, '1000users')))
    const number = await place.open(review)
    const generation = place.acme().spec.operation.generation
    await writer.submit(
      updateInstallation({ id: id(1), stateOf, patch: { version: '11.9.0' } }),
      requestContext(9, { now: Date.UTC(2026, 10, 24) }),
    )
    const before = { intent: place.acme(), text: place.text() }
    t.equal(before.intent.spec.operation.generation, generation + 1)
    // A forge refuses the conflict; somebody settles it in favour of what was reviewed.
    await t.rejects(forge.people.merge(number, style))
    await settleInFavourOfReview(place, review, style)
    await writer.poll()
    await writer.submit(creation(5), requestContext(5))
    t.match(writer.reviewOutcome(review.id), { outcome: 'undone', reason: /another request changed it/ })
    t.same(place.acme(), before.intent)
    t.equal(place.text(), before.text)
    t.equal(
      writer.findByIdempotencyKey(review.idempotencyKey ?? ''),
      undefined,
      'the request was not carried out',
    )
    t.same(writer.problems(), [])
    t.match((await place.again()).fleet.intent(place.path), { spec: { version: '11.9.0', size: '100users' } })
  })

  test(`a ${style} of an edited branch is taken back, also when it changes more than was asked for`, async (t) => {
    const place = await start(t)
    const { writer, forge } = place
    const before = place.text()
    const review = await proposed(writer, request(1, resize(1, '1000users')))
    const number = await place.open(review)
    const asked = git(place.directory, 'show', `${review.commit}:${place.path}`)
    await forge.people.push(number, { [place.path]: asked.replace('1000users', '25000users') })
    await writer.poll()
    t.match(writer.openReviews(), [{ id: review.id, isEdited: true, commit: review.commit }])
    // Main has not moved, so a rebase is a fast-forward.
    if (style === 'rebase') git(place.directory, 'update-ref', 'refs/heads/main', review.branch)
    else await forge.people.merge(number, style)
    await writer.poll()
    await writer.submit(creation(5), requestContext(5))
    t.match(writer.reviewOutcome(review.id), { outcome: 'undone', reason: /not what was asked for/ })
    t.equal(place.acme().spec.size, '100users')
    t.equal(place.text(), before)
  })

  test(`a ${style} beside a change of other fields counts with both`, async (t) => {
    const place = await start(t)
    const { writer, forge } = place
    const review = await proposed(writer, request(1, resize(1, '1000users')))
    const number = await place.open(review)
    await forge.people.commit('main', edited(place, { owner: 'somebody-else' }))
    await writer.poll()
    await forge.people.merge(number, style)
    await writer.poll()
    await writer.submit(creation(5), requestContext(5))
    t.match(writer.reviewOutcome(review.id), { outcome: 'completed' })
    t.match(place.acme().spec, { size: '1000users', owner: 'somebody-else' })
  })

  test(`a ${style} is taken back when the object was locked meanwhile`, async (t) => {
    const place = await start(t)
    const { writer, forge } = place
    const review = await proposed(writer, {
      ...request(1, requestDeletion({ id: id(1), stateOf })),
      reasons: DELETION,
    })
    const number = await place.open(review)
    await forge.people.commit('main', edited(place, { deletionLocked: true }))
    await writer.poll()
    const before = place.text()
    await forge.people.merge(number, style)
    await writer.poll()
    await writer.submit(creation(5), requestContext(5))
    t.match(writer.reviewOutcome(review.id), { outcome: 'undone', reason: /locked against deletion/ })
    t.equal(place.acme().spec.operation.kind, 'creation')
    t.equal(place.text(), before)
    t.match(
      git(place.directory, 'log', '-1', '--skip=1', '--format=%B', 'main'),
      /Take back a merged change[\s\S]*Review-Outcome: undone/,
    )
  })
}

test("a forged commit gains nothing: what it changes is looked at as anybody's", async (t) => {
  const place = await start(t)
  const { writer, directory, forge } = place
  const stranger = await forge.people.openPullRequest({
    branch: `fleetwright/review/${id(750)}`,
    title: 'Looks like a review',
    files: edited(place, { size: '1000users' }),
  })
  await writer.poll()
  t.same(writer.openReviews(), [], 'a branch of somebody else is no review')
  const locked = edited(place, { apiLocked: true })
  await forge.people.commit('main', locked)
  await writer.poll()
  const text = place.text().replace('100users', '5000users')
  const trailers = `Review: ${id(750)}\nReview-Outcome: completed\nIdempotency-Key: stolen\nRequest-Digest: x`
  const commit = await commitAs(directory, place.folder, { [place.path]: text }, `Complete it\n\n${trailers}`)
  await writer.poll()
  t.match(writer.problems(), [{ path: place.path, code: 'api-locked', commit }])
  t.equal(place.acme().spec.size, '100users')
  t.equal(writer.reviewOutcome(id(750)), undefined)
  t.equal(writer.findByIdempotencyKey('stolen'), undefined, 'no request was answered by it')
  t.ok(stranger.number)
})

test('a seal tells a review from a commit in its name', async (t) => {
  const place = await start(t, 'embedded', { reviewKey: Buffer.alloc(32, 1) })
  const { writer, directory } = place
  const review = await proposed(writer, request(1, resize(1, '1000users')))
  t.equal(review.isSealed, true)
  const message = git(directory, 'log', '-1', '--format=%B', review.commit).replaceAll(review.id, id(760))
  const names = ['-c', 'user.name=Fleetwright', '-c', 'user.email=fleetwright@example.com']
  const tree = (
    await commitAs(directory, place.folder, edited(place, { size: '25000users' }), 'Grow', 'other')
  ).trim()
  const forged = git(
    directory,
    ...names,
    'commit-tree',
    `${tree}^{tree}`,
    '-p',
    review.base,
    '-m',
    message,
  ).trim()
  git(directory, 'update-ref', `refs/heads/fleetwright/review/${id(760)}`, forged)
  await writer.poll()
  t.same(
    writer
      .openReviews()
      .map((one) => [one.id, one.isSealed])
      .sort(),
    [
      [review.id, true],
      [id(760), false],
    ].sort(),
  )
})

for (const style of STYLES)
  test(`a ${style} while no process ran is taken in, also when it removed the branch`, async (t) => {
    const place = await start(t, 'remote')
    const { writer, server, directory, folder, forge } = place
    if (server === undefined) throw new Error('a remote home has a server')
    const [kept, closed] = [
      await proposed(writer, request(1, resize(1, '5000users'))),
      await proposed(writer, request(2, resize(2, '5000users'))),
    ]
    const number = await place.open(kept)
    await writer.close()
    await forge.people.merge(number, style)
    for (const { branch } of [kept, closed]) git(directory, 'update-ref', '-d', `refs/heads/${branch}`)
    const next = await writerOn(await remoteHome(server, join(folder, 'data-0')))
    t.teardown(() => next.close())
    await until(
      async () => next.reviewOutcome(kept.id),
      (outcome) => outcome !== undefined,
    )
    t.equal(next.reviewOutcome(kept.id)?.outcome, 'completed')
    t.equal(place.acme(next).spec.size, '5000users')
    t.equal(next.findByIdempotencyKey(`key-${kept.id}`)?.commit, next.reviewOutcome(kept.id)?.commit)
    t.equal(next.reviewOutcome(closed.id), undefined)
    t.same(next.openReviews(), [])
  })

test('a git server that asks for a pause gets it, and then the review', async (t) => {
  const clock = createInstantClock()
  const { writer, server } = await start(t, 'remote', { clock })
  if (server === undefined) throw new Error('a remote home has a server')
  server.fail('receive-pack', { kind: 'status', status: 429, headers: { 'Retry-After': '90' } })
  server.fail('receive-pack', { kind: 'status', status: 429, headers: { 'Retry-After': '30' } })
  const before = clock.time
  const review = await proposed(writer, request(1, resize(1, '5000users')))
  t.ok(clock.time - before >= 120_000, `${clock.time - before} ms`)
  t.same(
    writer.openReviews().map(({ id }) => id),
    [review.id],
  )
})

test('a review that waits for the git server is refused when the process ends', async (t) => {
  const { writer, server } = await start(t, 'remote')
  if (server === undefined) throw new Error('a remote home has a server')
  const limited = { kind: 'status', status: 429, headers: { 'Retry-After': '90' } } as const
  server.fail('receive-pack', limited)
  const waiting = t.rejects(writer.propose(request(1, resize(1, '5000users'))), { code: 'writer-closed' })
  await until(
    async () => server.requests.filter(({ line }) => line.endsWith('git-receive-pack')).length,
    (pushes) => pushes > 3,
  )
  await writer.close()
  await waiting
})

test('two replicas say once what became of a review', async (t) => {
  const place = await start(t, 'remote')
  const { writer, forge, directory } = place
  const other = await place.replica()
  const review = await proposed(writer, request(1, resize(1, '1000users')))
  const number = await place.open(review)
  await other.poll()
  t.equal(other.openReviews()[0]?.id, review.id)
  await forge.people.merge(number, 'merge')
  await Promise.all([writer.poll(), other.poll()])
  await Promise.all([
    writer.submit(creation(5), requestContext(5)),
    other.submit(creation(6), requestContext(6)),
  ])
  await Promise.all([writer.poll(), other.poll()])
  t.same(writer.reviewOutcome(review.id), other.reviewOutcome(review.id))
  const records = git(directory, 'log', '--format=%(trailers:key=Review-Outcome,valueonly)', 'main')
  t.equal(records.split('\n').filter((line) => line === 'completed').length, 1)
  t.same(place.acme(), place.acme(other))
  t.same(other.problems(), [])
})

test("a deletion of a branch and a push of a review do not stand in each other's way", async (t) => {
  const place = await start(t)
  const { writer, directory } = place
  const asked = [1, 2].map((number) => request(number, resize(number, '1000users')))
  const results = await Promise.all([
    ...asked.map((one) => proposed(writer, one)),
    ...[11, 12, 13].map((number) => writer.submit(creation(number), requestContext(number))),
  ])
  t.equal(results.length, 5)
  t.equal(writer.openReviews().length, 2)
  git(directory, 'update-ref', '-d', `refs/heads/${writer.openReviews()[0]?.branch}`)
  await writer.poll()
  t.equal(writer.openReviews().length, 1)
  t.equal(git(directory, 'fsck', '--strict', '--no-dangling'), '')
})
