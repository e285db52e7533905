/**
 * Watches the pull requests of the fleet repository and says on each what it would do. Level-triggered: the forge tells what
 * there is, a hook only where to look first, and the poll finds what no hook told. Runs beside the writer and never in
 * its way: a plan waits its turn there, and everything else is between here and the forge.
 */
import { isFleetError } from '../../fleet/errors.ts'
import type { Problem } from '../../fleet/files.ts'
import { documentsOf, movedBy } from '../../fleet/review/concerns.ts'
import type { ReviewPlan } from '../../fleet/review/plan.ts'
import type { Clock, Randomness } from '../../ports/clock.ts'
import type { Forge, PullRequest } from '../../ports/forge.ts'
import type { CheckedPullRequest, PullRequests } from '../../ports/pull-requests.ts'
import type { FleetWriter, HeadChange } from '../../ports/writer.ts'
import { type Loop, startLoop } from '../loop.ts'
import { FAILED, type ReviewWords, sayPending, sayWords } from './check.ts'
import { type ForgeContact, isAway } from './forge-contact.ts'
import type { PullRequestMetrics } from './metrics.ts'
import { Budget, type Choice, choose, PACE, type Pace, type Reason } from './schedule.ts'
import { verdictOf, Watched } from './watched.ts'

const BASE = 'main'
const BEAT_MILLISECONDS = 1_000
const MOST_AT_ONCE = 2
/** Plans because of main. */
const BUDGET = { most: 20, perSecond: 1 } as const
/** Hooks that wait to be looked at; with more, everything is looked at. */
const MOST_ASKED = 200
const FIRST_PAUSE = 5_000
const LONGEST_PAUSE = 10 * 60_000

export interface PullRequestLoopOptions {
  readonly forge: Pick<Forge, 'url' | 'openPullRequests' | 'pullRequest' | 'report' | 'comment'>
  readonly contact: ForgeContact
  readonly writer: Pick<FleetWriter, 'fleet' | 'head' | 'onChange'>
  readonly review: (pull: PullRequest) => Promise<ReviewPlan>
  readonly wordsOf: (plan: ReviewPlan, pull: PullRequest) => ReviewWords
  readonly pollMilliseconds: number
  readonly clock: Clock
  readonly randomness: Randomness
  readonly metrics: Pick<PullRequestMetrics, 'open' | 'planned'>
  /** Those that are open, after each look at all. */
  readonly onOpen: (numbers: ReadonlySet<number>) => Promise<void>
  /** The documents that one changes. */
  readonly onPlanned: (pull: PullRequest, paths: readonly string[]) => void
  /** One was merged or closed. */
  readonly onEnded: () => void
  readonly onError: (error: unknown) => void
  readonly pace?: Pace
}

export interface PullRequestLoop extends PullRequests {
  /** Looks at one now; undefined: at all of them. */
  wake(number?: number): void
  close(): Promise<void>
}

export function startPullRequestLoop(options: PullRequestLoopOptions): PullRequestLoop {
  const watcher = new Watcher(options)
  return watcher
}

class Watcher implements PullRequestLoop {
  readonly #options: PullRequestLoopOptions
  readonly #watched = new Map<number, Watched>()
  readonly #asked = new Set<number>()
  readonly #running = new Set<Promise<void>>()
  readonly #budget: Budget
  readonly #look: Loop
  readonly #work: Loop
  readonly #unsubscribe: () => void
  readonly #startedAt: number
  #hasLooked = false
  #lookedAt = Number.NEGATIVE_INFINITY

  constructor(options: PullRequestLoopOptions) {
    this.#options = options
    const { clock, onError, writer } = options
    this.#startedAt = clock.now()
    this.#budget = new Budget(BUDGET.most, BUDGET.perSecond, clock.monotonic())
    const interval = BEAT_MILLISECONDS
    this.#look = startLoop({ clock, interval, run: () => this.#lookAround(), onError: this.#onError })
    this.#work = startLoop({ clock, interval, run: (signal) => this.#plan(signal), onError })
    this.#unsubscribe = writer.onChange((change) => this.#mainMoved(change))
  }

  get repository(): string {
    return this.#options.forge.url
  }

  list(): readonly CheckedPullRequest[] {
    return [...this.#watched.values()]
      .sort((a, b) => b.pull.number - a.pull.number)
      .map((watched) => watched.view())
  }

  problems(): readonly Problem[] {
    return this.#options.contact.problems()
  }

  wake(number?: number): void {
    if (number === undefined || this.#asked.size >= MOST_ASKED) {
      this.#lookedAt = Number.NEGATIVE_INFINITY
      this.#asked.clear()
    } else this.#asked.add(number)
    this.#look.wake()
  }

  async close(): Promise<void> {
    this.#unsubscribe()
    await this.#look.close()
    await this.#work.close()
    await Promise.all(this.#running)
  }

  /** That the forge is not there is shown as a problem already. */
  readonly #onError = (error: unknown): void => {
    if (!isAway(error)) this.#options.onError(error)
  }

  async #lookAround(): Promise<void> {
    const { contact, clock, pollMilliseconds } = this.#options
    if (!contact.isOpen) return
    if (clock.monotonic() >= this.#lookedAt + pollMilliseconds) await this.#lookAtAll()
    for (const number of [...this.#asked]) await this.#lookAt(number)
  }

  async #lookAtAll(): Promise<void> {
    const { contact, forge, clock, metrics, onOpen, onEnded } = this.#options
    const asked = [...this.#asked]
    const started = clock.monotonic()
    this.#lookedAt = started
    const open = await contact
      .ask(() => forge.openPullRequests(BASE))
      .catch((error: unknown) => {
        if (isAway(error)) this.#lookedAt = Number.NEGATIVE_INFINITY
        throw error
      })
    for (const number of asked) this.#asked.delete(number)
    const left = new Set(this.#watched.keys())
    for (const pull of open) {
      left.delete(pull.number)
      this.#see(pull)
    }
    this.#hasLooked = true
    for (const number of left) this.#watched.delete(number)
    metrics.open(this.#watched.size)
    await onOpen(new Set(this.#watched.keys()))
    if (left.size > 0 || asked.length > 0) onEnded()
    this.#work.wake()
  }

  async #lookAt(number: number): Promise<void> {
    const { contact, forge, metrics, onEnded } = this.#options
    const pull = await contact
      .ask(() => forge.pullRequest(number))
      .catch((error: unknown) => {
        if (!isAway(error)) this.#asked.delete(number)
        throw error
      })
    this.#asked.delete(number)
    if (pull !== undefined && pull.state === 'open' && pull.base === BASE) this.#see(pull)
    else if (this.#watched.delete(number) || pull?.state === 'merged') onEnded()
    metrics.open(this.#watched.size)
    this.#work.wake()
  }

  #see(pull: PullRequest): void {
    const watched = this.#watched.get(pull.number)
    if (watched !== undefined) watched.see(pull)
    else {
      const isNews = this.#hasLooked || pull.updatedAt >= this.#startedAt
      this.#watched.set(pull.number, new Watched(pull, isNews))
    }
  }

  #mainMoved({ changes, paths }: HeadChange): void {
    if (this.#watched.size === 0) return
    const moved = movedBy(this.#options.writer.fleet, changes, paths)
    const { clock, pace = PACE } = this.#options
    const settled = clock.monotonic() + pace.settle
    let concerned = false
    for (const watched of this.#watched.values()) {
      watched.mainMoved(moved, settled)
      concerned ||= watched.isConcerned
    }
    if (concerned) this.#work.wake()
  }

  /** Begins what is due, so many at once; the end of each begins the next. */
  async #plan(signal: AbortSignal): Promise<void> {
    const { contact } = this.#options
    while (!signal.aborted && contact.isOpen && this.#running.size < MOST_AT_ONCE) {
      const choice = this.#choose()
      if (choice === undefined) return
      if (choice.reason !== 'head') this.#budget.take()
      const work = this.#check(choice).finally(() => {
        this.#running.delete(work)
        this.#work.wake()
      })
      this.#running.add(work)
    }
  }

  #choose(): Choice<Watched> | undefined {
    const { writer, clock, pace = PACE } = this.#options
    const now = clock.monotonic()
    return choose(this.#watched.values(), writer.head, now, { pace, budget: this.#budget.has(now) })
  }

  async #check({ candidate: watched, reason }: Choice<Watched>): Promise<void> {
    const { pull } = watched
    watched.isBusy = true
    try {
      await this.#say(watched, reason)
      watched.failures = 0
    } catch (error) {
      // A newer head is another one, and has not failed.
      if (watched.pull.head === pull.head) await this.#failed(watched, error)
      else this.#onError(error)
    } finally {
      watched.isBusy = false
    }
  }

  async #say(watched: Watched, reason: Reason): Promise<void> {
    const { review, wordsOf, onPlanned, clock, metrics } = this.#options
    const { pull, said } = watched
    if (watched.isNews) {
      await sayPending(this.#options, pull, said)
      watched.isNews = false
    }
    // What moves from here on may or may not be in the plan.
    watched.isConcerned = false
    const started = clock.monotonic()
    const plan = await review(pull)
    metrics.planned(reason, (clock.monotonic() - started) / 1_000)
    if (plan.head !== pull.head) return this.wake(pull.number)
    // Somebody pushed meanwhile: the newer head has a plan of its own.
    if (watched.pull.head !== pull.head || !this.#watched.has(pull.number)) return
    if (reason !== 'head' && !(await this.#isOpen(pull))) return
    onPlanned(pull, documentsOf(plan.concerns))
    const words = wordsOf(plan, pull)
    // That main moved is no news by itself.
    await sayWords(this.#options, pull, words, { said, noNews: plan.base })
    const ended = { at: clock.monotonic(), checkedAt: clock.now() }
    watched.hasFailed = false
    watched.planned = verdictOf(plan, pull.head, words.result, ended)
  }

  /** Main may have moved because it was merged; then it has had its last word. */
  async #isOpen({ number, head }: PullRequest): Promise<boolean> {
    const { contact, forge } = this.#options
    const pull = await contact.ask(() => forge.pullRequest(number))
    if (pull?.state === 'open' && pull.base === BASE && pull.head === head) return true
    this.wake(number)
    return false
  }

  /** Tried again after a pause that grows. Where Fleetwright itself is at fault the pull request says so: unseen is not fine. */
  async #failed(watched: Watched, error: unknown): Promise<void> {
    const { clock, randomness, onError } = this.#options
    const jitter = 0.75 + (randomness.bytes(1)[0] ?? 0) / 512
    watched.notBefore =
      clock.monotonic() + Math.min(FIRST_PAUSE * 2 ** watched.failures, LONGEST_PAUSE) * jitter
    watched.failures += 1
    watched.isConcerned = watched.planned !== undefined
    if (isAway(error)) {
      // Not its fault, and the forge is left alone anyway.
      watched.notBefore = 0
      watched.failures = 0
    }
    this.#onError(error)
    if (isPassing(error)) return
    watched.hasFailed = true
    await sayWords(this.#options, watched.pull, FAILED, { said: watched.said }).catch(onError)
  }
}

/** The forge or the fleet repository is not there at the moment; that is told elsewhere. */
function isPassing(error: unknown): boolean {
  return isFleetError(error) && (error.status === 502 || error.status === 503)
}
