/** Old and new in the body of a commit. */

/** `Size: 100users → 1000users`; undefined when nothing changed. */
export function changeLine(label: string, before: unknown, after: unknown): string | undefined {
  const from = shown(before)
  const to = shown(after)
  return from === to ? undefined : `${label}: ${from} → ${to}`
}

export function lines(...all: readonly (string | undefined)[]): string {
  return all.filter((line) => line !== undefined && line !== '').join('\n')
}

function shown(value: unknown): string {
  if (value === undefined || value === null || value === '') return '(none)'
  if (Array.isArray(value)) return value.length === 0 ? '(none)' : value.map(shown).join(', ')
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
