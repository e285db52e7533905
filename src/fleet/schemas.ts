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
  const found = new Map<string, ErrorDetail>()
  for (const error of withoutOtherForms(errors)) {
    const detail = sentence(error)
    found.set(`${detail.pointer} ${detail.detail}`, detail)
  }
  return [...found.values()]
}

/** Where a value may have several forms, errors of the one that was meant are told; of none, that it has none of them. */
function withoutOtherForms(errors: readonly ErrorObject[]): readonly ErrorObject[] {
  const silent = new Set<ErrorObject>()
  for (const choice of errors.filter(({ keyword }) => keyword === 'oneOf')) {
    const path = choice.instancePath
    const inside = errors.filter((error) => error !== choice && error.instancePath === path)
    const below = errors.some(({ instancePath }) => instancePath.startsWith(`${path}/`))
    const wrongType = new Set(inside.filter(({ keyword }) => keyword === 'type').map(formOf))
    const forms = new Set(inside.map(formOf).filter((form) => !wrongType.has(form)))
    const meant = !below && forms.size === 1
    for (const error of inside) if (!meant || wrongType.has(formOf(error))) silent.add(error)
    if (below || meant) silent.add(choice)
  }
  return errors.filter((error) => !silent.has(error))
}

/** Which of the forms an error is of: a definition, or what stands in the choice itself. */
function formOf({ schemaPath }: ErrorObject): string {
  return schemaPath.slice(0, schemaPath.lastIndexOf('/'))
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
      return {
        pointer,
        detail: limitOf(error) ?? `this ${error.message ?? 'is not valid'}; ${hintOf(error)}`,
      }
  }
}

/** What is told of a number or length that is too small or too large. */
function limitOf({ keyword, data, params }: ErrorObject): string | undefined {
  const length = typeof data === 'string' ? data.length : undefined
  switch (keyword) {
    case 'minimum':
      return `this is ${data}; ${params.limit} is the least`
    case 'maximum':
      return `this is ${data}; ${params.limit} is the most`
    case 'minLength':
      return `this text has ${length} characters; ${params.limit} are the least`
    case 'maxLength':
      return `this text has ${length} characters; ${params.limit} are the most`
    default:
      return undefined
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
  if (type === 'array') return 'a list'
  return /^[aeiou]/.test(type) ? `an ${type}` : `a ${type}`
}

function escapePointer(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1')
}
