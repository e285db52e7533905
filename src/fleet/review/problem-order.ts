import type { Problem } from '../files.ts'

/** By path, line and column. */
export function byPlace(a: Problem, b: Problem): number {
  if (a.path !== b.path) return a.path < b.path ? -1 : 1
  return a.line - b.line || a.column - b.column || (a.detail < b.detail ? -1 : 1)
}

/** `file:line:column` */
export function placeOf({ path, line, column }: Problem): string {
  return `${path}:${Math.max(line, 1)}:${Math.max(column, 1)}`
}
