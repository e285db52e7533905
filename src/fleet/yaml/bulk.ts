/** Fast reading of many documents: whatever is not plainly fine goes to the strict parser. */
import { CORE_SCHEMA, load } from 'js-yaml'
import type { JsonValue } from '../intents.ts'
import { SIZE_LIMIT } from './parse.ts'

/** Anchors, aliases, tags, merge keys, directives: the strict parser says what is wrong with them, if anything is. */
const SUSPICIOUS = /(?:^|[\s[{,:-])[&*!%]|<<|__proto__|\u0000|\ufffd|^---|^\.\.\./m

/** The value of a document; undefined: let the strict parser look. */
export function parseBulkYaml(text: string): JsonValue | undefined {
  if (text.length > SIZE_LIMIT || SUSPICIOUS.test(text)) return undefined
  try {
    // The core schema makes JSON values only; the strict parser refuses the rest before.
    return load(text, { schema: CORE_SCHEMA }) as JsonValue
  } catch {
    // The strict parser reads it again and says where it is wrong.
    return undefined
  }
}
