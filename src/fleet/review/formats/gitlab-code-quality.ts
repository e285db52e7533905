/** A plan as GitLab's code quality report. */
import { visible } from '../markdown-text.ts'
import type { ReviewPlan } from '../plan.ts'
import { isOfAll } from '../problem-order.ts'
import { FLEET_PATH } from '../../paths.ts'
import { toldOf } from './told.ts'

export interface CodeQualityIssue {
  readonly description: string
  readonly check_name: string
  readonly fingerprint: string
  readonly severity: 'major' | 'minor'
  readonly location: { readonly path: string; readonly lines: { readonly begin: number } }
}

export function codeQualityOf(plan: Pick<ReviewPlan, 'problems' | 'warnings'>): readonly CodeQualityIssue[] {
  return toldOf(plan).map(({ problem, level, fingerprint }) => ({
    description: visible(problem.detail),
    check_name: problem.code,
    fingerprint: visible(fingerprint),
    severity: level === 'error' ? 'major' : 'minor',
    location: {
      // The settings stand for the fleet as a whole.
      path: isOfAll(problem) ? FLEET_PATH : problem.path.toWellFormed(),
      lines: { begin: Math.max(problem.line, 1) },
    },
  }))
}
