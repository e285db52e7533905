/** A forge in memory before a real repository, with everything that checks, follows up and answers, as a server has it. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import type { Id } from '../../src/fleet/ids.ts'
import type { Verdict } from '../../src/fleet/observed/judge.ts'
import { commentOf } from '../../src/fleet/review/comment.ts'
import { reportOf } from '../../src/fleet/review/report.ts'
import { openEmbeddedHome } from '../../src/git/embedded/home.ts'
import { createHistory } from '../../src/git/history.ts'
import { openReviews } from '../../src/git/review/reviews.ts'
import type { Clock } from '../../src/ports/clock.ts'
import type { Observations } from '../../src/ports/observations.ts'
import type { FleetHistory, FleetWriter } from '../../src/ports/writer.ts'
import { ForgeContact } from '../../src/reconcile/pull-requests/forge-contact.ts'
import { type PullRequestLoop, startPullRequestLoop } from '../../src/reconcile/pull-requests/loop.ts'
import { createOrigins } from '../../src/reconcile/pull-requests/origins.ts'
import { startOutcomes } from '../../src/reconcile/pull-requests/outcomes.ts'
import { createMemoryObservations } from '../../src/store/memory.ts'
import { openSqliteStore } from '../../src/store/sqlite/store.ts'
import { systemRandomness } from '../../src/system/clock.ts'
import { importCluster, requestContext, writerOn } from './git-writer.ts'
import { hurriedClock } from './hurried-clock.ts'
import { createMemoryForge, type MemoryForge } from './memory-forge.ts'
import { until } from './until.ts'

/** One process. */
export interface MergedProcess {
  readonly writer: FleetWriter
  readonly observations: Observations
  readonly verdicts: Map<Id, Verdict>
  readonly pullRequests: PullRequestLoop
  /** Ends what talks to the forge and, unless it dies, everything else in order. */
  stop(): Promise<void>
}

export interface MergedWorld {
  readonly forge: MemoryForge
  readonly history: FleetHistory
  readonly clock: Clock
  readonly errors: unknown[]
  readonly now: MergedProcess
  /** Whether a push is told by a hook. */
  tellsPushes: boolean
  restart(): Promise<MergedProcess>
  /** What was said last under the outcome, without its hidden key. */
  outcome(number: number): Promise<string>
  comments(number: number): Promise<readonly string[]>
}

const COMMITTER = 'Fleetwright'

/** @param times how much faster its clock goes: patience of seconds is short then for a machine that is busy */
export async function mergedWorld(t: Test, { clusters = 1, times = 10 } = {}): Promise<MergedWorld> {
  const folder = await mkdtemp(join(tmpdir(), 'fleetwright-'))
  const directory = join(folder, 'fleet.git')
  const clock = hurriedClock(times)
  const errors: unknown[] = []
  const store = openSqliteStore(':memory:')
  let process: MergedProcess | undefined
  let tellsPushes = true
  await (await openEmbeddedHome(directory)).close()
  const forge = createMemoryForge({
    directory,
    now: clock.now,
    onEvent(event) {
      if (event.event === 'pull-request') process?.pullRequests.wake(event.number)
      if (event.event === 'push' && tellsPushes)
        void process?.writer.poll().catch((error) => errors.push(error))
    },
  })
  async function start(): Promise<MergedProcess> {
    const home = await openEmbeddedHome(directory)
    const history = createHistory(directory)
    const contact = new ForgeContact({ clock, randomness: systemRandomness, onFailure: () => undefined })
    const onError = (error: unknown): void => void errors.push(error)
    const origins = createOrigins({ forge, contact, history, committer: COMMITTER, clock, onError })
    const writer = await writerOn(home, { findOrigin: origins.find })
    const reviews = await openReviews({
      ...{ writer, home, clock, randomness: systemRandomness },
      folder: join(folder, 'reviews.git'),
      placement: 'now',
    })
    const observations = createMemoryObservations()
    const verdicts = new Map<Id, Verdict>()
    const outcomes = startOutcomes({
      ...{ forge, contact, origins, writer, history, observations, store, clock, onError },
      sights: {
        installation(id) {
          const verdict = verdicts.get(id)
          return verdict === undefined
            ? undefined
            : { verdict, sight: undefined, stateSince: clock.now(), healthSince: clock.now() }
        },
      },
      recorded: () => undefined,
      publicUrl: undefined,
    })
    const pullRequests = startPullRequestLoop({
      ...{ forge, contact, writer, clock, randomness: systemRandomness, onError },
      review: ({ number, head, headRef, author }) =>
        reviews.plan({ number, head, headRef, author: { login: author.login, teams: [] } }),
      wordsOf: (plan) => ({ ...reportOf(plan), comment: commentOf(plan) }),
      pollMilliseconds: 60_000,
      metrics: { open: () => undefined, planned: () => undefined },
      onOpen: (numbers) => reviews.keepOnly(numbers),
      onPlanned: origins.remember,
      onEnded: outcomes.wake,
    })
    return {
      ...{ writer, observations, verdicts, pullRequests },
      async stop() {
        await pullRequests.close()
        await outcomes.close()
        await reviews.close()
        await writer.close()
      },
    }
  }
  process = await start()
  for (let at = 1; at <= clusters; at += 1)
    await process.writer.submit(importCluster(`prod-${at}`, at), requestContext(at))
  t.teardown(async () => {
    await process?.stop()
    await store.close()
    await rm(folder, { recursive: true, force: true })
  })
  const comments = async (number: number): Promise<readonly string[]> =>
    (await forge.sight.comments(number)).map(({ text }) => text)
  return {
    ...{ forge, clock, errors, comments },
    history: createHistory(directory),
    get tellsPushes() {
      return tellsPushes
    },
    set tellsPushes(tells) {
      tellsPushes = tells
    },
    get now() {
      if (process === undefined) throw new Error('no process runs')
      return process
    },
    async restart() {
      await process?.stop()
      process = await start()
      return process
    },
    outcome: async (number) =>
      (await comments(number)).find((text) => text.startsWith('<!-- fleetwright:outcome -->')) ?? '',
  }
}

/** Waits until the outcome of a pull request says this. */
export async function told(world: MergedWorld, number: number, what: RegExp): Promise<string> {
  return await until(
    () => world.outcome(number),
    (text) => what.test(text),
    60,
  )
}

/** Waits for the last check of a pull request. */
export async function verdict(world: MergedWorld, number: number, result: string): Promise<void> {
  await until(
    async () => world.now.pullRequests.list().find(({ pull }) => pull.number === number)?.result,
    (found) => found === result,
    60,
  )
}

/** As if the installation had been seen running. */
export function seeLive({ writer, observations }: MergedProcess, name: string, at: number): void {
  const installation = writer.fleet.installationByName(name)
  if (installation === undefined) throw new Error(`there is no ${name}`)
  const { generation } = installation.spec.operation
  observations.set('installation', installation.metadata.id, {
    ...{ state: 'stable', generation, observedAt: at, since: at },
  })
}
