/** The OpenAPI 3.1 document of a route table. */
import { ERRORS } from '../fleet/errors.ts'
import type { JsonObject } from '../fleet/intents.ts'
import { isIdName } from './router.ts'
import { hasDryRun, type ResponseDescription, type Route } from './routes.ts'
import { WIRE_SCHEMAS } from './views/schemas.ts'

export function openApiDocument(routes: readonly Route[], version: string): JsonObject {
  const paths: Record<string, Record<string, JsonObject>> = {}
  for (const route of routes) {
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operationOf(route) }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Fleetwright',
      version,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      description:
        'Provisioning requests become commits of the fleet repository. Every failure is a problem document.',
    },
    servers: [{ url: '/' }],
    security: [{ bearer: [] }, { basic: [] }],
    paths,
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer' },
        basic: { type: 'http', scheme: 'basic', description: 'Any user name; the token is the password' },
      },
      schemas: { ...WIRE_SCHEMAS, Problem: PROBLEM_SCHEMA, Plan: PLAN_SCHEMA },
      responses: {
        Problem: {
          description: 'What went wrong',
          content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
        },
      },
    },
  }
}

function operationOf(route: Route): JsonObject {
  const parameters = [...pathParameters(route), ...queryParameters(route), ...headerParameters(route)]
  return {
    operationId: route.operationId,
    summary: route.summary,
    tags: [route.wire ? 'provisioning' : 'fleetwright'],
    'x-role': route.role,
    ...(route.openOnLoopback ? { security: [{}, { bearer: [] }, { basic: [] }] } : {}),
    ...(route.signed ? { security: [] } : {}),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(route.request
      ? {
          requestBody: {
            required: !route.wire,
            content: { 'application/json': { schema: route.request.schema } },
          },
        }
      : {}),
    responses: responsesOf(route),
  }
}

function pathParameters({ path }: Route): readonly JsonObject[] {
  return [...path.matchAll(/\{([^}]+)\}/g)].map(([, name = '']) => {
    const schema: JsonObject = isIdName(name)
      ? { type: 'string', pattern: '^[A-Za-z0-9]{26}$' }
      : { type: 'string', minLength: 1 }
    return { name, in: 'path', required: true, schema }
  })
}

function queryParameters({ query = {}, method, dryRun }: Route): readonly JsonObject[] {
  const own = Object.entries(query).map(([name, { description, schema }]) => ({
    name,
    in: 'query',
    description,
    schema,
  }))
  if (!hasDryRun({ method, dryRun })) return own
  const description = 'Answer with the plan (placement and why, files, diff) and change nothing'
  return [...own, { name: 'dry_run', in: 'query', description, schema: { type: 'boolean', default: false } }]
}

function headerParameters({ replay }: Route): readonly JsonObject[] {
  if (replay === undefined) return []
  const description = 'The same key with the same request answers as the first time'
  return [{ name: 'Idempotency-Key', in: 'header', description, schema: { type: 'string', maxLength: 200 } }]
}

function responsesOf(route: Route): JsonObject {
  const own = Object.entries(route.responses).map(
    ([status, response]) => [status, responseOf(response)] as const,
  )
  return {
    ...Object.fromEntries(own),
    ...(hasDryRun(route) ? { 200: withPlan(route.responses[200]) } : {}),
    default: { $ref: '#/components/responses/Problem' },
  }
}

/** A change answers 200 to a dry run, whatever it answers otherwise. */
function withPlan(own: ResponseDescription | undefined): JsonObject {
  const plan = { $ref: '#/components/schemas/Plan' }
  if (own === undefined) return jsonResponse('The plan, with `dry_run`', plan)
  const body = own.schema === null ? ', without a body' : ''
  const description = `${own.description}${body}; with \`dry_run\` the plan`
  return jsonResponse(description, own.schema ? { anyOf: [own.schema, plan] } : plan)
}

function responseOf({ description, schema, mediaType }: ResponseDescription): JsonObject {
  if (mediaType !== undefined)
    return { description, content: { [mediaType]: { schema: { type: 'string' } } } }
  return schema === null ? { description } : jsonResponse(description, schema ?? {})
}

function jsonResponse(description: string, schema: JsonObject): JsonObject {
  return { description, content: { 'application/json': { schema } } }
}

const PROBLEM_SCHEMA: JsonObject = {
  type: 'object',
  description: 'RFC 9457',
  required: ['type', 'title', 'status', 'detail', 'code', 'instance'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    code: { type: 'string', enum: Object.keys(ERRORS) },
    instance: { type: 'string', description: 'Id of the request, which is in the log too' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        required: ['pointer', 'detail'],
        properties: { pointer: { type: 'string', description: 'JSON pointer' }, detail: { type: 'string' } },
      },
    },
  },
}

const PLAN_SCHEMA: JsonObject = {
  type: 'object',
  required: ['dryRun', 'subject', 'files', 'diff', 'base'],
  properties: {
    dryRun: { const: true },
    subject: { type: 'string' },
    body: { type: 'string' },
    placement: { description: 'Where it would be placed, and why' },
    files: {
      type: 'array',
      items: {
        type: 'object',
        properties: { path: { type: 'string' }, change: { enum: ['added', 'changed', 'removed'] } },
      },
    },
    diff: { type: 'string' },
    base: { type: 'string', description: 'Commit that it was planned on' },
  },
}
