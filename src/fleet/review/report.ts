/** What a check says beside the comment: one line, a short text, and what stands on lines of files. */
import type { Problem } from '../files.ts'
import { changesInOneLine, summaryOf } from './comment.ts'
import { prose, shortened, visible } from './markdown-text.ts'
import type { ReviewPlan } from './plan.ts'
import { kindOf } from './problem-kinds.ts'
import { byPlace, countedProblems, isOfAll } from './problem-order.ts'
import type { CommentOptions } from './public-links.ts'

/** One thing that is wrong or worth a look, on a line of the pull request's head. */
export interface Annotation {
  readonly path: string
  /** From 1; 0: the whole file. */
  readonly line: number
  readonly column: number
  readonly level: 'failure' | 'warning'
  readonly title: string
  /** One line; safe where Markdown is read, and readable where it is not. */
  readonly message: string
}

export interface ReviewReport {
  readonly result: 'success' | 'failure'
  /** One line, at most 140 characters. */
  readonly title: string
  /** Markdown. */
  readonly summary: string
  readonly annotations: readonly Annotation[]
}

const MOST_ANNOTATIONS = 100
/** GitHub takes no longer description of a commit status. */
const MOST_TITLE = 140

export function reportOf(plan: ReviewPlan, options: CommentOptions = {}): ReviewReport {
  const all = [
    ...plan.problems.toSorted(byPlace).map((problem) => annotationOf(problem, 'failure')),
    ...plan.warnings.toSorted(byPlace).map((problem) => annotationOf(problem, 'warning')),
  ]
  return {
    result: plan.problems.length === 0 ? 'success' : 'failure',
    title: shortened(titleOfPlan(plan), MOST_TITLE),
    summary: summaryOf(plan, options),
    annotations: all.slice(0, MOST_ANNOTATIONS),
  }
}

function titleOfPlan({ problems, warnings, impact }: ReviewPlan): string {
  const [first] = problems.toSorted(byPlace)
  if (first !== undefined) {
    const where = isOfAll(first) ? '' : `${first.path}: `
    const what = shortened(`${where}${kindOf(first.code).title}`, 100)
    return `${countedProblems(problems, 'problem')}: ${visible(what)}`
  }
  const changes = changesInOneLine(impact)
  return warnings.length === 0 ? changes : `${countedProblems(warnings, 'warning')}; ${changes}`
}

function annotationOf({ path, line, column, code, detail }: Problem, level: Annotation['level']): Annotation {
  return { path, line, column, level, title: kindOf(code).title, message: prose(detail) }
}
