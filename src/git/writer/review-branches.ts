/** Branches of reviews as the home has them, read back from their commits: nothing else remembers a review. */
import type { Documents } from '../../fleet/documents.ts'
import { FleetError } from '../../fleet/errors.ts'
import type { IntentChange } from '../../fleet/fleet.ts'
import type { FleetPath, ObjectId, RefName } from '../../fleet/ids.ts'
import { roleOf } from '../../fleet/paths.ts'
import {
  REVIEW_OUTCOME_TRAILER,
  REVIEW_REASONS_TRAILER,
  REVIEW_SEAL_TRAILER,
  REVIEW_TIME_TRAILER,
  REVIEW_TRAILER,
  type ReviewOutcome,
} from '../../fleet/reviewed-change.ts'
import { type OpenReview, REVIEW_BRANCHES } from '../../ports/change-reviews.ts'
import type { ObjectReader } from '../contracts.ts'
import { parseTrailers } from './commit-message.ts'
import { isSealOf } from './review-seal.ts'

const BELOW = `refs/heads/${REVIEW_BRANCHES}`
const BRANCH = /^refs\/heads\/fleetwright\/review\/([a-z0-9]{26})$/
/** Commits that people may have put on top. */
const MOST_EDITS = 50
/** No request changes nearly as many documents. */
const MOST_DOCUMENTS = 1_000
/** The rest waits until some are gone. */
const MOST_REVIEWS = 1_000
const MOST_BYTES = 4_194_304

export interface RecordedOutcome {
  readonly outcome: ReviewOutcome
  readonly commit: ObjectId
  readonly reason: string
}

export interface ReviewBranchOptions {
  readonly objects: ObjectReader
  readonly documents: Documents
  /** Name of the committer: others' branches are none of ours. */
  readonly committer: string
  /** By which seals are known. */
  readonly key: Uint8Array | undefined
}

export class ReviewBranchIndex {
  readonly #options: ReviewBranchOptions
  readonly #tips = new Map<RefName, ObjectId>()
  readonly #open = new Map<RefName, OpenReview>()
  readonly #outcomes = new Map<string, RecordedOutcome>()

  constructor(options: ReviewBranchOptions) {
    this.#options = options
  }

  /** @returns reviews whose branches are gone now; what removed one may have merged it */
  async follow(tips: ReadonlyMap<RefName, ObjectId>): Promise<readonly OpenReview[]> {
    const gone: OpenReview[] = []
    for (const ref of [...this.#tips.keys()]) {
      if (tips.has(ref)) continue
      const review = this.#open.get(ref)
      if (review !== undefined) gone.push(review)
      this.#tips.delete(ref)
      this.#open.delete(ref)
    }
    for (const [ref, tip] of tips) {
      if (!ref.startsWith(BELOW) || this.#tips.get(ref) === tip) continue
      if (this.#tips.size >= MOST_REVIEWS && !this.#tips.has(ref)) continue
      this.#tips.set(ref, tip)
      const review = await this.#read(ref, tip)
      if (review === undefined) this.#open.delete(ref)
      else this.#open.set(ref, review)
    }
    return gone
  }

  /** A branch that was pushed just now. */
  async add(ref: RefName, tip: ObjectId): Promise<void> {
    this.#tips.set(ref, tip)
    const review = await this.#read(ref, tip)
    if (review !== undefined) this.#open.set(ref, review)
  }

  list(): readonly OpenReview[] {
    return [...this.#open.values()].sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1))
  }

  outcome(id: string): RecordedOutcome | undefined {
    return this.#outcomes.get(id)
  }

  /** Of a commit of ours on main. */
  remember(
    commit: ObjectId,
    committer: string,
    { trailers, body }: { readonly trailers: Readonly<Record<string, string>>; readonly body: string },
  ): void {
    const id = trailers[REVIEW_TRAILER]
    const outcome = trailers[REVIEW_OUTCOME_TRAILER]
    if (id === undefined || committer !== this.#options.committer) return
    if (outcome !== 'completed' && outcome !== 'undone') return
    this.#outcomes.set(id, { outcome, commit, reason: body })
  }

  /** Undefined: it is a branch of somebody else. */
  async #read(ref: RefName, tip: ObjectId): Promise<OpenReview | undefined> {
    const id = BRANCH.exec(ref)?.[1]
    if (id === undefined) return undefined
    const found = await this.#ownCommit(id, tip)
    if (found === undefined) return undefined
    const { commit, base, tree, author, message } = found
    const changes = await this.#changes(base, commit)
    if (changes === undefined) return undefined
    const { subject, body, trailers } = parseTrailers(message)
    const { 'Idempotency-Key': idempotencyKey, 'Request-Digest': requestDigest } = trailers
    return {
      id,
      branch: ref.slice('refs/heads/'.length),
      commit,
      base,
      isEdited: commit !== tip,
      isSealed: isSealOf(this.#options.key, { id, base, tree }, trailers[REVIEW_SEAL_TRAILER]),
      at: Date.parse(trailers[REVIEW_TIME_TRAILER] ?? '') || secondsOf(author) * 1000,
      actor: /^(.*) </.exec(author)?.[1] ?? '',
      subject,
      body,
      requestId: trailers['Request-Id'] ?? '',
      ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
      ...(requestDigest === undefined ? {} : { requestDigest }),
      // Names that Fleetwright wrote itself.
      kinds: (trailers[REVIEW_REASONS_TRAILER] ?? '')
        .split(', ')
        .filter((kind) => kind !== '') as OpenReview['kinds'][number][],
      trailers,
      changes,
    }
  }

  async #ownCommit(
    id: string,
    tip: ObjectId,
  ): Promise<
    | {
        readonly commit: ObjectId
        readonly base: ObjectId
        readonly tree: ObjectId
        readonly author: string
        readonly message: string
      }
    | undefined
  > {
    let at = tip
    for (let step = 0; step <= MOST_EDITS; step += 1) {
      const { tree, parents, author, committer, message } = await this.#options.objects.commit(at)
      const [base] = parents
      if (base === undefined) return undefined
      const isOurs = committer.startsWith(`${this.#options.committer} <`)
      if (isOurs && parents.length === 1 && parseTrailers(message).trailers[REVIEW_TRAILER] === id)
        return { commit: at, base, tree, author, message }
      at = base
    }
    return undefined
  }

  async #changes(base: ObjectId, commit: ObjectId): Promise<readonly IntentChange[] | undefined> {
    const { objects } = this.#options
    const files = await objects.changedFiles(base, commit)
    if (files.length === 0 || files.length > MOST_DOCUMENTS) return undefined
    if (
      files.some(
        ({ path, mode }) => roleOf(path).role !== 'intent' || (mode !== undefined && mode !== '100644'),
      )
    )
      return undefined
    const changes: IntentChange[] = []
    for (const { path, from, to } of files) {
      const before = await this.#intent(path as FleetPath, from)
      const after = await this.#intent(path as FleetPath, to)
      if (before === 'unreadable' || after === 'unreadable') return undefined
      changes.push({ path: path as FleetPath, before, after })
    }
    return changes
  }

  async #intent(path: FleetPath, oid: ObjectId | undefined): Promise<IntentChange['after'] | 'unreadable'> {
    if (oid === undefined) return undefined
    let text: string | undefined
    await this.#options.objects.blobs([oid], MOST_BYTES, (_oid, content) => {
      if (content !== undefined) text = Buffer.from(content).toString('utf8')
    })
    return text === undefined
      ? 'unreadable'
      : (this.#options.documents.parse(path, text).intent ?? 'unreadable')
  }
}

function secondsOf(signature: string): number {
  return Number(/ (\d+) [+-]\d{4}$/.exec(signature)?.[1] ?? 0)
}

/** Same object, same kind of change: the newer one takes the older one's place. @throws FleetError `review-open` */
export function requireNoOther(
  reviews: readonly OpenReview[],
  changes: readonly IntentChange[],
  kinds: readonly string[],
): void {
  const paths = new Set(changes.map(({ path }) => path))
  for (const review of reviews) {
    if (!review.changes.some(({ path }) => paths.has(path))) continue
    if (sameKinds(review.kinds, kinds)) continue
    throw new FleetError(
      'review-open',
      `"${review.subject}" waits for a review of the same object (${review.id}); merge or close it first.`,
      { review: review.id },
    )
  }
}

export function sameKinds(a: readonly string[], b: readonly string[]): boolean {
  return [...new Set(a)].sort().join() === [...new Set(b)].sort().join()
}
