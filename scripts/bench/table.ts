/** The rows for people. */
import type { Row } from './row.ts'

const HEAD = ['measure', 'ours', 'peer', 'unit', 'ratio', 'aim', '', 'peer is'] as const

export function tableOf(rows: readonly Row[]): string {
  const lines = [HEAD, ...rows.map(cells)]
  const widths = HEAD.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)))
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

function cells({ name, ours, peer, unit, ratio, aim, better, peerName }: Row): readonly string[] {
  const sign = better === 'higher' ? '≥' : '≤'
  const met =
    ratio === null ? 'unavailable' : (better === 'higher' ? ratio >= aim : ratio <= aim) ? 'met' : 'not met'
  return [
    name,
    number(ours),
    number(peer),
    unit,
    ratio === null ? '' : `${ratio.toFixed(2)}×`,
    `${sign} ${aim}×`,
    met,
    peerName,
  ]
}

function number(value: number | null): string {
  if (value === null) return ''
  return value >= 100 ? value.toFixed(0) : value.toFixed(1)
}
