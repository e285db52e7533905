/** Bytes of a body to a typed value. */
import { type ErrorDetail, FleetError } from '../fleet/errors.ts'
import type { JsonValue } from '../fleet/intents.ts'
import { nearest } from '../fleet/nearest.ts'
import { escapePointer, type Findings, type Shape } from './shapes.ts'

/** Nobody nests deeper; a parser that follows every bracket is a way to stop a server. */
const MAX_DEPTH = 64
/** More errors than this tell nobody more. */
const MAX_ERRORS = 20

export interface DecodedBody<Value> {
  readonly value: Value
  /** JSON pointers of keys that nothing takes. */
  readonly unknown: readonly string[]
}

/**
 * As the original decodes: no body and `null` are `{}`, unknown keys are passed over.
 * @throws FleetError `invalid-json`, `invalid-request`
 */
export function decodeLenient<Value>(shape: Shape<Value>, bytes: Uint8Array): DecodedBody<Value> {
  const { value, findings } = read(shape, bytes)
  return { value, unknown: findings.unknown.map(({ pointer }) => pointer) }
}

/**
 * As `decodeLenient`, but an unknown key is an error that names the nearest known one.
 * @throws FleetError `invalid-json`, `invalid-request`
 */
export function decodeStrict<Value>(shape: Shape<Value>, bytes: Uint8Array): Value {
  const { value, findings } = read(shape, bytes)
  if (findings.unknown.length === 0) return value
  throw refusal(
    findings.unknown.map(({ pointer, key, fields }) => ({
      pointer,
      detail: `is not known${hint(key, fields)}`,
    })),
  )
}

/**
 * Strict where `JSON.parse` is not: a key twice in one object, and nesting without end, are refused.
 * @throws FleetError `invalid-json`, never with a piece of the text: it may hold secrets
 */
export function parseJson(bytes: Uint8Array): JsonValue {
  const text = new TextDecoder().decode(bytes)
  if (/^[ \t\r\n]*$/.test(text)) return null
  const value = parse(text)
  checkStructure(text)
  return value
}

function read<Value>(
  shape: Shape<Value>,
  bytes: Uint8Array,
): { readonly value: Value; readonly findings: Findings } {
  const json = parseJson(bytes)
  const findings: Findings = { errors: [], unknown: [] }
  const value = shape.read(json ?? {}, '', findings)
  if (findings.errors.length > 0 || value === undefined) throw refusal(findings.errors)
  return { value, findings }
}

function parse(text: string): JsonValue {
  try {
    return JSON.parse(text)
  } catch {
    const offset = breakOf(text)
    const before = text.slice(0, offset).split('\n')
    const where = `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1} (character ${offset})`
    throw new FleetError('invalid-json', `The body is not one valid JSON value; it breaks at ${where}.`)
  }
}

/** Length of the longest beginning that could still become JSON. The parser's own message often does not say. */
function breakOf(text: string): number {
  let low = 0
  let high = text.length
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if (couldGoOn(text.slice(0, middle))) low = middle
    else high = middle - 1
  }
  return low
}

function couldGoOn(beginning: string): boolean {
  try {
    JSON.parse(beginning)
    return true
  } catch (error) {
    const message = error instanceof Error ? error.message : ''
    const position = /at position (\d+)/.exec(message)?.[1]
    return position === undefined
      ? message.startsWith('Unexpected end')
      : Number(position) >= beginning.length
  }
}

/** The text is valid JSON here, so its brackets, strings and colons are all there is to look at. */
function checkStructure(text: string): void {
  const open: { readonly keys: Set<string> | undefined; readonly pointer: string; key: string }[] = []
  for (const { 0: token, index } of text.matchAll(/"[^"\\]*(?:\\.[^"\\]*)*"(\s*:)?|[{}[\]]/g)) {
    if (token === '}' || token === ']') {
      open.pop()
      continue
    }
    const inside = open.at(-1)
    if (token === '{' || token === '[') {
      const pointer = inside?.keys
        ? `${inside.pointer}/${escapePointer(inside.key)}`
        : (inside?.pointer ?? '')
      open.push({ keys: token === '{' ? new Set() : undefined, pointer, key: '' })
      if (open.length > MAX_DEPTH)
        throw new FleetError('invalid-json', `The body nests deeper than ${MAX_DEPTH} levels.`)
      continue
    }
    if (!token.endsWith(':') || !inside?.keys) continue
    const key: string = JSON.parse(token.slice(0, token.lastIndexOf('"') + 1))
    const pointer = `${inside.pointer}/${escapePointer(key)}`
    if (inside.keys.has(key)) throw structureError(pointer, `is given twice, again at character ${index}`)
    if (key === '__proto__') throw structureError(pointer, 'is not allowed as a key')
    inside.keys.add(key)
    inside.key = key
  }
}

function structureError(pointer: string, detail: string): FleetError {
  return new FleetError('invalid-json', `The key at ${pointer} ${detail}.`, { errors: [{ pointer, detail }] })
}

function refusal(errors: readonly ErrorDetail[]): FleetError {
  const first = errors[0]
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : ''
  const where = first?.pointer === '' ? 'The body' : (first?.pointer ?? 'The body')
  return new FleetError('invalid-request', `${where} ${first?.detail ?? 'is not valid'}${more}.`, {
    errors: errors.slice(0, MAX_ERRORS),
  })
}

function hint(key: string, known: readonly string[]): string {
  const near = nearest(key, known)
  return near === undefined ? `; known here: ${known.join(', ')}` : `; did you mean ${near}?`
}
