/** The one door for YAML that people write: strict, with the line and column of everything that is wrong. */
import {
  type Document,
  isAlias,
  isMap,
  isPair,
  isScalar,
  LineCounter,
  type Node,
  parseDocument,
  visit,
  type YAMLError,
} from 'yaml'
import type { Problem } from '../files.ts'
import type { JsonValue } from '../intents.ts'

export const SIZE_LIMIT = 256 * 1024
const DEPTH_LIMIT = 40

export interface ParsedYaml {
  /** Undefined when there is a problem. */
  readonly value: JsonValue | undefined
  readonly problems: readonly Problem[]
  /** 1-based place of a JSON pointer, or of the nearest thing above it that is there. */
  position(pointer: string): { readonly line: number; readonly column: number }
  readonly document: Document | undefined
}

export function parseYaml(path: string, text: string): ParsedYaml {
  const refusal = tooMuch(text)
  if (refusal !== undefined)
    return refused([{ path, line: 0, column: 0, code: 'invalid-yaml', detail: refusal }])
  const lines = new LineCounter()
  const document = parseDocument(text, {
    lineCounter: lines,
    version: '1.2',
    schema: 'core',
    merge: false,
    uniqueKeys: true,
    strict: true,
    prettyErrors: false,
    stringKeys: false,
  })
  const at = (offset: number): { line: number; column: number } => {
    const { line, col } = lines.linePos(offset)
    return { line, column: col }
  }
  const problems = [...document.errors, ...document.warnings].map((error) => ({
    path,
    ...at(error.pos[0]),
    code: 'invalid-yaml',
    detail: explain(error),
  }))
  if (problems.length === 0)
    problems.push(
      ...forbidden(document, (offset, detail) => ({ path, ...at(offset), code: 'invalid-yaml', detail })),
    )
  if (problems.length > 0) return refused(problems)
  return {
    value: document.toJS() ?? null,
    problems: [],
    document,
    position: (pointer) => positionOf(document, pointer, at),
  }
}

function refused(problems: readonly Problem[]): ParsedYaml {
  return { value: undefined, problems, document: undefined, position: () => ({ line: 0, column: 0 }) }
}

function tooMuch(text: string): string | undefined {
  if (text.length > SIZE_LIMIT) return `the file has ${text.length} characters; ${SIZE_LIMIT} are the most`
  if (text.includes('\u0000')) return 'the file holds a NUL character; write plain UTF-8 text'
  return text.includes('\ufffd') ? 'the file is not valid UTF-8; save it as UTF-8' : undefined
}

const HINTS: Readonly<Record<string, string>> = {
  DUPLICATE_KEY: 'this key is given twice; keep one of them',
  MULTIPLE_DOCS: 'the file holds several documents; write one document a file',
  TAB_AS_INDENT: 'a tab indents this line; indent with spaces',
  TAG_RESOLVE_FAILED: 'tags are not allowed; write the plain value',
}

function explain(error: YAMLError): string {
  const hint = HINTS[error.code]
  const message = error.message.split('\n')[0] ?? error.code
  return (
    hint ??
    `this is not valid YAML: ${message.charAt(0).toLowerCase()}${message.slice(1)}; correct the syntax`
  )
}

function forbidden(document: Document, problem: (offset: number, detail: string) => Problem): Problem[] {
  const found: Problem[] = []
  const add = (node: Node | null | undefined, detail: string): void =>
    void found.push(problem(node?.range?.[0] ?? 0, detail))
  visit(document, {
    Node(_key, node, ancestors) {
      if (isAlias(node)) add(node, 'aliases are not allowed; write the value itself')
      else if (node.anchor !== undefined)
        add(node, 'anchors are not allowed; write the value where it is needed')
      else if (node.tag !== undefined) add(node, 'tags are not allowed; write the plain value')
      if (ancestors.length > DEPTH_LIMIT * 2) {
        add(node, `this nests deeper than ${DEPTH_LIMIT} levels; make it flatter`)
        return visit.BREAK
      }
      return undefined
    },
    Pair(_key, pair) {
      const { key } = pair
      if (!isScalar(key) || typeof key.value !== 'string')
        add(isScalar(key) || isMap(key) ? key : undefined, 'a key must be text; put it in quotes')
      else if (key.value === '<<') add(key, 'merge keys are not allowed; write the values out')
      else if (key.value === '__proto__') add(key, '__proto__ is not allowed as a key')
    },
  })
  return found
}

function positionOf(
  document: Document,
  pointer: string,
  at: (offset: number) => { line: number; column: number },
): { readonly line: number; readonly column: number } {
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
