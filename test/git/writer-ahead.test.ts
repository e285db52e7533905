import { type Test, test } from 'tap'
import { FleetError } from '../../src/fleet/errors.ts'
import { manifestPath } from '../../src/fleet/paths.ts'
import { openEmbeddedHome } from '../../src/git/embedded/home.ts'
import type { PushOutcome, RepositoryHome } from '../../src/git/contracts.ts'
import type { FleetWriter } from '../../src/ports/writer.ts'
import { creation, importCluster, requestContext, writerOn } from '../support/git-writer.ts'
import { id } from '../support/intents.ts'
import { commitAs, git } from '../support/person.ts'
import { until } from '../support/until.ts'

type Push = RepositoryHome['push']

interface Held {
  readonly writer: FleetWriter
  readonly directory: string
  /** Pushes that were asked for, with how many objects each. */
  readonly pushes: number[]
  /** Lets the push that is held go on, or answers it instead. */
  release(instead?: (push: () => Promise<PushOutcome>) => Promise<PushOutcome>): void
  /** Holds one more push. */
  hold(): void
}

/** A writer whose next push is held until it is released. */
async function holding(t: Test): Promise<Held> {
  const directory = `${t.testdir()}/fleet.git`
  const home = await openEmbeddedHome(directory)
  const pushes: number[] = []
  let holds = false
  let release: Held['release'] = () => undefined
  const push: Push = async (updates, objects) => {
    pushes.push(objects.length)
    if (!holds) return await home.push(updates, objects)
    holds = false
    const instead = await new Promise<Parameters<Held['release']>[0]>((resolve) => {
      release = resolve
    })
    const pushed = (): Promise<PushOutcome> => home.push(updates, objects)
    return instead === undefined ? await pushed() : await instead(pushed)
  }
  const writer = await writerOn({ ...home, push })
  t.teardown(() => writer.close())
  await writer.submit(importCluster('prod-1', 500), requestContext(0))
  pushes.length = 0
  holds = true
  return {
    writer,
    directory,
    pushes,
    release: (instead) => release(instead),
    hold: () => {
      holds = true
    },
  }
}

/** One request in a push that is held, three that come meanwhile, of which the last breaks a rule. */
async function sendMeanwhile({
  writer,
  pushes,
}: Held): Promise<readonly [Promise<PromiseSettledResult<unknown>[]>]> {
  const first = writer.submit(creation(1), requestContext(1))
  await until(
    async () => pushes.length,
    (asked) => asked === 1,
  )
  const later = [
    writer.submit(creation(2), requestContext(2)),
    writer.submit(creation(3), requestContext(3)),
    writer.submit(creation(4, 'acme-1'), requestContext(4)),
  ]
  const all = Promise.allSettled([first, ...later])
  // They are built on top of the one that is held.
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve))
  return [all]
}

function history(directory: string): readonly string[] {
  return git(directory, 'log', '--reverse', '--format=%s', 'main').trim().split('\n').slice(2)
}

const CREATED = [1, 2, 3].map((number) => `Create installation acme-${number} on prod-1`)

test('what comes while a push is under way is the next push, and is not told before it is on the home', async (t) => {
  const held = await holding(t)
  const [all] = await sendMeanwhile(held)
  t.equal(held.writer.fleet.installationCount(), 0)
  held.release()
  const results = await all
  t.same(
    results.map(({ status }) => status),
    ['fulfilled', 'fulfilled', 'fulfilled', 'rejected'],
  )
  t.equal(held.pushes.length, 2)
  t.same(history(held.directory), CREATED)
  t.equal(git(held.directory, 'fsck', '--strict', '--no-dangling'), '')
  t.equal(
    git(held.directory, 'rev-parse', 'main:clusters/prod-1'),
    git(held.directory, 'rev-parse', 'cluster/prod-1^{tree}'),
  )
})

test('after a lost race both windows are built again', async (t) => {
  const held = await holding(t)
  const [all] = await sendMeanwhile(held)
  held.release(async () => ({ outcome: 'stale', detail: 'somebody was first' }))
  const results = await all
  t.same(
    results.map(({ status }) => status),
    ['fulfilled', 'fulfilled', 'fulfilled', 'rejected'],
  )
  t.same(history(held.directory), CREATED)
  t.equal(git(held.directory, 'fsck', '--strict', '--no-dangling'), '')
})

test('after a lost answer both are carried out once', async (t) => {
  const held = await holding(t)
  const [all] = await sendMeanwhile(held)
  held.release(async (push) => {
    await push()
    throw new FleetError('remote-unavailable', 'The answer was lost.')
  })
  const results = await all
  t.same(
    results.map(({ status }) => status),
    ['fulfilled', 'fulfilled', 'fulfilled', 'rejected'],
  )
  t.same(history(held.directory), CREATED)
})

test('when only the second loses its race, what others pushed is compared with the first', async (t) => {
  const held = await holding(t)
  const [all] = await sendMeanwhile(held)
  held.hold()
  held.release()
  await until(
    async () => held.pushes.length,
    (asked) => asked === 2,
  )
  const mine = '# Mine\n'
  await commitAs(held.directory, t.testdirName, { 'README.md': mine }, 'Say what this is')
  // As a git server does it, which keeps nothing of a push that it refuses.
  held.release(async () => ({ outcome: 'stale', detail: 'somebody was first' }))
  const results = await all
  t.same(
    results.map(({ status }) => status),
    ['fulfilled', 'fulfilled', 'fulfilled', 'rejected'],
  )
  t.same(history(held.directory), [CREATED[0], 'Say what this is', CREATED[1], CREATED[2]])
  t.equal(git(held.directory, 'show', 'main:README.md'), mine)
  t.equal(git(held.directory, 'fsck', '--strict', '--no-dangling'), '')
})

test('what was refused with the window below is decided again without it', async (t) => {
  const held = await holding(t)
  const [all] = await sendMeanwhile(held)
  held.release(async () => {
    throw new FleetError('remote-refused', 'A hook does not like it.')
  })
  const results = await all
  // The name that the fourth asks for was not taken after all.
  t.same(
    results.map(({ status }) => status),
    ['rejected', 'fulfilled', 'fulfilled', 'fulfilled'],
  )
  t.equal(held.writer.fleet.installation(id(1)), undefined)
  t.match(git(held.directory, 'show', `main:${manifestPath('prod-1', id(4))}`), /\S/)
  t.equal(git(held.directory, 'fsck', '--strict', '--no-dangling'), '')
})
