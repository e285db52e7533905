/** JSON schemas that others publish. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv } from 'ajv'

const FOLDER = join(import.meta.dirname, '../published-schemas')

/** @returns what is wrong with a value; empty: it is valid */
export function violationsOf(schema: string, value: unknown): readonly string[] {
  // SARIF's schema says draft 4, and uses nothing that later drafts read in another way.
  const { $schema: _, id: __, ...rest } = JSON.parse(readFileSync(join(FOLDER, `${schema}.json`), 'utf8'))
  const ajv = new Ajv({ strict: false, validateFormats: false, unicodeRegExp: false, allErrors: true })
  const validate = ajv.compile(rest)
  return validate(value) ? [] : (validate.errors ?? []).map((e) => `${e.instancePath} ${e.message}`)
}
