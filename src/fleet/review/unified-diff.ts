/** Differences of texts, for people. */
import { createTwoFilesPatch } from 'diff'

/** As `git diff` writes it, without the line of object ids. */
export function unifiedDiff(path: string, before: string | undefined, after: string | undefined): string {
  const from = before === undefined ? '/dev/null' : `a/${path}`
  const to = after === undefined ? '/dev/null' : `b/${path}`
  const text = createTwoFilesPatch(from, to, before ?? '', after ?? '', undefined, undefined, { context: 3 })
  return `diff --git a/${path} b/${path}\n${text.replace(/^=+\n/, '').replace(/\t$/gm, '')}`
}
