/** Changes a document in place: what a person wrote around the change (comments, order, quotes) stays. */
import { isDeepStrictEqual } from 'node:util'
import { type Document, isMap, isNode, isScalar, isSeq } from 'yaml'
import type { JsonValue } from '../intents.ts'
import { emitDocument } from './emit.ts'
import { parseYaml } from './parse.ts'

/**
 * @param before what the text says now
 * @param after what it shall say
 * @returns the text edited; written anew when it cannot be edited so that it says `after`
 */
export function editYaml(text: string, before: unknown, after: unknown): string {
  const { document, value } = parseYaml('', text)
  if (document === undefined || !isMap(document.contents)) return emitDocument(after)
  // The text decides, not what the caller believes it says.
  change(document, [], value ?? plain(before), plain(after))
  const edited = document.toString({ lineWidth: 0, flowCollectionPadding: false })
  return isDeepStrictEqual(parseYaml('', edited).value, plain(after)) ? edited : emitDocument(after)
}

type Path = readonly (string | number)[]

function change(document: Document, path: Path, before: JsonValue | undefined, after: JsonValue): void {
  if (isDeepStrictEqual(before, after)) return
  if (isObject(before) && isObject(after)) return changeObject(document, path, before, after)
  if (isList(before) && isList(after)) return changeList(document, path, before, after)
  const present = document.getIn(path, true)
  const next = document.createNode(after)
  if (isScalar(present) && isScalar(next)) {
    next.comment = present.comment
    next.commentBefore = present.commentBefore
  }
  document.setIn(path, next)
}

function changeObject(document: Document, path: Path, before: JsonMap, after: JsonMap): void {
  for (const key of Object.keys(before)) if (!Object.hasOwn(after, key)) document.deleteIn([...path, key])
  for (const [key, value] of Object.entries(after)) {
    if (Object.hasOwn(before, key)) change(document, [...path, key], before[key], value)
    else document.setIn([...path, key], document.createNode(value))
  }
}

/** What is the same at both ends stays; as many entries as before are changed one by one. */
function changeList(
  document: Document,
  path: Path,
  before: readonly JsonValue[],
  after: readonly JsonValue[],
): void {
  const list = document.getIn(path, true)
  if (before.length === after.length || !isSeq(list)) {
    for (const [at, value] of after.entries()) change(document, [...path, at], before[at], value)
    return
  }
  const most = Math.min(before.length, after.length)
  let start = 0
  while (start < most && isDeepStrictEqual(before[start], after[start])) start += 1
  let end = 0
  while (end < most - start && isDeepStrictEqual(before.at(-1 - end), after.at(-1 - end))) end += 1
  const fresh = after.slice(start, after.length - end).map((value) => document.createNode(value))
  list.items.splice(start, before.length - start - end, ...fresh.filter(isNode))
}

type JsonMap = { readonly [key: string]: JsonValue }

function isObject(value: JsonValue | undefined): value is JsonMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isList(value: JsonValue | undefined): value is readonly JsonValue[] {
  return Array.isArray(value)
}

/** Without keys whose value is undefined, as a document holds it. */
function plain(value: unknown): JsonValue {
  return JSON.parse(JSON.stringify(value))
}
