/** What all formats tell of one problem. */
import type { Problem } from '../../files.ts'
import type { ReviewPlan } from '../plan.ts'
import { byPlace } from '../problem-order.ts'

export interface Told {
  readonly problem: Problem
  readonly level: 'error' | 'warning'
  /** The same for the same problem of a later commit, whatever moved above it; different for all others of this plan. */
  readonly fingerprint: string
}

/** Problems before warnings, each by place. */
export function toldOf({ problems, warnings }: Pick<ReviewPlan, 'problems' | 'warnings'>): readonly Told[] {
  const seen = new Map<string, number>()
  const all = [
    ...problems.toSorted(byPlace).map((problem) => ({ problem, level: 'error' as const })),
    ...warnings.toSorted(byPlace).map((problem) => ({ problem, level: 'warning' as const })),
  ]
  return all.map((one) => {
    const { code, path, pointer } = one.problem
    const key = [code, path, pointer ?? ''].join(':')
    const count = (seen.get(key) ?? 0) + 1
    seen.set(key, count)
    return { ...one, fingerprint: `${key}:${count}` }
  })
}
