/** The published JSON Schemas, compiled; what they find becomes sentences. */
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js'
import cluster from '../../fleet-repo-schema/cluster.schema.json' with { type: 'json' }
import fleet from '../../fleet-repo-schema/fleet.schema.json' with { type: 'json' }
import group from '../../fleet-repo-schema/group.schema.json' with { type: 'json' }
import installation from '../../fleet-repo-schema/installation.schema.json' with { type: 'json' }
import request from '../../fleet-repo-schema/installation-request.schema.json' with { type: 'json' }
import database from '../../fleet-repo-schema/shared-database.schema.json' with { type: 'json' }
import tombstone from '../../fleet-repo-schema/tombstone.schema.json' with { type: 'json' }
import type { ErrorDetail } from './errors.ts'
import type { IntentKind } from './intents.ts'
import { nearest } from './nearest.ts'

export const SCHEMAS = {
  Fleet: fleet,
  Cluster: cluster,
  Group: group,
  SharedDatabase: database,
  Installation: installation,
  InstallationRequest: request,
  Tombstone: tombstone,
} as const satisfies Record<IntentKind, object>

export interface Schemas {
  /** What is wrong with a document of a kind; nothing when it is valid. */
  check(kind: IntentKind, value: unknown): readonly ErrorDetail[]
}

export function createSchemas(): Schemas {
  const ajv = new Ajv2020({
    allErrors: true,
    strict: true,
    strictRequired: false,
    verbose: true,
    allowUnionTypes: true,
  })
  const compiled = new Map<IntentKind, ValidateFunction>()
  return {
    check(kind, value) {
      const validate = compiled.get(kind) ?? ajv.compile(SCHEMAS[kind])
      compiled.set(kind, validate)
      return validate(value) ? [] : sentences(validate.errors ?? [])
    },
  }
}

function sentences(errors: readonly ErrorObject[]): readonly ErrorDetail[] {
  // What stands inside an alternative says less than the alternative itself.
  const told = errors.filter((error) => !error.schemaPath.includes('/oneOf/'))
  const found = new Map<string, ErrorDetail>()
  for (const error of told) {
    const detail = sentence(error)
    found.set(`${detail.pointer} ${detail.detail}`, detail)
  }
  return [...found.values()]
}

function sentence(error: ErrorObject): ErrorDetail {
  const pointer = error.instancePath
  const { params } = error
  switch (error.keyword) {
    case 'additionalProperties': {
      const key = String(params.additionalProperty)
      const known = Object.keys(error.parentSchema?.properties ?? {})
      const near = nearest(key, known)
      const hint = near === undefined ? `known here: ${known.join(', ')}` : `did you mean ${near}?`
      return { pointer: `${pointer}/${escapePointer(key)}`, detail: `the key ${key} is not known; ${hint}` }
    }
    case 'required':
      return { pointer, detail: `the key ${params.missingProperty} is missing; add it` }
    case 'enum':
      return {
        pointer,
        detail: `this is not one of the known values; write one of ${params.allowedValues.join(', ')}`,
      }
    case 'const':
      return { pointer, detail: `this must be ${JSON.stringify(params.allowedValue)}` }
    case 'type':
      return { pointer, detail: `this is ${kindOf(error.data)}; write ${article(params.type)}` }
    case 'pattern':
      return { pointer, detail: `this text does not have the right form; ${hintOf(error)}` }
    case 'oneOf':
      return { pointer, detail: `this has none of the forms that are allowed; ${hintOf(error)}` }
    default:
      return { pointer, detail: `this ${error.message ?? 'is not valid'}; ${hintOf(error)}` }
  }
}

function hintOf({ parentSchema }: ErrorObject): string {
  const examples = parentSchema?.examples
  if (Array.isArray(examples)) return `for example ${examples.join(', ')}`
  const { description } = parentSchema ?? {}
  return typeof description === 'string'
    ? `wanted: ${description.replace(/\.$/, '')}`
    : `it must match ${parentSchema?.pattern ?? 'the schema'}`
}

function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  return article(typeof value)
}

function article(type: string): string {
  return /^[aeiou]/.test(type) ? `an ${type}` : `a ${type === 'array' ? 'list' : type}`
}

function escapePointer(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1')
}
