/** Changes a document in place: what a person wrote around the change (comments, order, quotes) stays. */
import { isDeepStrictEqual } from 'node:util'
import { type Document, isMap } from 'yaml'
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

function change(
  document: Document,
  path: readonly string[],
  before: JsonValue | undefined,
  after: JsonValue,
): void {
  if (isDeepStrictEqual(before, after)) return
  if (!isObject(before) || !isObject(after)) {
    document.setIn(path, document.createNode(after))
    return
  }
  for (const key of Object.keys(before)) if (!Object.hasOwn(after, key)) document.deleteIn([...path, key])
  for (const [key, value] of Object.entries(after)) {
    if (Object.hasOwn(before, key)) change(document, [...path, key], before[key], value)
    else document.setIn([...path, key], document.createNode(value))
  }
}

function isObject(value: JsonValue | undefined): value is { readonly [key: string]: JsonValue } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Without keys whose value is undefined, as a document holds it. */
function plain(value: unknown): JsonValue {
  return JSON.parse(JSON.stringify(value))
}
