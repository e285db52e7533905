/**
 * Takes what the adapters of forges use out of the forge's published OpenAPI description (3.0), so that stand-ins in tests can
 * check requests and answers against it: `test/forge/descriptions/‹forge›.json`. Schemas become plain JSON Schema; texts,
 * examples and operations of no use are left out.
 *
 *   npm pack @octokit/openapi && tar xzf octokit-openapi-*.tgz package/generated/api.github.com.json
 *   node scripts/forge-descriptions.ts github package/generated/api.github.com.json
 *
 * GitLab publishes its description in its repository only (doc/api/openapi/openapi_v3.yaml), with bodies and answers that have
 * almost no required fields; gitlab.json was written by hand after it and the documentation of the REST API.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const GITHUB = [
  'GET /app',
  'POST /app/installations/{installation_id}/access_tokens',
  'GET /user',
  'GET /orgs/{org}/teams/{team_slug}/members',
  'GET /repos/{owner}/{repo}',
  'GET /repos/{owner}/{repo}/branches/{branch}',
  'GET /repos/{owner}/{repo}/branches/{branch}/protection',
  'GET /repos/{owner}/{repo}/rules/branches/{branch}',
  'GET /repos/{owner}/{repo}/rulesets/{ruleset_id}',
  'GET /repos/{owner}/{repo}/collaborators/{username}/permission',
  'DELETE /repos/{owner}/{repo}/git/refs/{ref}',
  'GET /repos/{owner}/{repo}/commits/{ref}/check-runs',
  'GET /repos/{owner}/{repo}/commits/{ref}/statuses',
  'POST /repos/{owner}/{repo}/check-runs',
  'PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}',
  'POST /repos/{owner}/{repo}/statuses/{sha}',
  'GET /repos/{owner}/{repo}/pulls',
  'POST /repos/{owner}/{repo}/pulls',
  'GET /repos/{owner}/{repo}/pulls/{pull_number}',
  'PATCH /repos/{owner}/{repo}/pulls/{pull_number}',
  'PUT /repos/{owner}/{repo}/pulls/{pull_number}/merge',
  'GET /repos/{owner}/{repo}/pulls/{pull_number}/files',
  'GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews',
  'POST /repos/{owner}/{repo}/pulls/{pull_number}/reviews',
  'PUT /repos/{owner}/{repo}/pulls/{pull_number}/reviews/{review_id}',
  'GET /repos/{owner}/{repo}/pulls/{pull_number}/comments',
  'DELETE /repos/{owner}/{repo}/pulls/comments/{comment_id}',
  'GET /repos/{owner}/{repo}/issues/{issue_number}/comments',
  'POST /repos/{owner}/{repo}/issues/{issue_number}/comments',
  'PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}',
] as const

const OPERATIONS: Readonly<Record<string, readonly string[]>> = { github: GITHUB }

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }
type JsonObject = { readonly [key: string]: Json }

/** Words for people, and what JSON Schema does not know. */
const LEFT_OUT = new Set([
  'description',
  'summary',
  'title',
  'example',
  'examples',
  'externalDocs',
  'deprecated',
  'xml',
  'discriminator',
  'readOnly',
  'writeOnly',
])

/** @param document a whole description */
function trim(document: JsonObject, operations: readonly string[]): JsonObject {
  const schemas = new Map<string, Json>()
  function schemaOf(node: Json): Json {
    if (Array.isArray(node)) return node.map(schemaOf)
    if (typeof node !== 'object' || node === null) return node
    const reference = Reflect.get(node, '$ref')
    if (typeof reference === 'string') return { $ref: `#/schemas/${keep(reference)}` }
    const { nullable, ...rest } = node as JsonObject
    const kept = Object.fromEntries(
      Object.entries(rest).flatMap(([key, value]) => {
        if (LEFT_OUT.has(key) || key.startsWith('x-')) return []
        // Names of properties are no keywords.
        if (key === 'properties') return [[key, mapValues(objectOf(value), schemaOf)]]
        return [[key, key === 'enum' || key === 'default' || key === 'required' ? value : schemaOf(value)]]
      }),
    )
    return nullable === true ? { anyOf: [kept, { type: 'null' }] } : kept
  }
  function keep(reference: string): string {
    const name = reference.split('/').at(-1) ?? ''
    if (!schemas.has(name)) {
      // First, so that one that refers to itself ends.
      schemas.set(name, null)
      schemas.set(name, schemaOf(resolve(document, reference)))
    }
    return name
  }
  const kept = operations.map((name) => operationOf(document, name, schemaOf))
  return {
    source: `${textOf(objectOf(document.info).title)}, version ${textOf(objectOf(document.info).version)}`,
    operations: kept,
    schemas: Object.fromEntries([...schemas].toSorted(([one], [other]) => (one < other ? -1 : 1))),
  }
}

function operationOf(document: JsonObject, name: string, schemaOf: (node: Json) => Json): JsonObject {
  const [method = '', path = ''] = name.split(' ')
  const item = objectOf(objectOf(document.paths)[path])
  const operation = objectOf(item[method.toLowerCase()])
  const parameters = [...listOf(item.parameters ?? []), ...listOf(operation.parameters ?? [])].map(
    (entry) => {
      const parameter = dereferenced(document, entry)
      return {
        name: parameter.name ?? null,
        in: parameter.in ?? null,
        required: parameter.required ?? false,
        schema: schemaOf(parameter.schema ?? {}),
      }
    },
  )
  const body = operation.requestBody
  return {
    method,
    path,
    parameters,
    ...(body === undefined ? {} : { body: schemaOf(contentOf(dereferenced(document, body)) ?? {}) }),
    answers: mapValues(objectOf(operation.responses), (answer) => {
      const content = contentOf(dereferenced(document, answer))
      return content === undefined ? null : schemaOf(content)
    }),
  }
}

/** Schema of the JSON in it. */
function contentOf(holder: JsonObject): Json | undefined {
  const media = objectOf(holder.content ?? {})['application/json']
  return media === undefined ? undefined : objectOf(media).schema
}

function dereferenced(document: JsonObject, node: Json): JsonObject {
  const reference = objectOf(node).$ref
  return typeof reference === 'string' ? objectOf(resolve(document, reference)) : objectOf(node)
}

function resolve(document: JsonObject, reference: string): Json {
  return reference
    .slice('#/'.length)
    .split('/')
    .reduce<Json>(
      (node, key) => objectOf(node)[key.replaceAll('~1', '/').replaceAll('~0', '~')] ?? null,
      document,
    )
}

function mapValues(object: JsonObject, change: (value: Json) => Json): JsonObject {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]))
}

function objectOf(node: Json | undefined): JsonObject {
  if (typeof node === 'object' && node !== null && !Array.isArray(node)) return node as JsonObject
  throw new TypeError(`expected an object, found ${JSON.stringify(node)?.slice(0, 80)}`)
}

function listOf(node: Json): readonly Json[] {
  if (Array.isArray(node)) return node
  throw new TypeError('expected a list')
}

function textOf(node: Json | undefined): string {
  return typeof node === 'string' ? node : ''
}

const [forge = '', file = ''] = process.argv.slice(2)
const operations = OPERATIONS[forge]
if (operations === undefined || file === '')
  throw new Error(`give a forge (${Object.keys(OPERATIONS).join(', ')}) and the file of its description`)
const text = readFileSync(file, 'utf8')
const document = objectOf(JSON.parse(text))
const target = join(import.meta.dirname, `../test/forge/descriptions/${forge}.json`)
writeFileSync(target, `${JSON.stringify(trim(document, operations), null, 1)}\n`)
