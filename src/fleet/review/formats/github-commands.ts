/** A plan as workflow commands: GitHub shows them on the lines of the pull request. Gitea prints them. */
import { visible } from '../markdown-text.ts'
import type { ReviewPlan } from '../plan.ts'
import { kindOf } from '../problem-kinds.ts'
import { isOfAll } from '../problem-order.ts'
import { toldOf } from './told.ts'

export function githubCommands(plan: Pick<ReviewPlan, 'problems' | 'warnings'>): readonly string[] {
  return toldOf(plan).map(({ problem, level }) => {
    const { path, line, column, code, detail } = problem
    const place = isOfAll(problem)
      ? []
      : [`file=${property(path)}`, `line=${Math.max(line, 1)}`, ...(column > 0 ? [`col=${column}`] : [])]
    const properties = [...place, `title=${property(`${kindOf(code).title} (${code})`)}`]
    return `::${level} ${properties.join(',')}::${escaped(visible(detail))}`
  })
}

function escaped(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}

/** A path stays what it is, whatever it holds. */
function property(text: string): string {
  return escaped(text.toWellFormed()).replaceAll(':', '%3A').replaceAll(',', '%2C')
}
