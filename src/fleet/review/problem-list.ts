/** Problems as far as anybody reads them. */
import type { Problem } from '../files.ts'

/** More are counted, not kept. */
export const MOST_PROBLEMS = 100

/** The first ones, and how many more there are. */
export function bounded(problems: readonly Problem[], most: number = MOST_PROBLEMS): readonly Problem[] {
  if (problems.length <= most) return problems
  return [...problems.slice(0, most), more(problems.length - most)]
}

function more(count: number): Problem {
  const detail = `and ${count} more problem${count === 1 ? '' : 's'}; correct those above first`
  return { path: '.', line: 0, column: 0, code: 'more', detail }
}
