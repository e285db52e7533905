/**
 * Reviews of changes that were asked for, from the branch to its end: the pull request is opened, a merge is told of, what
 * was closed, superseded or expired goes with its secret values. Everything is read from branches, main and the forge, so
 * a process that died goes on where it was.
 */
import { reviewLifetime } from '../fleet/change-policy.ts'
import { isFleetError } from '../fleet/errors.ts'
import {
  type ChangeReviews,
  type OpenReview,
  REVIEW_BRANCHES,
  type ReviewState,
} from '../ports/change-reviews.ts'
import type { Clock } from '../ports/clock.ts'
import type { PullRequest } from '../ports/forge.ts'
import type { SecretBackend, SecretHolds } from '../ports/secrets.ts'
import type { FleetHistory, FleetWriter } from '../ports/writer.ts'
import { type Loop, startLoop } from './loop.ts'
import type { ReviewForge } from './review-forge.ts'
import { ReviewSecrets } from './review-secrets.ts'
import {
  bodyWords,
  closedWords,
  expiredWords,
  outcomeWords,
  supersededWords,
  titleWords,
  withoutEffectWords,
} from './review-words.ts'

const BASE = 'main'
const INTERVAL_MILLISECONDS = 60_000
/** A pull request may have been looked for by its branch a little before the commit says it was asked for. */
const TOLERANCE_MILLISECONDS = 3_600_000
/** After a start, what ended within this time is told of once more. */
const CATCH_UP_MILLISECONDS = 86_400_000
const COMMENT = 'review'
/** The commit that says what became of a merge is on main long before. */
const RECORD_MILLISECONDS = 60_000

export interface ReviewLoopOptions {
  /** Undefined: none is configured; secret values of open reviews are held all the same. */
  readonly forge: ReviewForge | undefined
  readonly writer: Pick<FleetWriter, 'fleet' | 'openReviews' | 'reviewOutcome' | 'onChange' | 'poll'>
  readonly history: Pick<FleetHistory, 'isOnMain'>
  readonly secrets: Pick<SecretBackend, 'remove'>
  readonly holds: SecretHolds
  readonly clock: Clock
  readonly onError: (error: unknown) => void
}

export interface ReviewLoop extends ChangeReviews, Loop {
  /** One round, now. */
  settle(): Promise<void>
}

/** Secret values of the reviews that are open now are held when this returns. */
export function startReviewLoop(options: ReviewLoopOptions): ReviewLoop {
  const reviews = new Reviews(options)
  reviews.hold()
  const { clock, onError, forge, writer } = options
  let last: Promise<void> = Promise.resolve()
  // One at a time, whoever asks for it.
  const round = (): Promise<void> => {
    last = last.catch(() => undefined).then(() => reviews.settle())
    return last
  }
  const loop = startLoop({ clock, interval: INTERVAL_MILLISECONDS, run: round, onError })
  const unsubscribe = writer.onChange(() => {
    if (reviews.hasNews) loop.wake()
  })
  return {
    isPossible: forge !== undefined,
    list: () => reviews.list(),
    async open(review) {
      const state = await reviews.open(review)
      // What it supersedes ends.
      loop.wake()
      return state
    },
    settle: () => round(),
    wake: loop.wake,
    async close() {
      unsubscribe()
      await loop.close()
    },
  }
}

type Shown = Pick<PullRequest, 'number' | 'url'>

class Reviews {
  readonly #options: ReviewLoopOptions
  readonly #secrets: ReviewSecrets
  readonly #pullRequests = new Map<string, Shown>()
  /** As last seen; what is not there any more was merged or removed by somebody. */
  #known: ReadonlyMap<string, OpenReview> = new Map()
  /** Merged by the forge, and main says nothing of it. */
  readonly #mergedSince = new Map<string, number>()
  /** Ended before this process began, and told of. */
  readonly #told = new Set<number>()
  readonly #startedAt: number
  #caughtUp = false
  /** What main said of them at the last round. */
  #seen = '[]'

  constructor(options: ReviewLoopOptions) {
    this.#options = options
    this.#secrets = new ReviewSecrets(options)
    this.#startedAt = options.clock.now()
  }

  /** Main moves all the time; only what it says of reviews is worth asking the forge. */
  get hasNews(): boolean {
    return !this.#caughtUp || this.#sight() !== this.#seen
  }

  #sight(): string {
    const { writer } = this.#options
    const one = ({ id, isEdited }: OpenReview): readonly unknown[] => [
      ...[id, isEdited],
      writer.reviewOutcome(id)?.commit,
    ]
    return JSON.stringify(writer.openReviews().map(one))
  }

  list(): readonly ReviewState[] {
    const { writer } = this.#options
    return writer
      .openReviews()
      .filter(({ id }) => writer.reviewOutcome(id) === undefined)
      .map((review) => this.#state(review))
  }

  async open(review: OpenReview): Promise<ReviewState> {
    this.#secrets.hold(review)
    try {
      await this.#openPullRequest(review)
    } catch (error) {
      // The branch is there: the next round opens it.
      if (!isFleetError(error)) throw error
      this.#options.onError(error)
    }
    return this.#state(review)
  }

  hold(): void {
    for (const review of this.#options.writer.openReviews()) this.#secrets.hold(review)
  }

  async settle(): Promise<void> {
    const { forge, writer, clock } = this.#options
    this.hold()
    this.#seen = this.#sight()
    const reviews = writer.openReviews()
    if (forge === undefined) return
    const gone = [...this.#known.values()].filter(({ id }) => reviews.every((review) => review.id !== id))
    if (reviews.length + gone.length === 0 && this.#caughtUp) return
    const pulls = await forge.openPullRequests(BASE)
    const open = new Map(pulls.filter(isOurs).map((pull) => [pull.branch, pull]))
    const oldest = Math.min(...[...reviews, ...gone].map(({ at }) => at), clock.now() - CATCH_UP_MILLISECONDS)
    const isQuiet =
      gone.length === 0 &&
      reviews.every(({ branch, id }) => open.has(branch) && writer.reviewOutcome(id) === undefined)
    const ended =
      this.#caughtUp && isQuiet
        ? []
        : (await forge.endedPullRequests(BASE, oldest - TOLERANCE_MILLISECONDS)).filter(isOurs)
    // Newest first: what is superseded names the pull request that takes its place.
    for (const review of [...reviews].reverse())
      await this.#tried(() => this.#settleOne(forge, review, open, ended))
    const unsettled: OpenReview[] = []
    for (const review of gone)
      if ((await this.#tried(() => this.#settleGone(forge, review, ended))) !== true) unsettled.push(review)
    if (!this.#caughtUp) this.#caughtUp = await this.#catchUp(forge, ended)
    this.#known = new Map([...unsettled, ...writer.openReviews()].map((review) => [review.id, review]))
  }

  /** One that fails is tried again in the next round, and holds up no other. */
  async #tried<Result>(work: () => Promise<Result>): Promise<Result | undefined> {
    try {
      return await work()
    } catch (error) {
      this.#options.onError(error)
      return undefined
    }
  }

  async #settleOne(
    forge: ReviewForge,
    review: OpenReview,
    open: ReadonlyMap<string, PullRequest>,
    ended: readonly PullRequest[],
  ): Promise<void> {
    const { writer } = this.#options
    const last = open.get(review.branch) ?? ended.find(({ branch }) => branch === review.branch)
    if (writer.reviewOutcome(review.id) !== undefined) return await this.#tellOutcome(forge, review, last)
    // What somebody else pushed under such a name is not said to come from a request.
    if (last === undefined) return review.isSealed ? await this.#openPullRequest(review) : undefined
    this.#pullRequests.set(review.id, last)
    if (last.state === 'merged') return void (await this.#settleMerged(forge, review, last))
    const words = this.#endWords(review, last)
    if (words !== undefined) await this.#cancel(forge, review, last, words)
  }

  /** Why it ends without a merge; undefined: it goes on. The same before and after the pull request is closed. */
  #endWords(review: OpenReview, pull: PullRequest): string | undefined {
    const newer = this.#supersededBy(review)
    if (newer !== undefined) return supersededWords(newer, this.#pullRequests.get(newer.id)?.url)
    if (this.#options.clock.now() >= this.#state(review).expiresAt) return expiredWords(new Date(review.at))
    return pull.state === 'closed' ? closedWords() : undefined
  }

  /** The forge knows of the merge; main has to be looked at too, and what it says may be on its way there. */
  async #settleMerged(forge: ReviewForge, review: OpenReview, pull: PullRequest): Promise<boolean> {
    const { writer, history, clock } = this.#options
    await writer.poll()
    if (writer.reviewOutcome(review.id) !== undefined) {
      await this.#tellOutcome(forge, review, pull)
      return true
    }
    if (pull.mergedAs === undefined || !(await history.isOnMain(pull.mergedAs))) return false
    const since = this.#mergedSince.get(review.id) ?? clock.now()
    this.#mergedSince.set(review.id, since)
    if (clock.now() - since < RECORD_MILLISECONDS) return false
    await this.#end(forge, review, pull, withoutEffectWords())
    return true
  }

  async #tellOutcome(forge: ReviewForge, review: OpenReview, pull: PullRequest | undefined): Promise<void> {
    const found = this.#options.writer.reviewOutcome(review.id)
    if (found === undefined) return
    if (pull !== undefined) {
      await forge.comment(pull.number, COMMENT, outcomeWords(found))
      await forge.close(pull.number)
    }
    await forge.deleteBranch(review.branch)
    await this.#forget(review, found.outcome === 'undone')
  }

  async #cancel(forge: ReviewForge, review: OpenReview, pull: PullRequest, words: string): Promise<void> {
    if (pull.state === 'open') {
      await forge.comment(pull.number, COMMENT, words)
      await forge.close(pull.number)
      // Somebody may have merged it at this moment; then it is not cancelled.
      if ((await forge.pullRequest(pull.number))?.state === 'merged') return
    }
    await this.#end(forge, review, pull, words)
  }

  /** The branch goes before its values: whatever is left of those is an orphan, which the sweep finds. */
  async #end(forge: ReviewForge, review: OpenReview, pull: PullRequest, words: string): Promise<void> {
    await forge.comment(pull.number, COMMENT, words)
    await forge.deleteBranch(review.branch)
    await this.#forget(review, true)
  }

  /** @returns whether nothing is left to do */
  async #settleGone(forge: ReviewForge, review: OpenReview, ended: readonly PullRequest[]): Promise<boolean> {
    const pull = ended.find(({ branch }) => branch === review.branch)
    if (this.#options.writer.reviewOutcome(review.id) !== undefined)
      await this.#tellOutcome(forge, review, pull)
    else if (pull?.state === 'merged') return await this.#settleMerged(forge, review, pull)
    else if (pull !== undefined) await this.#end(forge, review, pull, closedWords())
    else await this.#forget(review, true)
    return true
  }

  /**
   * What ended just before the process did may not have been told of. What was merged meanwhile and lost its branch is on its
   * way to main.
   * @returns whether nothing is left to do
   */
  async #catchUp(forge: ReviewForge, ended: readonly PullRequest[]): Promise<boolean> {
    let isLeft = false
    for (const { number, branch, state } of ended) {
      if (this.#told.has(number)) continue
      const found = this.#options.writer.reviewOutcome(branch.slice(REVIEW_BRANCHES.length))
      if (found === undefined) {
        isLeft ||= state === 'merged'
        continue
      }
      await forge.comment(number, COMMENT, outcomeWords(found))
      this.#told.add(number)
    }
    return !isLeft || this.#options.clock.now() - this.#startedAt >= RECORD_MILLISECONDS
  }

  async #openPullRequest(review: OpenReview): Promise<void> {
    const { forge } = this.#options
    if (forge === undefined) return
    const state = this.#state(review)
    const pull = await forge.open({
      branch: review.branch,
      base: BASE,
      title: titleWords(review),
      body: bodyWords(review, new Date(state.expiresAt)),
    })
    this.#pullRequests.set(review.id, pull)
  }

  #state(review: OpenReview): ReviewState {
    const { changePolicy } = this.#options.writer.fleet.settings.spec
    const pull = this.#pullRequests.get(review.id)
    return {
      review,
      pullRequest: pull === undefined ? undefined : { number: pull.number, url: pull.url },
      expiresAt: review.at + reviewLifetime(changePolicy),
    }
  }

  /** The newest one that changes the same object. */
  #supersededBy(review: OpenReview): OpenReview | undefined {
    const reviews = this.#options.writer.openReviews()
    const paths = new Set(review.changes.map(({ path }) => path))
    const newer = reviews.slice(reviews.findIndex(({ id }) => id === review.id) + 1)
    return newer.findLast(({ changes }) => changes.some(({ path }) => paths.has(path)))
  }

  /** @param removes whether its values go: no document on main needs them */
  async #forget(review: OpenReview, removes: boolean): Promise<void> {
    this.#secrets.release(review)
    this.#pullRequests.delete(review.id)
    this.#mergedSince.delete(review.id)
    if (removes) await this.#secrets.remove(review)
    await this.#options.writer.poll()
  }
}

function isOurs({ branch, isFork }: PullRequest): boolean {
  return !isFork && branch.startsWith(REVIEW_BRANCHES)
}
