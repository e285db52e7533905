import { type Test, test } from 'tap'
import type { RefUpdate, RepositoryHome } from '../../src/git/contracts.ts'
import { openEmbeddedHome } from '../../src/git/embedded/home.ts'
import type { PaceLimit } from '../../src/git/writer/pace.ts'
import type { RepositoryWriter } from '../../src/git/writer/types.ts'
import {
  creation,
  importCluster,
  requestContext,
  SILENT,
  startWriter,
  writerOn,
} from '../support/git-writer.ts'
import type { FleetWriter } from '../../src/ports/writer.ts'
import { createInstantClock, type InstantClock } from '../support/instant-clock.ts'
import { id } from '../support/intents.ts'
import { commitAs, git } from '../support/person.ts'

const MINUTE = 60_000
const LIMIT: PaceLimit = { perMinute: 6, burst: 2 }

interface Paced {
  readonly writer: RepositoryWriter
  readonly directory: string
  readonly clock: InstantClock
  /** When each push was made on that clock, and to how many refs. */
  readonly pushes: { readonly at: number; readonly updates: readonly RefUpdate[] }[]
  readonly waits: number[]
}

/** A writer on a clock that makes no one wait, with a cluster in it and a full bucket. */
async function paced(t: Test, pace: PaceLimit = LIMIT, windowLimit = 256): Promise<Paced> {
  const directory = `${t.testdir()}/fleet.git`
  const clock = createInstantClock()
  const home = await openEmbeddedHome(directory)
  const pushes: Paced['pushes'] = []
  const waits: number[] = []
  const push: RepositoryHome['push'] = async (updates, objects) => {
    pushes.push({ at: clock.time, updates })
    return await home.push(updates, objects)
  }
  const observer = { ...SILENT, paced: (milliseconds: number) => void waits.push(milliseconds) }
  const writer = await writerOn({ ...home, push }, { clock, pace, windowLimit, observer })
  t.teardown(() => writer.close())
  await writer.submit(importCluster('prod-1', 5_000), requestContext(0))
  clock.pass(10 * MINUTE)
  pushes.length = 0
  waits.length = 0
  return { writer, directory, clock, pushes, waits }
}

function numbers(from: number, to: number): readonly number[] {
  return Array.from({ length: to - from + 1 }, (_, at) => from + at)
}

function create(writer: FleetWriter, number: number): ReturnType<FleetWriter['submit']> {
  return writer.submit(creation(number), requestContext(number))
}

function subjects(directory: string): readonly string[] {
  return git(directory, 'log', '--reverse', '--format=%s', 'main').trim().split('\n').slice(2)
}

function neverMore(t: Test, { pushes }: Paced, { perMinute, burst }: PaceLimit): void {
  for (const [at, { at: from }] of pushes.entries())
    for (const [more, { at: to }] of pushes.slice(at).entries())
      if (more + 1 > burst + ((to - from) * perMinute) / MINUTE + 1e-6)
        t.fail(`${more + 1} pushes within ${to - from} ms`)
}

test('a request on a fleet that is quiet waits for nothing', async (t) => {
  const subject = await paced(t)
  const before = subject.clock.time
  await create(subject.writer, 1)
  t.equal(subject.clock.time, before)
  t.same(subject.waits, [0])
})

test('under pressure windows grow: the rate is kept, the order too, all are answered and nothing is lost', async (t) => {
  const limit = { perMinute: 6, burst: 2 }
  const subject = await paced(t, limit, 4)
  const { writer, directory, pushes, waits, clock } = subject
  const order: number[] = []
  const all = numbers(1, 60)
  await Promise.all(
    all.map(async (number) => {
      await create(writer, number)
      order.push(number)
    }),
  )
  t.same(order, all, 'answered in their order')
  t.same(
    subjects(directory),
    all.map((number) => `Create installation acme-${number} on prod-1`),
  )
  neverMore(t, subject, limit)
  // Two windows of 4 at once, then one of 16 every ten seconds.
  t.equal(pushes.length, 2 + Math.ceil((60 - 8) / 16))
  t.ok(waits.some((wait) => wait > 0))
  t.ok(clock.time - (pushes[0]?.at ?? 0) >= 4 * 10_000)
  t.equal(git(directory, 'fsck', '--strict', '--no-dangling'), '')
})

test('requests that come all the time, and a person who pushes in between, keep the rate', async (t) => {
  const limit = { perMinute: 30, burst: 3 }
  const subject = await paced(t, limit)
  const { writer, directory, clock } = subject
  const answers: Promise<unknown>[] = []
  for (const number of numbers(1, 40)) {
    answers.push(create(writer, number))
    if (number % 13 === 0) {
      await commitAs(directory, t.testdirName, { [`notes/${number}.md`]: 'Note\n' }, `Note ${number}`)
      answers.push(writer.poll())
    }
    clock.pass((number * 7919) % 900)
    await new Promise((resolve) => setImmediate(resolve))
  }
  const results = await Promise.allSettled(answers)
  t.same(
    results.filter(({ status }) => status === 'rejected'),
    [],
  )
  neverMore(t, subject, limit)
  t.equal(writer.fleet.installationCount(), 40)
  const ours = subjects(directory).filter((subject) => subject.startsWith('Create'))
  t.equal(new Set(ours).size, 40)
  t.equal(ours.length, 40)
  t.equal(git(directory, 'fsck', '--strict', '--no-dangling'), '')
})

test('what writes nothing is served while requests wait for their turn', async (t) => {
  const { writer, clock, pushes } = await paced(t, { perMinute: 1, burst: 1 })
  await create(writer, 1)
  let waiting = true
  const second = create(writer, 2).then(() => {
    waiting = false
  })
  const before = clock.time
  const planned = await writer.plan(creation(3), requestContext(3))
  t.ok(waiting, 'the request still waits')
  t.equal(clock.time, before)
  t.match(planned.subject, /acme-3/)
  await second
  t.equal(pushes.length, 2)
})

test('a writer that is closed answers those who wait for their turn, and keeps the rate', async (t) => {
  const subject = await paced(t, { perMinute: 2, burst: 1 })
  const { writer, directory } = subject
  const all = Promise.all(numbers(1, 5).map((number) => create(writer, number)))
  await new Promise((resolve) => setImmediate(resolve))
  const late = create(writer, 6)
  await writer.close()
  await all
  await late
  neverMore(t, subject, { perMinute: 2, burst: 1 })
  t.equal(subjects(directory).length, 6)
})

test('a git server that asks for a pause gets it, and then one larger window', async (t) => {
  const clock = createInstantClock()
  const pauses: number[] = []
  const observer = { ...SILENT, limited: (milliseconds: number) => void pauses.push(milliseconds) }
  const started = await startWriter(t, 'remote', { clock, windowLimit: 3, observer })
  const { writer, directory, server } = started
  if (server === undefined) throw new Error('a remote home has a server')
  await writer.submit(importCluster('prod-1', 500), requestContext(0))
  const answers = [
    { status: 429, headers: { 'Retry-After': '90' } },
    { status: 403, headers: {}, text: 'You have exceeded a secondary rate limit.\n' },
    { status: 403, headers: { 'X-RateLimit-Remaining': '0', 'Retry-After': '5' } },
  ] as const
  for (const answer of answers) server.fail('receive-pack', { kind: 'status', ...answer })
  server.fail('upload-pack', { kind: 'status', status: 429 }, 2)
  const before = clock.time
  const pushes = (): number =>
    server.requests.filter(({ line }) => line.endsWith('POST /fleet.git/git-receive-pack')).length
  const pushesBefore = pushes()
  const committed = await Promise.all(numbers(1, 9).map((number) => create(writer, number)))
  t.ok(committed.every(({ commit }) => commit !== undefined))
  t.ok(clock.time - before >= 95_000, `${clock.time - before} ms`)
  t.ok(pauses.includes(90_000) && pauses.includes(5_000), `${pauses}`)
  t.equal(pauses.length, 5)
  // Three that were refused, then all nine at once.
  t.equal(pushes() - pushesBefore, 4)
  t.equal(git(directory, 'rev-list', '--count', 'main').trim(), '11')
  t.equal(writer.contact.trouble, undefined)
  t.equal(writer.fleet.installation(id(9))?.metadata.name, 'acme-9')
})
