/** The one door for YAML that people write: strict, with the line and column of everything that is wrong. */
import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isNode,
  isPair,
  isScalar,
  LineCounter,
  type Node,
  parseDocument,
  visit,
  type YAMLError,
  type YAMLMap,
} from 'yaml'
import { CORE_SCHEMA, load, YAMLException } from 'js-yaml'
import type { Problem } from '../files.ts'
import type { JsonValue } from '../intents.ts'

/** Characters of a document. */
export const SIZE_LIMIT = 256 * 1024
/** Objects and lists in each other. */
export const DEPTH_LIMIT = 40
/** More help nobody; each costs a look at its place. */
const MOST_PROBLEMS = 20
/** Larger files that are no YAML at all get one error of the fast parser: finding every one takes seconds. */
const THOROUGH_LIMIT = 32 * 1024

export interface ParsedYaml {
  /** Undefined when there is a problem. */
  readonly value: JsonValue | undefined
  readonly problems: readonly Problem[]
  /** 1-based place of a JSON pointer, or of the nearest thing above it that is there. */
  position(pointer: string): { readonly line: number; readonly column: number }
  readonly document: Document | undefined
}

export function parseYaml(path: string, text: string): ParsedYaml {
  const unreadable = notText(text) ?? notYaml(text)
  if (unreadable !== undefined) return refused([{ path, code: 'invalid-yaml', ...unreadable }])
  const lines = new LineCounter()
  const document = parseDocument(text, {
    lineCounter: lines,
    version: '1.2',
    schema: 'core',
    merge: false,
    // Looked for below: the parser compares every key with every other one.
    uniqueKeys: false,
    strict: true,
    prettyErrors: false,
    stringKeys: false,
  })
  const at = (offset: number): Place => {
    const { line, col } = lines.linePos(offset)
    return { line, column: col }
  }
  const found: Found[] = [...document.errors, ...document.warnings].map((error) => ({
    offset: error.pos[0],
    detail: explain(error),
  }))
  if (found.some(({ detail }) => detail === TOO_DEEP))
    found.splice(0, found.length, { offset: 0, detail: TOO_DEEP })
  if (found.length === 0) found.push(...forbidden(document))
  else found.splice(0, found.length, ...firstOfEachLine(found, at))
  if (found.length > 0)
    return refused(
      limited(found).map(({ offset, detail }) => ({ path, ...at(offset), code: 'invalid-yaml', detail })),
    )
  return {
    value: document.toJS() ?? null,
    problems: [],
    document,
    position: (pointer) => positionOf(document, pointer, at),
  }
}

interface Place {
  readonly line: number
  readonly column: number
}

interface Found {
  readonly offset: number
  readonly detail: string
}

function limited(found: readonly Found[]): readonly Found[] {
  const shown = found.slice(0, MOST_PROBLEMS)
  const last = shown.at(-1)
  if (last === undefined || shown.length === found.length) return shown
  const more = {
    offset: last.offset,
    detail: `${found.length - shown.length} more problems follow; correct these first`,
  }
  return [...shown, more]
}

function refused(problems: readonly Problem[]): ParsedYaml {
  return { value: undefined, problems, document: undefined, position: () => ({ line: 0, column: 0 }) }
}

/** Control characters; a carriage return counts when no line feed follows, since parsers disagree about it. */
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u0084\u0086-\u009f\ufffe\uffff]|\r(?!\n)/

/** What the parser says of a line after the first is mostly what came of that. */
function firstOfEachLine(found: readonly Found[], at: (offset: number) => Place): readonly Found[] {
  const first = new Map<number, Found>()
  for (const one of found) {
    const { line } = at(one.offset)
    if (!first.has(line)) first.set(line, one)
  }
  return [...first.values()]
}

/** What keeps a file from being text, before anything is parsed. */
function notText(text: string): (Place & { readonly detail: string }) | undefined {
  const whole = { line: 0, column: 0 }
  if (text.length > SIZE_LIMIT)
    return { ...whole, detail: `the file has ${text.length} characters; ${SIZE_LIMIT} are the most` }
  if (text.startsWith('\ufeff'))
    return {
      line: 1,
      column: 1,
      detail: 'the file begins with a byte order mark; save it as UTF-8 without one',
    }
  const broken = text.indexOf('\ufffd')
  if (broken >= 0)
    return { ...placeIn(text, broken), detail: 'the file is not valid UTF-8; save it as UTF-8' }
  const control = CONTROL.exec(text)
  if (control === null) return undefined
  const code = control[0].charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')
  return {
    ...placeIn(text, control.index),
    detail: `the control character U+${code} stands here; remove it, or write it as \\u${code} in double quotes`,
  }
}

function placeIn(text: string, offset: number): Place {
  const before = text.slice(0, offset)
  return { line: before.split('\n').length, column: offset - before.lastIndexOf('\n') }
}

/** The first error of a large file. */
function notYaml(text: string): (Place & { readonly detail: string }) | undefined {
  if (text.length <= THOROUGH_LIMIT) return undefined
  try {
    load(text, { schema: CORE_SCHEMA })
    return undefined
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error
    const { mark, reason } = error
    return {
      line: (mark?.line ?? -1) + 1,
      column: (mark?.column ?? -1) + 1,
      detail: /maxDepth/.test(reason) ? TOO_DEEP : syntax(reason),
    }
  }
}

const HINTS: Readonly<Record<string, string>> = {
  BAD_ALIAS: 'aliases are not allowed; write the value itself',
  MULTIPLE_DOCS: 'the file holds several documents; write one document a file',
  TAB_AS_INDENT: 'a tab indents this line; indent with spaces',
  TAG_RESOLVE_FAILED: 'tags are not allowed; write the plain value',
}

const TWICE = 'this key is given twice; keep one of them'
const TOO_DEEP = `this nests deeper than ${DEPTH_LIMIT} levels; make it flatter`

function explain(error: YAMLError): string {
  const message = error.message.split('\n')[0] ?? error.code
  if (/call stack|maxDepth/i.test(message)) return TOO_DEEP
  return HINTS[error.code] ?? syntax(message)
}

function syntax(message: string): string {
  if (/duplicated mapping key/.test(message)) return TWICE
  return `this is not valid YAML: ${message.charAt(0).toLowerCase()}${message.slice(1)}; correct the syntax`
}

/** What YAML allows and documents do not, in order; a little more than is shown at most. */
function forbidden(document: Document): readonly Found[] {
  const found: Found[] = []
  const add = (node: Node | null | undefined, detail: string): void =>
    void found.push({ offset: node?.range?.[0] ?? 0, detail })
  const enough = (): typeof visit.BREAK | undefined =>
    found.length > MOST_PROBLEMS ? visit.BREAK : undefined
  visit(document, {
    Node(_key, node, ancestors) {
      if (isAlias(node)) add(node, 'aliases are not allowed; write the value itself')
      else if (node.anchor !== undefined)
        add(node, 'anchors are not allowed; write the value where it is needed')
      else if (node.tag !== undefined) add(node, 'tags are not allowed; write the plain value')
      if (isScalar(node) && typeof node.value === 'number' && !Number.isFinite(node.value))
        add(node, 'this is not a number that JSON has; write a finite one, or put it in quotes')
      if (isMap(node)) repeatedKeys(node, add)
      if (!isCollection(node) || ancestors.filter(isCollection).length <= DEPTH_LIMIT) return enough()
      add(node, TOO_DEEP)
      return visit.BREAK
    },
    Pair(_key, pair) {
      const { key } = pair
      if (!isScalar(key) || typeof key.value !== 'string')
        add(isNode(key) ? key : undefined, 'a key must be text; put it in quotes')
      else if (key.value === '<<') add(key, 'merge keys are not allowed; write the values out')
      else if (key.value === '__proto__') add(key, '__proto__ is not allowed as a key')
      return enough()
    },
  })
  return found
}

function repeatedKeys(map: YAMLMap, add: (node: Node, detail: string) => void): void {
  const seen = new Set<unknown>()
  for (const { key } of map.items) {
    if (!isScalar(key)) continue
    if (seen.has(key.value)) add(key, TWICE)
    seen.add(key.value)
  }
}

function positionOf(document: Document, pointer: string, at: (offset: number) => Place): Place {
  const keys = pointer
    .split('/')
    .slice(1)
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'))
  let offset = document.contents?.range?.[0] ?? 0
  let node: unknown = document.contents
  for (const key of keys) {
    if (isMap(node)) {
      const pair = node.items.find((item) => isPair(item) && isScalar(item.key) && item.key.value === key)
      if (pair === undefined) break
      if (isScalar(pair.key)) offset = pair.key.range?.[0] ?? offset
      node = pair.value
    } else {
      const next =
        typeof node === 'object' && node !== null && 'items' in node && Array.isArray(node.items)
          ? node.items[Number(key)]
          : undefined
      if (next === undefined) break
      offset = next.range?.[0] ?? offset
      node = next
    }
  }
  return at(offset)
}
