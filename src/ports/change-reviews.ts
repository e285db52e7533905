/** Changes that were asked for and wait on a branch until somebody merges them. */
import type { ReviewReason } from '../fleet/change-policy.ts'
import type { IntentChange } from '../fleet/fleet.ts'
import type { ObjectId } from '../fleet/ids.ts'
import type { ReviewOutcome } from '../fleet/reviewed-change.ts'
import type { RequestContext, Transaction } from '../fleet/transaction.ts'

/** `fleetwright/review/<id>` */
export const REVIEW_BRANCHES = 'fleetwright/review/'

export interface OpenReview {
  readonly id: string
  readonly branch: string
  /** The one commit that was asked for. */
  readonly commit: ObjectId
  /** Tip of main that it was decided on. */
  readonly base: ObjectId
  /** Somebody put more commits on the branch: its merge is not what was asked for. */
  readonly isEdited: boolean
  /** Fleetwright made the commit, and not somebody in its name. */
  readonly isSealed: boolean
  /** When it was asked for, milliseconds since 1970. */
  readonly at: number
  readonly actor: string
  readonly subject: string
  readonly body: string
  readonly requestId: string
  readonly idempotencyKey?: string
  readonly requestDigest?: string
  readonly kinds: readonly ReviewReason['kind'][]
  /** Of the commit; `Installation`, `Cluster`, `Group`: what it is about. */
  readonly trailers: Readonly<Record<string, string>>
  readonly changes: readonly IntentChange[]
}

export interface ReviewRequest<Value> {
  readonly id: string
  readonly reasons: readonly ReviewReason[]
  readonly transaction: Transaction<Value>
  readonly context: RequestContext
}

export interface Proposed<Value> {
  /** What the transaction would have given. */
  readonly value: Value
  /** Undefined: there is nothing to change any more. */
  readonly review: OpenReview | undefined
}

/** The writer's door for branches of reviews. Main and the projections stay as they are. */
export interface ReviewBranches {
  /**
   * Decides a change on the head and pushes it to a branch of its own. The same request again gives the branch there is.
   * @throws FleetError the refusal, `review-open` when a review of another kind is open for the same object, and as `submit`
   */
  propose<Value>(request: ReviewRequest<Value>): Promise<Proposed<Value>>
  /** Whose branches are there, as last seen; oldest first. */
  openReviews(): readonly OpenReview[]
  /** What main says of a review that was merged. */
  reviewOutcome(
    id: string,
  ): { readonly outcome: ReviewOutcome; readonly commit: ObjectId; readonly reason: string } | undefined
}

/** A review and its pull request. */
export interface ReviewState {
  readonly review: OpenReview
  /** Undefined: the forge has not made it yet. */
  readonly pullRequest: { readonly number: number; readonly url: string } | undefined
  /** Milliseconds since 1970. */
  readonly expiresAt: number
}

export interface ChangeReviews {
  /** Whether there is a forge to open pull requests on. */
  readonly isPossible: boolean
  /** Oldest first. */
  list(): readonly ReviewState[]
  /** Opens its pull request; when the forge does not answer now, that is done later. Its secret values are held from now on. */
  open(review: OpenReview): Promise<ReviewState>
}
