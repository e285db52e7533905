/** How problems are told: in which order, where they are, how many. */
import { counted } from '../counted.ts'
import type { Problem } from '../files.ts'
import { MOST_PROBLEMS } from './problem-list.ts'

/** By path, line and column; that there are more comes last. */
export function byPlace(a: Problem, b: Problem): number {
  if (isMore(a) !== isMore(b)) return isMore(a) ? 1 : -1
  if (a.path !== b.path) return a.path < b.path ? -1 : 1
  return a.line - b.line || a.column - b.column || (a.detail < b.detail ? -1 : 1)
}

/** `file:line:column` */
export function placeOf({ path, line, column }: Problem): string {
  return `${path}:${Math.max(line, 1)}:${Math.max(column, 1)}`
}

/** The change as a whole is meant, and no file of it. */
export function isOfAll({ path }: Problem): boolean {
  return path === '.'
}

/** `2 problems` */
export function countedProblems(problems: readonly Problem[], noun: 'problem' | 'warning'): string {
  return problems.some(isMore) ? `more than ${MOST_PROBLEMS} ${noun}s` : counted(problems.length, noun)
}

function isMore({ code }: Problem): boolean {
  return code === 'more'
}
