/**
 * Which pull request is planned next. Main may move several times a second while a hundred of them are open, so:
 * - one whose head is new comes first, the one that was updated last before the others;
 * - then those that a change of main concerns (`fleet/review/concerns.ts`: same documents, names, groups, …), each again
 *   only some seconds after its last plan, so that many commits are one plan;
 * - the rest, which main merely moved under, each some minutes after its last plan, the oldest plan first.
 * The last two share a budget, so that plans cost a bounded share of the machine whatever is open and whatever is pushed.
 */
import type { ObjectId } from '../../fleet/ids.ts'
import type { PullRequest } from '../../ports/forge.ts'

export type Reason = 'head' | 'concerned' | 'paced'

export interface Planned {
  readonly head: ObjectId
  /** Revision of main. */
  readonly base: ObjectId
  /** When it ended, on the monotonic clock. */
  readonly at: number
}

export interface Candidate {
  readonly pull: Pick<PullRequest, 'number' | 'head' | 'updatedAt'>
  readonly planned: Planned | undefined
  /** Main moved something it hangs on since then. */
  readonly isConcerned: boolean
  readonly isBusy: boolean
  /** After a failure: not before, on the monotonic clock. */
  readonly notBefore: number
}

export interface Pace {
  /** From a change of main until what it concerns is planned: a forge moves main first, and says that it merged a moment later. */
  readonly settle: number
  /** Between two plans of one pull request because of main, milliseconds. */
  readonly concerned: number
  readonly others: number
}

export const PACE: Pace = { settle: 2_000, concerned: 5_000, others: 10 * 60_000 }

export interface Choice<Each extends Candidate> {
  readonly candidate: Each
  readonly reason: Reason
}

/** @param budget whether plans because of main may be made now */
export function choose<Each extends Candidate>(
  candidates: Iterable<Each>,
  main: ObjectId,
  now: number,
  { pace, budget }: { readonly pace: Pace; readonly budget: boolean },
): Choice<Each> | undefined {
  let best: Choice<Each> | undefined
  for (const candidate of candidates) {
    const reason = reasonOf(candidate, main, now, pace)
    if (reason === undefined || (reason !== 'head' && !budget)) continue
    if (best === undefined || isBefore({ candidate, reason }, best)) best = { candidate, reason }
  }
  return best
}

function reasonOf(candidate: Candidate, main: ObjectId, now: number, pace: Pace): Reason | undefined {
  const { pull, planned, isConcerned, isBusy, notBefore } = candidate
  if (isBusy || now < notBefore) return undefined
  if (planned === undefined || planned.head !== pull.head) return 'head'
  if (isConcerned) return now >= planned.at + pace.concerned ? 'concerned' : undefined
  return planned.base !== main && now >= planned.at + pace.others ? 'paced' : undefined
}

const ORDER: readonly Reason[] = ['head', 'concerned', 'paced']

function isBefore(one: Choice<Candidate>, other: Choice<Candidate>): boolean {
  if (one.reason !== other.reason) return ORDER.indexOf(one.reason) < ORDER.indexOf(other.reason)
  if (one.reason === 'head') return one.candidate.pull.updatedAt > other.candidate.pull.updatedAt
  return (one.candidate.planned?.at ?? 0) < (other.candidate.planned?.at ?? 0)
}

/** So many at once, and so many a second after that. */
export class Budget {
  readonly #most: number
  readonly #perSecond: number
  #left: number
  #at: number

  constructor(most: number, perSecond: number, now: number) {
    this.#most = most
    this.#perSecond = perSecond
    this.#left = most
    this.#at = now
  }

  /** @param now milliseconds on the monotonic clock */
  has(now: number): boolean {
    this.#left = Math.min(this.#most, this.#left + ((now - this.#at) / 1_000) * this.#perSecond)
    this.#at = now
    return this.#left >= 1
  }

  take(): void {
    this.#left -= 1
  }
}
