/** A whole server and a real Gitea on bad days: locked out, rewritten, replaced, killed, protected. */
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { type Test, test } from 'tap'
import { missingCustomResources } from '../../scripts/testbed/custom-resources.ts'
import type { CheckedPullRequest } from '../../src/ports/pull-requests.ts'
import { importCluster, type Reply, send } from '../support/api.ts'
import {
  create,
  type GiteaStage,
  problemCodes,
  readiness,
  type StageServer,
  startGiteaStage,
} from '../support/gitea-stage.ts'
import { requestText } from '../support/pull-request-world.ts'
import { until } from '../support/until.ts'

const skip = missingCustomResources() ?? false
const timeout = 900_000
const CHECK = 'fleetwright/plan'

async function listed({
  url,
}: StageServer): Promise<
  readonly { readonly number: number; readonly result: CheckedPullRequest['result'] }[]
> {
  return (await send(url, 'GET', '/api/fleet/pull-requests')).body.pullRequests
}

async function checked(server: StageServer, numbers: readonly number[]): Promise<void> {
  await until(
    async () =>
      (await listed(server)).filter(({ result }) => result === 'success').map(({ number }) => number),
    (done) => numbers.every((number) => done.includes(number)),
    400,
  )
}

function request(name: string): Readonly<Record<string, string>> {
  return { [`requests/${name}.yaml`]: requestText(name, `${name}.pull.example.com`) }
}

test('a token that is revoked, and a new one in its file', { skip, timeout }, async (t) => {
  const stage = await startGiteaStage(t)
  const server = await stage.serve()
  await importCluster(server.url)
  t.match(await create(server, 'before'), { status: 202 })
  const { number, head } = await stage.people.openPullRequest({
    ...{ branch: 'early', title: 'Add early', files: request('early') },
  })
  await checked(server, [number])

  await stage.revokeToken()
  const refs = await stage.refs()
  t.match(await create(server, 'meanwhile'), { status: 502, body: { code: 'remote-denied' } })
  t.match(await readiness(server, 503), { body: { code: 'remote-denied' } })
  await until(
    () => problemCodes(server),
    (codes) => codes.includes('remote-denied') && codes.includes('forge-denied'),
    120,
  )
  t.equal(await stage.refs(), refs)
  t.match(
    (await send(server.url, 'GET', '/api/fleet/installations?name=meanwhile')).text,
    /^(?!.*meanwhile)/s,
  )
  const late = await stage.people.openPullRequest({
    ...{ branch: 'late', title: 'Add late', files: request('late') },
  })

  await stage.renewToken()
  await readiness(server, 200)
  t.match(await create(server, 'meanwhile'), { status: 202 })
  await checked(server, [number, late.number])
  t.match(await stage.sight.check(head, CHECK), { result: 'success' })
  t.match(await stage.sight.check(late.head, CHECK), { result: 'success' })
  t.strictSame(await problemCodes(server), [])
})

/** Nothing is written by the server that runs, to git or to the pull request, and it says so. */
async function writesNothing(
  t: Test,
  stage: GiteaStage,
  server: StageServer,
  because: RegExp,
): Promise<void> {
  const before = await stage.refs()
  await until(
    () => create(server, 'refused'),
    ({ body }) => body.code === 'history-rewritten',
    60,
  )
  t.match(await readiness(server, 503), { body: { code: 'history-rewritten', reason: because } })
  t.ok((await problemCodes(server)).includes('history-rewritten'))
  t.equal(await stage.refs(), before)
}

async function doesNotStart(t: Test, stage: GiteaStage, because: RegExp): Promise<void> {
  const before = await stage.refs()
  await t.rejects(stage.serve(), { code: 'history-rewritten', message: because })
  t.equal(await stage.refs(), before)
}

/** Commits of nobody here, as main. */
async function otherHistory(stage: GiteaStage): Promise<void> {
  const tree = await stage.owner('hash-object', '-w', '-t', 'tree', '/dev/null')
  const person = ['-c', 'user.name=Eve', '-c', 'user.email=eve@example.com']
  const commit = await stage.owner(...person, 'commit-tree', '-m', 'Another fleet', tree)
  await stage.owner('push', '--quiet', '--force', 'origin', `${commit}:refs/heads/main`)
}

test('a main that is pushed with force', { skip, timeout }, async (t) => {
  const stage = await startGiteaStage(t)
  const server = await stage.serve()
  await importCluster(server.url)
  t.match(await create(server, 'before'), { status: 202 })
  const { head } = server.server.parts.writer
  await stage.owner('fetch', '--quiet', 'origin')
  await stage.owner('push', '--quiet', '--force', 'origin', `${head}~1:refs/heads/main`)
  await writesNothing(t, stage, server, new RegExp(`does not contain ${head}`))
  const pull = await stage.people.openPullRequest({
    ...{ branch: 'acme', title: 'Add acme', files: request('acme') },
  })
  await wait(5_000)
  t.match((await send(server.url, 'GET', '/metrics')).text, /^fleetwright_pull_requests_open 0$/m)
  await server.stop()
  await doesNotStart(t, stage, new RegExp(`does not contain ${head}`))
  t.equal(await stage.sight.check(pull.head, CHECK), undefined)
  t.strictSame(await stage.sight.comments(pull.number), [])

  await stage.owner('push', '--quiet', 'origin', `${head}:refs/heads/main`)
  const again = await stage.serve()
  t.match(await create(again, 'after'), { status: 202 })
  await checked(again, [pull.number])
  await stage.owner('fetch', '--quiet', 'origin')
  const { head: last } = again.server.parts.writer
  await stage.owner('push', '--quiet', '--force', 'origin', `${head}:refs/heads/main`)
  await writesNothing(t, stage, again, new RegExp(`does not contain ${last}`))
  await stage.owner('push', '--quiet', 'origin', `${last}:refs/heads/main`)
  await readiness(again, 200)
  t.match(await create(again, 'without-restart'), { status: 202 })
})

test('a repository that is deleted and made again', { skip, timeout }, async (t) => {
  const stage = await startGiteaStage(t)
  const server = await stage.serve()
  await importCluster(server.url)
  t.match(await create(server, 'before'), { status: 202 })
  const { head } = server.server.parts.writer
  await stage.owner('fetch', '--quiet', 'origin')
  await stage.recreate()
  await writesNothing(t, stage, server, /is gone/)
  await otherHistory(stage)
  await writesNothing(t, stage, server, /is another one/)
  const pull = await stage.people.openPullRequest({
    ...{ branch: 'acme', title: 'Add acme', files: request('acme') },
  })
  await stage.owner('push', '--quiet', '--force', 'origin', `${head}:refs/heads/main`)
  await until(
    () => readiness(server, 503),
    ({ body }) => /number \d/.test(body.reason),
    60,
  )
  await writesNothing(t, stage, server, /is another repository \(number \d+\)/)
  await server.stop()
  await doesNotStart(t, stage, /is another repository \(number \d+\).*--accept-new-history/)
  t.strictSame(await stage.sight.comments(pull.number), [])

  await stage.recreate()
  await doesNotStart(t, stage, /is gone/)
  await otherHistory(stage)
  await doesNotStart(t, stage, /is another one/)
  await stage.owner('push', '--quiet', '--force', 'origin', `${head}:refs/heads/main`)
  const again = await stage.serve({ 'accept-new-history': head })
  t.match(await create(again, 'after'), { status: 202 })
})

/** What git leaves behind when it is killed, as its own advice is. */
async function removeLocks(folder: string): Promise<void> {
  const files = await readdir(join(folder, 'gitea', 'repositories'), { recursive: true })
  for (const name of files)
    if (name.endsWith('.lock')) await rm(join(folder, 'gitea', 'repositories', name), { force: true })
}

/** The same request again until it is carried out. */
async function createdAtLast(server: StageServer, name: string): Promise<void> {
  await until(
    () => create(server, name),
    ({ status }) => status === 202,
    120,
  )
}

test('a Gitea that is killed and started again', { skip, timeout }, async (t) => {
  const stage = await startGiteaStage(t)
  const { gitea } = stage
  const server = await stage.serve()
  await importCluster(server.url)
  const replies = new Map<string, Promise<Reply>>()
  const ask = (name: string): Promise<Reply> => {
    const reply = create(server, name)
    replies.set(name, reply)
    return reply
  }
  async function restart(): Promise<void> {
    await gitea.stop('SIGKILL')
    await removeLocks(stage.folder)
    await gitea.start()
  }
  for (let round = 0; round < 3; round += 1) {
    await ask(`first-${round}`)
    const inFlight = Array.from({ length: 5 }, (_, at) => ask(`round-${round}-${at}`))
    await restart()
    await Promise.all(inFlight)
  }
  await gitea.stop('SIGKILL')
  t.match(await ask('away'), { status: 503, body: { code: 'remote-unavailable' } })
  t.ok((await problemCodes(server)).includes('remote-unavailable'))
  await removeLocks(stage.folder)
  await gitea.start()
  const pull = await stage.people.openPullRequest({
    ...{ branch: 'acme', title: 'Add acme', files: request('acme') },
  })
  for (const [name, asked] of replies) {
    const { status, body } = await asked
    t.ok(status === 202 || body.code === 'remote-unavailable', `${name} was answered ${status}`)
    await createdAtLast(server, name)
  }
  await checked(server, [pull.number])
  t.match(await stage.sight.check(pull.head, CHECK), { result: 'success' })

  await stage.owner('fetch', '--quiet', '--prune', 'origin')
  const keys = await stage.owner('log', '--format=%(trailers:key=Idempotency-Key,valueonly)', 'main')
  const expected = [...replies.keys()].map((name) => `create-${name}`).sort()
  t.strictSame(
    keys
      .split('\n')
      .filter((key) => key !== '')
      .sort(),
    expected,
    'each is there once',
  )
  t.strictSame(await problemCodes(server), [])
})

test('a main that is protected', { skip, timeout }, async (t) => {
  const stage = await startGiteaStage(t)
  const { people } = stage
  const open = await stage.serve()
  await importCluster(open.url)
  t.strictSame(await problemCodes(open), [])
  await open.stop()

  await people.protectMain('for-all')
  const locked = await stage.serve()
  const problems = await until(
    async () => (await send(locked.url, 'GET', '/api/fleet/problems')).body.problems,
    (all) => all.length > 0,
    60,
  )
  t.match(problems, [{ code: 'forge-denied', detail: /main is protected.*push whitelist.*protected-main/ }])
  const refs = await stage.refs()
  t.match(await create(locked, 'refused'), { status: 502, body: { code: 'remote-denied' } })
  t.equal(await stage.refs(), refs)
  await locked.stop()

  const careful = await stage.serve({ 'protected-main': 'pull-requests' })
  t.match(await create(careful, 'by-pull-request'), { status: 202 })
  t.strictSame(await problemCodes(careful), [])
  await careful.stop()

  await people.protectMain('with-bypass')
  const passing = await stage.serve()
  t.match(await create(passing, 'past-it'), { status: 202 })
  t.strictSame(await problemCodes(passing), [])
})
