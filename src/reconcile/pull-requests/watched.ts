/** Open pull requests, and what is known of each. */
import type { ObjectId } from '../../fleet/ids.ts'
import { isConcerned } from '../../fleet/review/concerns.ts'
import type { ReviewPlan } from '../../fleet/review/plan.ts'
import type { PullRequest } from '../../ports/forge.ts'
import type { CheckedPullRequest } from '../../ports/pull-requests.ts'
import type { Said } from './check.ts'
import type { Candidate, Planned } from './schedule.ts'

interface Verdict extends Planned {
  readonly result: 'success' | 'failure'
  readonly problems: number
  readonly warnings: number
  readonly concerns: ReadonlySet<string>
  /** Milliseconds since 1970. */
  readonly checkedAt: number
}

export class Watched implements Candidate {
  pull: PullRequest
  planned: Verdict | undefined
  isConcerned = false
  isBusy = false
  notBefore = 0
  failures = 0
  /** Its head could not be checked, and it was told so. */
  hasFailed = false
  /** The head came while this process ran, so nobody else can have said anything of it. */
  isNews: boolean
  readonly said: Said = { report: undefined, comment: undefined }

  constructor(pull: PullRequest, isNews: boolean) {
    this.pull = pull
    this.isNews = isNews
  }

  /** As the forge has it now. */
  see(pull: PullRequest): void {
    if (pull.head !== this.pull.head) {
      this.isNews = true
      this.notBefore = 0
      this.failures = 0
      this.hasFailed = false
    }
    this.pull = pull
  }

  /** @param notBefore on the monotonic clock: until then nobody knows whether it was its own merge */
  mainMoved(moved: ReadonlySet<string>, notBefore: number): void {
    if (this.isConcerned || this.planned === undefined) return
    this.isConcerned = isConcerned(this.planned.concerns, moved)
    if (this.isConcerned) this.notBefore = Math.max(this.notBefore, notBefore)
  }

  view(): CheckedPullRequest {
    const { pull, planned } = this
    const isCurrent = planned !== undefined && planned.head === pull.head
    return {
      pull,
      result: this.hasFailed ? 'failure' : isCurrent ? planned.result : 'pending',
      checkedHead: planned?.head,
      plannedOn: planned?.base,
      problems: planned?.problems ?? 0,
      warnings: planned?.warnings ?? 0,
      checkedAt: planned?.checkedAt,
    }
  }
}

export function verdictOf(
  plan: ReviewPlan,
  head: ObjectId,
  result: Verdict['result'],
  { at, checkedAt }: Pick<Verdict, 'at' | 'checkedAt'>,
): Verdict {
  return {
    head,
    base: plan.base,
    at,
    checkedAt,
    result,
    problems: plan.problems.length,
    warnings: plan.warnings.length,
    concerns: new Set(plan.concerns),
  }
}
