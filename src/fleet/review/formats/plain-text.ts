/** A plan as lines for a terminal or the log of a CI: `file:line:column: error: what is wrong`. */
import { changesInOneLine, verdictOf } from '../comment.ts'
import { visible } from '../markdown-text.ts'
import type { Affected, ReviewPlan } from '../plan.ts'
import { isOfAll, placeOf } from '../problem-order.ts'
import { toldOf } from './told.ts'

const MOST_AFFECTED = 30

export function plainText(plan: ReviewPlan): readonly string[] {
  const { impact } = plan
  const lines = [
    ...toldOf(plan).map(({ problem, level }) => {
      const place = isOfAll(problem) ? 'all of it' : placeOf(problem)
      return `${place}: ${level}: ${problem.detail} [${problem.code}]`
    }),
    ...affectedLines('+', impact.added),
    ...affectedLines('~', impact.changed),
    ...affectedLines('-', impact.removed),
    ...plan.placements.map(({ subject }) => subject),
    `${changesInOneLine(impact)} ${verdictOf(plan)}`,
  ]
  return lines.map(harmless)
}

function affectedLines(sign: string, all: readonly Affected[]): readonly string[] {
  const shown = all.slice(0, MOST_AFFECTED).map(({ kind, name, cluster, effect }) => {
    const where = cluster === undefined ? '' : ` on ${cluster}`
    return `${sign} ${kind} ${name}${where}: ${effect ?? 'its users notice nothing'}`
  })
  return all.length > shown.length ? [...shown, `${sign} and ${all.length - shown.length} more`] : shown
}

/** Runners carry out what looks like a command of theirs. */
function harmless(line: string): string {
  return visible(line)
    .replace(/^(\s*):(?=:)/, '$1\\u{3a}')
    .replaceAll('##[', '#\\u{23}[')
}
