import { join } from 'node:path'
import { test } from 'tap'
import { createDocuments } from '../../../src/fleet/documents.ts'
import type { ObjectId, RefName } from '../../../src/fleet/ids.ts'
import { clusterPath, groupPath, installationPath, manifestPath } from '../../../src/fleet/paths.ts'
import type { ReviewPlan } from '../../../src/fleet/review/plan.ts'
import { lockInstallation } from '../../../src/fleet/transactions/installations/lifecycle.ts'
import { updateInstallation } from '../../../src/fleet/transactions/installations/update.ts'
import { openReviews } from '../../../src/git/review/reviews.ts'
import { systemClock, systemRandomness } from '../../../src/system/clock.ts'
import { openBareRepository } from '../../support/bare-repository.ts'
import { remoteHome } from '../../support/git-server/home.ts'
import { creation, importCluster, requestContext, startWriter, writerOn } from '../../support/git-writer.ts'
import { cluster, group, id, settings } from '../../support/intents.ts'
import { git } from '../../support/person.ts'
import { type ReviewedFleet, startReviews } from '../../support/reviews.ts'

const documents = createDocuments()

function request(name: string, more = ''): string {
  return `apiVersion: fleet.fleetwright.dev/v1\nkind: InstallationRequest\nmetadata:\n  name: ${name}\nspec:\n  owner: grace\n${more}`
}

async function start(t: Parameters<typeof startReviews>[0]): Promise<ReviewedFleet> {
  const fleet = await startReviews(t)
  await fleet.writer.submit(importCluster('prod-1', 1), requestContext(0))
  await fleet.writer.submit(creation(1), requestContext(1))
  return fleet
}

test('a new request: where it would go, its documents, and nothing is written', async (t) => {
  const fleet = await start(t)
  const head = await fleet.propose({ 'requests/globex.yaml': request('globex') })
  const before = await fleet.main()
  const plan = await fleet.plan(head)
  t.same(plan.problems, [])
  t.equal(plan.base, before)
  t.equal(plan.head, head)
  t.match(plan.placements, [{ subject: 'Create installation globex on prod-1' }])
  t.match(plan.objects, [{ kind: 'installation', name: 'globex', change: 'added', cluster: 'prod-1' }])
  t.match(plan.impact.added, [{ name: 'globex' }])
  t.equal(await fleet.main(), before)
  t.equal(fleet.writer.fleet.installations().length, 1)
  t.equal(fleet.writer.fleet.installationByName('globex'), undefined)
})

test('requests of one pull request see one another, and the second of one name is refused on its line', async (t) => {
  const fleet = await start(t)
  const head = await fleet.propose({
    'requests/a.yaml': request('globex'),
    'requests/b.yaml': request('other', '  dns:\n    - globex.cloud.example.com\n'),
  })
  const plan = await fleet.plan(head)
  t.match(plan.problems, [
    { path: 'requests/b.yaml', line: 8, detail: /globex\.cloud\.example\.com is in use/ },
  ])
  t.equal(plan.problems.length, 1)
  t.equal(plan.placements.length, 1)
})

test('two pull requests for one DNS name: the second turns red when the first is merged', async (t) => {
  const fleet = await start(t)
  const first = await fleet.propose({ 'requests/first.yaml': request('globex') })
  const second = await fleet.propose({ 'requests/second.yaml': request('globex') })
  t.same((await fleet.plan(first)).problems, [])
  t.same((await fleet.plan(second)).problems, [])
  await fleet.merge(first)
  await fleet.writer.submit(creation(2), requestContext(2))
  t.match((await fleet.plan(second)).problems, [
    { path: 'requests/second.yaml', detail: /in use by installation globex/ },
  ])
  await fleet.merge(second)
  await fleet.writer.submit(creation(3), requestContext(3))
  t.match(fleet.writer.problems(), [{ path: 'requests/second.yaml', detail: /in use/ }])
  t.equal(fleet.writer.fleet.installations().filter(({ metadata }) => metadata.name === 'globex').length, 1)
})

test('a conflict with main is a problem that says what to do; changes of other lines are merged', async (t) => {
  const fleet = await start(t)
  const path = clusterPath('prod-1')
  const document = documents.emit(cluster('prod-1', 1, { capacity: { installations: 1_000_000 } }))
  const branched = await fleet.main()
  const same = document.replace('1000000', '900000')
  const head = await fleet.propose({ [path]: same }, branched)
  const other = await fleet.propose({ [path]: `# Ask Ada first.\n${document}` }, branched)
  const main = await fleet.propose({ [path]: document.replace('1000000', '800000') }, branched)
  await fleet.merge(main)
  const plan = await fleet.plan(head)
  t.match(plan.problems, [{ path, code: 'merge-conflict', detail: /rebase the pull request on main/ }])
  t.equal(plan.problems.length, 1)
  t.same(plan.objects, [])
  const merged = await fleet.plan(other)
  t.same(merged.problems, [])
  t.match(merged.objects, [{ kind: 'cluster', diff: /\+# Ask Ada first\.\n/ }])
  t.notMatch(merged.objects[0]?.diff, '900000')
})

test('what is merged already, or is not there any more, changes nothing', async (t) => {
  const fleet = await start(t)
  const head = await fleet.propose({ [groupPath('canary')]: documents.emit(group('canary', 600)) })
  await fleet.merge(head)
  t.match(await fleet.plan(head), { problems: [], objects: [] })
})

test('an edited manifest is refused, and so is a document that must not go', async (t) => {
  const fleet = await start(t)
  const edited = manifestPath('prod-1', id(1))
  const plan = await fleet.plan(
    await fleet.propose({ [edited]: 'name: somebody else\n', [clusterPath('prod-1')]: undefined }),
  )
  const found = Object.fromEntries(plan.problems.map(({ path, code }) => [path, code]))
  t.match(found, { [edited]: 'edited-manifest', [clusterPath('prod-1')]: String })
  const extra = manifestPath('prod-1', id(77))
  t.match((await fleet.plan(await fleet.propose({ [extra]: 'kind: Secret\n' }))).problems, [
    { path: extra, code: 'edited-manifest' },
  ])
})

test('a document that waits on main is released by what it waits for', async (t) => {
  const fleet = await start(t)
  const path = installationPath('prod-1', id(1))
  const text = (
    await fleet.writer.atHead(async ({ editor, reader }) => {
      const oid = await editor.at(path)
      return oid === undefined ? '' : Buffer.from(await reader.blob(oid)).toString('utf8')
    })
  ).replace('owner: owner', 'owner: owner\n  group: canary')
  await fleet.merge(await fleet.propose({ [path]: text }))
  t.match(fleet.writer.problems(), [{ path, detail: /no group canary/ }])
  const plan = await fleet.plan(
    await fleet.propose({ [groupPath('canary')]: documents.emit(group('canary', 600)) }),
  )
  t.same(plan.problems, [])
  t.match(plan.impact.changed, [{ name: 'acme-1' }])
  t.match(fleet.writer.problems(), [{ path }], 'and waits on')
})

test('the change policy of main counts, on the lines of the pull request; one that it brings does not', async (t) => {
  const fleet = await start(t)
  const withPolicy = (largestSize: string): string =>
    documents.emit(
      settings({
        changePolicy: { pullRequests: { largestSize, owners: [{ kind: 'Cluster', logins: ['ada'] }] } },
      }),
    )
  const large = { 'requests/globex.yaml': request('globex', '  size: 25000users\n') }
  t.same((await fleet.plan(await fleet.propose(large))).problems, [])
  await fleet.merge(await fleet.propose({ 'fleet.yaml': withPolicy('5000users') }))
  const own = await fleet.propose({ ...large, 'fleet.yaml': withPolicy('provisionerXL') })
  const expected = { path: 'requests/globex.yaml', line: 7, column: 3, code: 'change-policy' }
  t.match((await fleet.plan(own)).problems, [expected])
  const cluster2 = await fleet.propose({ [clusterPath('prod-2')]: documents.emit(cluster('prod-2', 2)) })
  t.match((await fleet.plan(cluster2)).problems, [{ detail: /grace may not change cluster prod-2/ }])
  t.same((await fleet.plan(cluster2, { login: 'ada', teams: [] })).problems, [])
})

test('the branch of a review turns red when its merge would be put back', async (t) => {
  const fleet = await start(t)
  const { writer, repository, directory } = fleet
  const { review } = await writer.propose({
    id: id(701),
    reasons: [{ kind: 'size-up', detail: 'it grows' }],
    transaction: updateInstallation({ id: id(1), stateOf: () => 'stable', patch: { size: '5000users' } }),
    context: requestContext(2),
  })
  if (review === undefined) throw new Error('there was nothing to review')
  const path = installationPath('prod-1', id(1))
  const asked = git(directory, 'show', `${review.commit}:${path}`)
  const plan = (head: ObjectId): Promise<ReviewPlan> =>
    fleet.plan(head, { login: 'grace', teams: [] }, review)
  t.same((await plan(review.commit)).problems, [])
  await writer.submit(creation(2), requestContext(3))
  const updated = await repository.merge(review.commit, await fleet.main(), 'merge', 'Update the branch')
  t.same((await plan(updated)).problems, [], 'main may be merged into it')
  const edited = await fleet.propose({ [path]: asked.replace('5000users', '10000users') }, review.commit)
  t.match((await plan(edited)).problems, [
    { path, code: 'review-outdated', detail: /not what was asked for/ },
  ])
  await writer.submit(lockInstallation({ id: id(1), lock: 'apiLocked', locked: true }), requestContext(4))
  t.match((await plan(review.commit)).problems, [
    { path, code: 'api-locked' },
    { path, code: 'review-outdated', detail: /locked/ },
  ])
})

test('a head is fetched from a git server, with the token and nothing else', async (t) => {
  const started = await startWriter(t, 'remote')
  const { server, folder } = started
  if (server === undefined) throw new Error('there is no server')
  const home = await remoteHome(server, join(folder, 'for-reviews'))
  const writer = await writerOn(home)
  const reviews = await openReviews({
    ...{ writer, home, clock: systemClock, randomness: systemRandomness },
    ...{ folder: join(folder, 'reviews.git'), placement: 'now' },
  })
  t.teardown(async () => {
    await reviews.close()
    await writer.close()
  })
  const repository = openBareRepository(server.directory)
  const main = await repository.tip('refs/heads/main')
  const headRef = 'refs/pull/3/head' as RefName
  const head = await repository.commit(main, { 'requests/globex.yaml': request('globex') }, 'Ask')
  await repository.move(headRef, head)
  const plan = await reviews.plan({ number: 3, head, headRef, author: undefined })
  t.match(plan, { head, problems: [], placements: [{ subject: /Accept installation globex, which waits/ }] })
  t.match(plan.warnings, [
    { path: 'requests/globex.yaml', code: 'waits', detail: /the fleet has no cluster/ },
  ])
  const asked = server.requests.length
  await reviews.plan({ number: 3, head, headRef, author: undefined })
  t.equal(server.requests.length, asked, 'and not fetched again')
  server.setToken('another')
  const moved = await repository.commit(head, { 'README.md': 'Read me.\n' }, 'More')
  await repository.move(headRef, moved)
  await t.rejects(reviews.plan({ number: 3, head: moved, headRef, author: undefined }), {
    code: /^remote-(denied|unavailable)$/,
  })
})
