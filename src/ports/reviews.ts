/** Pull requests as far as git has them: what merging one would do. Looking changes nothing. */
import type { ObjectId, RefName } from '../fleet/ids.ts'
import type { ReviewPlan } from '../fleet/review/plan.ts'
import type { PolicyAuthor } from '../fleet/review/policy.ts'
import type { OpenReview } from './change-reviews.ts'

export type ReviewAuthor = PolicyAuthor

export interface ReviewRequest {
  /** Of the pull request. */
  readonly number: number
  readonly head: ObjectId
  /** Where the fleet repository has the head. */
  readonly headRef: RefName
  /** Undefined: Fleetwright itself, for a change that was allowed already; rules about people do not hold. */
  readonly author: ReviewAuthor | undefined
  /** What was asked for through the API on this branch. */
  readonly review?: OpenReview
}

export interface Reviews {
  /**
   * What merging it into main as main is now would do, in its own words and in what Fleetwright commits after it. Everything
   * that is wrong with the pull request is a problem of the plan; `plan.head` is the commit that was looked at, which is
   * another one than asked for when the pull request moved meanwhile.
   * @throws FleetError `remote-unavailable`, `remote-denied` (its head cannot be fetched now), `stale-lease` (main moves all
   * the time), `writer-closed`
   */
  plan(request: ReviewRequest): Promise<ReviewPlan>
  /** Forgets the heads of all other pull requests. */
  keepOnly(numbers: ReadonlySet<number>): Promise<void>
  close(): Promise<void>
}
