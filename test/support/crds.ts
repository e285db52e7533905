/** The real custom resource definitions, for checking what is rendered. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv, type ValidateFunction } from 'ajv'
import { load } from 'js-yaml'

export const CRD_FOLDER = join(import.meta.dirname, '../../../shared/crds')

interface CustomResourceDefinition {
  readonly spec: {
    readonly group: string
    readonly names: { readonly kind: string }
    readonly versions: readonly {
      readonly name: string
      readonly schema: { readonly openAPIV3Schema: object }
    }[]
  }
}

/** Says what is wrong with a document, `valid`, or `no CRD` for kinds without one. */
export function createCrdCheck(): (document: {
  readonly apiVersion: string
  readonly kind: string
}) => string {
  const groups = new Map<string, ReadonlyMap<string, object>>()
  const ajv = new Ajv({
    strict: false,
    formats: { int32: true, int64: true, 'date-time': true, byte: true, date: true },
  })
  const compiled = new Map<object, ValidateFunction>()
  return (document) => {
    const group = document.apiVersion.split('/')[0] ?? ''
    const schemas = groups.get(group) ?? readSchemas(group)
    groups.set(group, schemas)
    const schema = schemas.get(`${document.apiVersion} ${document.kind}`)
    if (schema === undefined) return 'no CRD'
    const validate = compiled.get(schema) ?? ajv.compile(closed(schema))
    compiled.set(schema, validate)
    return validate(document) ? 'valid' : ajv.errorsText(validate.errors)
  }
}

/** Of one group: the files are named by it. */
function readSchemas(group: string): ReadonlyMap<string, object> {
  const found = new Map<string, object>()
  for (const name of readdirSync(CRD_FOLDER).filter((file) => file.startsWith(`${group}_`))) {
    const { spec } = load(readFileSync(join(CRD_FOLDER, name), 'utf8')) as CustomResourceDefinition
    for (const version of spec.versions)
      found.set(`${spec.group}/${version.name} ${spec.names.kind}`, version.schema.openAPIV3Schema)
  }
  return found
}

/** Unknown fields are pruned by a real API server; here they are an error. */
function closed(schema: unknown): object {
  if (Array.isArray(schema)) return schema.map(closed)
  if (typeof schema !== 'object' || schema === null) return schema as unknown as object
  const copy: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(schema))
    copy[key] =
      key === 'properties'
        ? Object.fromEntries(Object.entries(value as object).map(([name, field]) => [name, closed(field)]))
        : typeof value === 'object'
          ? closed(value)
          : value
  const open =
    copy['x-kubernetes-preserve-unknown-fields'] === true || copy.additionalProperties !== undefined
  const isRoot = 'properties' in copy && 'apiVersion' in (copy.properties as object)
  if ('properties' in copy && !open && !isRoot) copy.additionalProperties = false
  if (isRoot) (copy.properties as Record<string, unknown>).metadata = { type: 'object' }
  return copy
}
