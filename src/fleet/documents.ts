/** Documents of the fleet repository: text to intent and back. */
import type { ErrorDetail } from './errors.ts'
import { FleetError } from './errors.ts'
import type { Problem } from './files.ts'
import type { FleetPath } from './ids.ts'
import type { FleetSettings, Intent, IntentKind, Tombstone } from './intents.ts'
import {
  installationPath,
  requestPath,
  roleOf,
  shardOf,
  tombstonePath,
  unplacedTombstonePath,
} from './paths.ts'
import { createSchemas } from './schemas.ts'
import { secretPatternProblem } from './secret-names.ts'
import { sizeNames, sizeOf } from './sizes.ts'
import { parseBulkYaml } from './yaml/bulk.ts'
import { editYaml } from './yaml/edit.ts'
import { emitDocument } from './yaml/emit.ts'
import { parseYaml, SIZE_LIMIT } from './yaml/parse.ts'

export interface ReadDocument {
  /** Undefined when there is a problem. */
  readonly intent?: Intent
  readonly problems: readonly Problem[]
}

export interface Documents {
  /** Every problem has its line and column, and says what would be right. */
  parse(path: FleetPath, text: string): ReadDocument
  /** Same verdict, faster for documents that are valid. */
  parseBulk(path: FleetPath, text: string): ReadDocument
  /** What is wrong with an intent that shall be written as this text; nothing when it can be read again as it is. */
  errors(path: FleetPath, intent: Intent, text: string): readonly ErrorDetail[]
  /** Canonical text. */
  emit(intent: Intent): string
  /** A text that said `before` and shall say `after`, with comments kept. */
  edit(text: string, before: Intent, after: Intent): string
  /** Place of a JSON pointer in a text. */
  locate(text: string, pointer: string): { readonly line: number; readonly column: number }
}

export function createDocuments(): Documents {
  const schemas = createSchemas()
  function errorsOf(path: FleetPath, value: unknown): readonly ErrorDetail[] {
    const role = roleOf(path)
    if (role.role !== 'intent')
      return [{ pointer: '', detail: 'no document belongs here; see the layout of the fleet repository' }]
    const kind = kindOf(value)
    if (kind !== undefined && kind !== role.kind)
      return [{ pointer: '/kind', detail: `this is a document of kind ${kind}; here belongs ${role.kind}` }]
    const errors = schemas.check(role.kind, value)
    // Valid against the schema of its kind, which a test holds together with the type.
    return errors.length > 0 ? errors : placeErrors(path, value as Intent)
  }
  function parse(path: FleetPath, text: string): ReadDocument {
    const yaml = parseYaml(path, text)
    if (yaml.value === undefined) return { problems: yaml.problems }
    const errors = errorsOf(path, yaml.value)
    const problems = errors.map(({ pointer, detail }) => ({
      path,
      ...yaml.position(pointer),
      code: 'invalid-document',
      detail,
      pointer,
    }))
    return problems.length > 0 ? { problems } : { intent: yaml.value as unknown as Intent, problems }
  }
  return {
    parse,
    parseBulk(path, text) {
      const value = parseBulkYaml(text)
      if (value === undefined || errorsOf(path, value).length > 0) return parse(path, text)
      return { intent: value as unknown as Intent, problems: [] }
    },
    errors(path, intent, text) {
      if (text.length > SIZE_LIMIT) {
        const detail = `the document has ${text.length} characters; ${SIZE_LIMIT} are the most`
        return [{ pointer: '', detail }]
      }
      return errorsOf(path, intent)
    },
    emit: emitIntent,
    edit(text, before, after) {
      const edited = editYaml(text, before, after)
      return edited.length > SIZE_LIMIT ? emitIntent(after) : edited
    },
    locate: (text, pointer) => parseYaml('', text).position(pointer),
  }
}

/** Reads documents one by one. @throws FleetError (from `parse`) `invalid-document` */
export function createDocumentReader(documents: Documents): { parse(path: FleetPath, text: string): Intent } {
  return {
    parse(path, text) {
      const { intent, problems } = documents.parse(path, text)
      if (intent !== undefined) return intent
      const lines = problems.map(({ line, column, detail }) => `${path}:${line}:${column}: ${detail}`)
      throw new FleetError('invalid-document', lines.join('\n'), { path })
    },
  }
}

function kindOf(value: unknown): IntentKind | undefined {
  const kind = typeof value === 'object' && value !== null && 'kind' in value ? value.kind : undefined
  // An unknown kind is the schema's to refuse.
  return typeof kind === 'string' &&
    /^(Fleet|Cluster|Group|SharedDatabase|Installation|InstallationRequest|Tombstone)$/.test(kind)
    ? (kind as IntentKind)
    : undefined
}

/** Name and folder of a document must say what is in it. */
function placeErrors(path: FleetPath, intent: Intent): readonly ErrorDetail[] {
  const role = roleOf(path)
  if (role.role !== 'intent') return []
  switch (intent.kind) {
    case 'Fleet':
      return settingsErrors(intent)
    case 'Cluster':
    case 'Group':
    case 'SharedDatabase':
      return intent.metadata.name === role.name
        ? []
        : [mismatch('/metadata/name', intent.metadata.name, role.name)]
    case 'Tombstone':
      return tombstoneErrors(path, intent, role.name)
    case 'InstallationRequest': {
      const { id } = intent.metadata
      if (id === undefined || requestPath(id) === path) return []
      const detail = `a request with an id is in requests/${id}.yaml; move the file, or leave the id out to ask for a new installation`
      return [{ pointer: '/metadata/id', detail }]
    }
    case 'Installation': {
      if (role.cluster === undefined || installationPath(role.cluster, intent.metadata.id) === path) return []
      const { id } = intent.metadata
      return [
        {
          pointer: '/metadata/id',
          detail: `the folder of ${id} is installations/${shardOf(id)}/${id}; move the file, or correct the id`,
        },
      ]
    }
    default:
      return []
  }
}

function tombstoneErrors(
  path: FleetPath,
  { metadata, spec }: Tombstone,
  name: string | undefined,
): readonly ErrorDetail[] {
  const { id } = metadata
  if (id !== name) return [mismatch('/metadata/id', id, name)]
  if (spec.installation.metadata.id !== id)
    return [
      { pointer: '/spec/installation/metadata/id', detail: `the tombstone is of ${id}; make them the same` },
    ]
  const cluster = spec.installation.spec.placement?.cluster
  const wanted = cluster === undefined ? unplacedTombstonePath(id) : tombstonePath(cluster, id)
  return wanted === path
    ? []
    : [{ pointer: '', detail: `this tombstone belongs into ${wanted}; move the file` }]
}

function settingsErrors({ spec }: FleetSettings): readonly ErrorDetail[] {
  const patterns = (spec.secretEnvNames ?? []).flatMap((pattern, at) => {
    const detail = secretPatternProblem(pattern)
    return detail === undefined ? [] : [{ pointer: `/spec/secretEnvNames/${at}`, detail }]
  })
  const largest = spec.changePolicy?.pullRequests?.largestSize
  if (largest === undefined || sizeOf(largest) !== undefined) return patterns
  const detail = `there is no size ${largest}; write one of ${sizeNames().join(', ')}`
  return [...patterns, { pointer: '/spec/changePolicy/pullRequests/largestSize', detail }]
}

function mismatch(pointer: string, found: string, wanted: string | undefined): ErrorDetail {
  return { pointer, detail: `this is ${found}, but the file is named ${wanted}; make them the same` }
}

/** Keys of `metadata` and the head come first; `spec` keeps the order its types have. */
function emitIntent(intent: Intent): string {
  const { apiVersion, kind, metadata, spec, ...rest } = intent
  return emitDocument({
    apiVersion,
    kind,
    metadata: ordered(metadata, METADATA),
    spec: ordered(spec, SPEC, SPEC_END),
    ...rest,
  })
}

const METADATA = ['name', 'id', 'createdAt', 'deletedAt', 'annotations'] as const
/** What people look for first; the rest follows by name, so that equal intents have equal texts; what they seldom touch is last. */
const SPEC = [
  'displayName',
  'description',
  'provider',
  'provisioner',
  'region',
  'owner',
  'group',
  'groupSequence',
  'version',
  'image',
  'size',
  'affinity',
  'dns',
  'database',
  'filestore',
  'env',
  'priorityEnv',
  'placement',
] as const
const SPEC_END = ['clusterInstallations', 'operation', 'templateSet'] as const

function ordered(
  value: object,
  first: readonly string[],
  last: readonly string[] = [],
): Readonly<Record<string, unknown>> {
  const entries = value as Readonly<Record<string, unknown>>
  const result: Record<string, unknown> = {}
  const take = (key: string): void => {
    if (entries[key] !== undefined) result[key] = canonical(entries[key])
  }
  for (const key of first) take(key)
  for (const key of Object.keys(entries).sort()) if (!(key in result) && !last.includes(key)) take(key)
  for (const key of last) take(key)
  return result
}

/** Keys below are sorted, except that names and ids come first. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical)
  if (typeof value !== 'object' || value === null) return value
  return ordered(value, FIRST)
}

const FIRST = ['apiVersion', 'kind', 'name', 'id', 'metadata'] as const
