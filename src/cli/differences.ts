/** How differences are shown in a terminal. */
import type { JsonValue } from '../fleet/intents.ts'
import type { ObjectDifference } from '../fleet/review/plan.ts'
import { showDiff, showFiles } from './changed-files.ts'
import type { Terminal } from './terminal.ts'

export function showDifferences(
  terminal: Terminal,
  differences: readonly ObjectDifference[],
  options: { readonly patch: boolean },
): void {
  const { bold, dim, green, red } = terminal.colors
  for (const { kind, name, id, cluster, change, fields, files, diff } of differences) {
    const where = cluster === undefined ? '' : ` on ${cluster}`
    const what = change === 'changed' ? '' : change === 'added' ? green(' (new)') : red(' (removed)')
    const title = kind === 'other' ? name : `${kind} ${name}`
    terminal.line(`${bold(`${title}${where}`)}${what}${id === undefined ? '' : dim(`  ${id}`)}`)
    for (const { field, before, after } of fields)
      terminal.line(`  ${field}: ${red(plain(before))} → ${green(plain(after))}`)
    showFiles(terminal, files, '  ')
    if (options.patch) showDiff(terminal, diff)
  }
}

function plain(value: JsonValue | undefined): string {
  if (value === undefined) return '(none)'
  return typeof value === 'string' ? value : JSON.stringify(value)
}
