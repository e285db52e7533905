/**
 * Canonical YAML: block style, two spaces, keys in the order given, every scalar safe for parsers of YAML 1.1 and 1.2.
 * Written by hand for speed: it prints tens of thousands of documents a second, which no general emitter does.
 */

/** Plain words that some parser reads as something else. */
const RESERVED = new Set(['y', 'n', 'yes', 'no', 'on', 'off', 'true', 'false', 'null', 'nan', 'inf'])
const LONGEST_RESERVED = 5
/** A number without digits before its exponent, which one parser takes for zero. */
const EXPONENT = /^[eE][0-9]+$/
const PLAIN = /^[A-Za-z_/][A-Za-z0-9_/.@:+=,()-]*$/
const WORDS = /^[A-Za-z_/][A-Za-z0-9_/.@+=,()-]*(?: [A-Za-z0-9_/.@+=,()-]+)+$/
const UNPRINTABLE = /[\u007f-\u009f\u2028\u2029\ufeff\ufffd\ufffe\uffff]/g

/** One scalar: plain where every parser agrees what it is, in double quotes otherwise. */
export function emitScalar(value: string | number | boolean | null): string {
  // YAML 1.1 takes a number with an exponent only when it has a point.
  if (typeof value === 'number') return JSON.stringify(value).replace(/^(-?\d+)e/, '$1.0e')
  if (typeof value !== 'string') return JSON.stringify(value)
  if (isPlain(value)) return value
  return JSON.stringify(value).replace(
    UNPRINTABLE,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

function isPlain(text: string): boolean {
  if (PLAIN.test(text)) return !text.endsWith(':') && !EXPONENT.test(text) && !isReserved(text)
  return text.length <= 100 && WORDS.test(text)
}

function isReserved(text: string): boolean {
  return text.length <= LONGEST_RESERVED && RESERVED.has(text.toLowerCase())
}

/** An object or list as lines at an indentation, without the last line's end; empty: `{}` or `[]` at that indentation. */
export function emitBlock(value: unknown, indent: number): string {
  const lines: string[] = []
  const margin = ' '.repeat(indent)
  if (Array.isArray(value)) emitList(value, margin, lines)
  else if (isMap(value) && isEmpty(value)) lines.push(`${margin}{}`)
  else if (isMap(value)) emitMap(value, margin, lines)
  else lines.push(margin + emitScalar(scalarOf(value)))
  return lines.join('\n')
}

/** A whole document with its final line end. Undefined values are left out. */
export function emitDocument(value: unknown): string {
  return `${emitBlock(value, 0)}\n`
}

function emitMap(
  value: Readonly<Record<string, unknown>>,
  margin: string,
  lines: string[],
  first = margin,
): void {
  let start = first
  for (const key in value) {
    const entry = value[key]
    if (entry === undefined) continue
    emitEntry(`${start}${emitScalar(key)}:`, entry, margin, lines)
    start = margin
  }
}

function emitEntry(head: string, entry: unknown, margin: string, lines: string[]): void {
  if (Array.isArray(entry)) {
    if (entry.length === 0) lines.push(`${head} []`)
    else {
      lines.push(head)
      emitList(entry, `${margin}  `, lines)
    }
    return
  }
  if (!isMap(entry)) {
    lines.push(`${head} ${emitScalar(scalarOf(entry))}`)
    return
  }
  if (isEmpty(entry)) lines.push(`${head} {}`)
  else {
    lines.push(head)
    emitMap(entry, `${margin}  `, lines)
  }
}

function emitList(list: readonly unknown[], margin: string, lines: string[]): void {
  if (list.length === 0) lines.push(`${margin}[]`)
  for (const entry of list) {
    if (Array.isArray(entry)) {
      if (entry.length === 0) lines.push(`${margin}- []`)
      else {
        lines.push(`${margin}-`)
        emitList(entry, `${margin}  `, lines)
      }
    } else if (!isMap(entry)) lines.push(`${margin}- ${emitScalar(scalarOf(entry))}`)
    else if (isEmpty(entry)) lines.push(`${margin}- {}`)
    else emitMap(entry, `${margin}  `, lines, `${margin}- `)
  }
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isEmpty(value: Readonly<Record<string, unknown>>): boolean {
  for (const key in value) if (value[key] !== undefined) return false
  return true
}

/** @throws TypeError for what JSON cannot hold */
function scalarOf(value: unknown): string | number | boolean | null {
  if (value === undefined) return null
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number' && Number.isFinite(value)) return value
  throw new TypeError(`a ${typeof value} has no place in a document`)
}
