/** Fast reading of many documents: whatever is not plainly fine goes to the strict parser. */
import { CORE_SCHEMA, load, loadAll } from 'js-yaml'
import type { JsonValue } from '../intents.ts'
import { DEPTH_LIMIT, SIZE_LIMIT } from './parse.ts'

/** What only the strict parser refuses: anchors, aliases, tags, directives, merge keys, what is no text, ends of documents. */
const SUSPICIOUS: readonly RegExp[] = [
  /(?:^|[\s[{,:-])[&*!%?]|<<|__proto__|---|\.\.\.|[\]}]:/m,
  /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\ufeff\ufffd\ufffe\uffff]/,
]
/** Characters of a line from which on the strict parser decides. */
const LONG_LINE = 1_000
/** Keys that may have been no text before this parser made them text. */
const NO_TEXT = /^(?:|null|true|false|NaN|-?Infinity|-?\d.*|.*,.*|\[object.*)$/

/** The value of a document; undefined: let the strict parser look. */
export function parseBulkYaml(text: string): JsonValue | undefined {
  if (text.length > SIZE_LIMIT || SUSPICIOUS.some((pattern) => pattern.test(text)) || hasLongLine(text))
    return undefined
  try {
    // The core schema makes JSON values only, but for some numbers and keys.
    const value = load(text, { schema: CORE_SCHEMA }) as JsonValue
    return isPlain(value, 0) ? value : undefined
  } catch {
    // The strict parser reads it again and says where it is wrong.
    return undefined
  }
}

/** A pattern for it would look at each character a thousand times. */
function hasLongLine(text: string): boolean {
  for (let start = 0; start < text.length; ) {
    const end = text.indexOf('\n', start)
    if ((end < 0 ? text.length : end) - start >= LONG_LINE) return true
    if (end < 0) return false
    start = end + 1
  }
  return false
}

function isPlain(value: unknown, depth: number): boolean {
  if (typeof value === 'number') return Number.isFinite(value)
  if (typeof value !== 'object' || value === null) return true
  if (depth > DEPTH_LIMIT) return false
  if (Array.isArray(value)) return value.every((entry) => isPlain(entry, depth + 1))
  return Object.entries(value).every(([key, entry]) => !NO_TEXT.test(key) && isPlain(entry, depth + 1))
}

/** All documents of a rendered file: our own text, several documents, no surprises. @throws Error when it is not YAML */
export function parseManifests(text: string): readonly JsonValue[] {
  return loadAll(text, { schema: CORE_SCHEMA }) as readonly JsonValue[]
}
