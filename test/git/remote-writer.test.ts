import { setTimeout as sleep } from 'node:timers/promises'
import { type Test, test } from 'tap'
import { createDocuments } from '../../src/fleet/documents.ts'
import { clusterPath, manifestPath } from '../../src/fleet/paths.ts'
import { createHistory } from '../../src/git/history.ts'
import {
  creation,
  importCluster,
  requestContext,
  type StartedWriter,
  startWriter,
} from '../support/git-writer.ts'
import type { Fault, GitServer } from '../support/git-server/server.ts'
import { cluster, id } from '../support/intents.ts'
import { commitAs, gitIn } from './home-contract.ts'

async function start(t: Test): Promise<StartedWriter & { readonly server: GitServer }> {
  const started = await startWriter(t, 'remote')
  const { server } = started
  if (server === undefined) throw new Error('a remote home has a server')
  await started.writer.submit(importCluster('prod-1', 500), requestContext(0))
  return { ...started, server }
}

/** How often each request is in the history of main. */
function requestsIn(directory: string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const line of gitIn(directory, 'log', '--format=%(trailers:key=Request-Id,valueonly)', 'main').split(
    '\n',
  ))
    if (line !== '') counts.set(line, (counts.get(line) ?? 0) + 1)
  return counts
}

function mustBeWhole(t: Test, directory: string): void {
  t.equal(
    gitIn(directory, 'rev-parse', 'main:clusters/prod-1'),
    gitIn(directory, 'rev-parse', 'cluster/prod-1^{tree}'),
  )
  t.equal(gitIn(directory, 'fsck', '--strict', '--no-dangling'), '')
  t.same(
    [...requestsIn(directory)].filter(([, count]) => count !== 1),
    [],
    'nothing is there twice',
  )
}

const FAULTS: readonly Fault[] = [
  { kind: 'cut-before' },
  { kind: 'cut-after' },
  { kind: 'half-answer' },
  { kind: 'status', status: 503 },
  { kind: 'status', status: 429, headers: { 'Retry-After': '1' } },
]

test('a push that fails, or whose answer is lost, is carried out once', async (t) => {
  const { writer, directory, server } = await start(t)
  let number = 0
  for (const fault of FAULTS) {
    number += 1
    server.fail('receive-pack', fault)
    // The look after it fails once too.
    server.fail('upload-pack', { kind: 'status', status: 500 })
    const { commit } = await writer.submit(creation(number), requestContext(number))
    t.equal(gitIn(directory, 'rev-parse', 'main').trim(), commit, fault.kind)
  }
  t.equal(writer.fleet.installations().length, FAULTS.length)
  t.equal(writer.contact.trouble, undefined)
  mustBeWhole(t, directory)
})

test('a push that reaches the repository after it was given up is not carried out twice', async (t) => {
  const { writer, directory, server } = await start(t)
  server.fail('receive-pack', { kind: 'cut-and-carry-out', milliseconds: 300 })
  const { commit } = await writer.submit(creation(1), requestContext(1))
  await sleep(500)
  await writer.submit(creation(2), requestContext(2))
  t.equal(requestsIn(directory).get('request-1'), 1)
  t.match(gitIn(directory, 'log', '--format=%H', 'main'), new RegExp(commit ?? 'a commit'))
  mustBeWhole(t, directory)
})

test('while a person pushes all the time, nothing is lost and nothing doubled', {
  timeout: 240_000,
}, async (t) => {
  const { writer, directory } = await start(t)
  let done = false
  const theirs: string[] = []
  async function person(): Promise<void> {
    for (let at = 0; !done; at += 1) {
      try {
        theirs.push(await commitAs(directory, { [`notes/${at}.md`]: `Note ${at}\n` }, `Note ${at}`))
      } catch {
        // Lost against Fleetwright, as people do.
      }
      await sleep(50)
    }
  }
  const pushing = person()
  try {
    for (let round = 0; round < 6; round += 1) {
      const numbers = Array.from({ length: 5 }, (_, at) => round * 5 + at + 1)
      await Promise.all(numbers.map((number) => writer.submit(creation(number), requestContext(number))))
      if (theirs.length <= round) await sleep(200)
    }
  } finally {
    done = true
    await pushing
  }
  await writer.poll()
  const history = gitIn(directory, 'log', '--format=%H', 'main').split('\n')
  t.ok(theirs.length > 0, `${theirs.length} commits of a person`)
  t.same(
    theirs.filter((commit) => !history.includes(commit)),
    [],
  )
  t.equal([...requestsIn(directory).keys()].filter((line) => line.startsWith('request-')).length, 31)
  t.equal(writer.fleet.installations().length, 30)
  mustBeWhole(t, directory)
})

test('two writers on one repository both get on, and share idempotency keys', {
  timeout: 240_000,
}, async (t) => {
  const { writer: one, directory, replica } = await start(t)
  const two = await replica()
  const numbers = Array.from({ length: 24 }, (_, at) => at + 1)
  await Promise.all(
    numbers.map(async (number) => {
      await sleep(number * 10)
      await (number % 2 === 0 ? one : two).submit(creation(number), requestContext(number))
    }),
  )
  await Promise.all([one.poll(), two.poll()])
  for (const writer of [one, two]) t.equal(writer.fleet.installations().length, numbers.length)
  const context = requestContext(50, { idempotencyKey: 'once', requestDigest: 'digest' })
  const both = await Promise.allSettled([
    one.submit(creation(50), context),
    two.submit(creation(51, 'acme-51'), context),
  ])
  const [lost] = both.filter((result) => result.status === 'rejected')
  t.match(lost?.reason, { code: 'carried-out-already' })
  for (const writer of [one, two]) t.match(writer.findByIdempotencyKey('once'), { requestDigest: 'digest' })
  t.equal(one.head, gitIn(directory, 'rev-parse', 'main').trim())
  mustBeWhole(t, directory)
})

test('what a person edits by hand in a rendered file is restored, by two writers too', async (t) => {
  const { writer: one, directory, replica } = await start(t)
  await one.submit(creation(1), requestContext(1))
  const two = await replica()
  const path = manifestPath('prod-1', id(1))
  await commitAs(directory, { [path]: 'name: somebody else\n' })
  await Promise.all([one.poll(), two.poll()])
  await Promise.all([one.submit(creation(2), requestContext(2)), two.submit(creation(3), requestContext(3))])
  t.match(gitIn(directory, 'show', `main:${path}`), /^name: acme-1$/m)
  mustBeWhole(t, directory)
})

test('a change of a person is rendered as it is now, whatever came between', async (t) => {
  const { writer: one, directory, replica } = await start(t)
  const two = await replica()
  const after = cluster('prod-1', 500, { allowInstallations: false })
  await commitAs(directory, { [clusterPath('prod-1')]: createDocuments().emit(after) })
  await Promise.all([one.poll(), two.poll()])
  for (const writer of [one, two]) t.equal(writer.fleet.cluster('prod-1')?.spec.allowInstallations, false)
  t.same(one.problems(), [])
})

test('a main that was pushed with force is not overwritten; Fleetwright says so, and goes on when it is put right', async (t) => {
  const { writer, directory } = await start(t)
  await writer.submit(creation(1), requestContext(1))
  const before = gitIn(directory, 'rev-parse', 'main').trim()
  gitIn(directory, 'update-ref', 'refs/heads/main', 'main~1')
  const rewritten = gitIn(directory, 'rev-parse', 'main')
  await t.rejects(writer.submit(creation(2), requestContext(2)), { code: 'history-rewritten' })
  await t.rejects(writer.poll(), { code: 'history-rewritten' })
  t.match(writer.problems(), [{ path: '.', code: 'history-rewritten', detail: new RegExp(before) }])
  t.equal(writer.contact.trouble?.code, 'history-rewritten')
  t.equal(gitIn(directory, 'rev-parse', 'main'), rewritten)
  gitIn(directory, 'update-ref', 'refs/heads/main', before)
  await writer.submit(creation(3), requestContext(3))
  t.same(writer.problems(), [])
  t.same(
    writer.fleet
      .installations()
      .map(({ metadata }) => metadata.name)
      .sort(),
    ['acme-1', 'acme-3'],
  )
  mustBeWhole(t, directory)
})

test('a request that the repository refuses is refused alone; without a token nothing is tried again and again', async (t) => {
  const { writer, directory, server } = await start(t)
  await server.refusePushes('no pushes on Fridays')
  await t.rejects(writer.submit(creation(1), requestContext(1)), {
    code: 'remote-refused',
    message: /Fridays/,
  })
  await server.refusePushes(undefined)
  server.setToken('another')
  const before = server.requests.length
  const asked = Array.from({ length: 5 }, (_, at) => writer.submit(creation(at + 1), requestContext(at + 1)))
  for (const result of await Promise.allSettled(asked))
    t.match(result, { status: 'rejected', reason: { code: 'remote-denied' } })
  t.equal(server.requests.length - before, 1)
  t.equal(writer.contact.trouble?.code, 'remote-denied')
  t.equal(writer.fleet.installations().length, 0)
  t.equal((await createHistory(directory).log({ limit: 10 })).length, 2)
})
