/** Differences of texts, for people. */
import { createTwoFilesPatch } from 'diff'

/** Lines that differ; above, what differs is not looked for: that takes time by the square of them. */
const MOST_EDITS = 4_000

/** As `git diff` writes it, without the line of object ids. Texts that have little in common are replaced as a whole. */
export function unifiedDiff(path: string, before: string | undefined, after: string | undefined): string {
  const from = before === undefined ? '/dev/null' : `a/${path}`
  const to = after === undefined ? '/dev/null' : `b/${path}`
  const [old, now] = [before ?? '', after ?? '']
  const text =
    old === '' || now === ''
      ? wholly(from, to, old, now)
      : (createTwoFilesPatch(from, to, old, now, undefined, undefined, {
          context: 3,
          maxEditLength: MOST_EDITS,
        }) ?? wholly(from, to, old, now))
  return `diff --git a/${path} b/${path}\n${text.replace(/^=+\n/, '').replace(/\t$/gm, '')}`
}

/** Every old line goes, every new one comes. */
function wholly(from: string, to: string, before: string, after: string): string {
  const hunk = `@@ -${rangeOf(before)} +${rangeOf(after)} @@\n`
  return `--- ${from}\n+++ ${to}\n${before === after ? '' : hunk}${signed('-', before)}${signed('+', after)}`
}

function rangeOf(text: string): string {
  const lines = linesOf(text).length
  return lines === 0 ? '0,0' : `1,${lines}`
}

function linesOf(text: string): readonly string[] {
  if (text === '') return []
  return (text.endsWith('\n') ? text.slice(0, -1) : text).split('\n')
}

function signed(sign: '-' | '+', text: string): string {
  const lines = linesOf(text).map((line) => `${sign}${line}\n`)
  if (text !== '' && !text.endsWith('\n')) lines.push('\\ No newline at end of file\n')
  return lines.join('')
}
