/**
 * A server that is as an OpenAPI description says: a request that the description does not know, and an answer that it does not
 * allow, is written down as a violation and answered with 500.
 */
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import { Ajv, type ValidateFunction } from 'ajv'

export interface ApiDescription {
  /** Where it comes from. */
  readonly source: string
  readonly operations: readonly {
    readonly method: string
    readonly path: string
    readonly parameters: readonly {
      readonly name: string
      readonly in: string
      readonly required: boolean
      readonly schema: unknown
    }[]
    readonly body?: unknown
    readonly answers: Readonly<Record<string, unknown>>
  }[]
  readonly schemas: Readonly<Record<string, unknown>>
}

type Operation = ApiDescription['operations'][number]

export interface Call {
  /** `GET /repos/{owner}/{repo}` */
  readonly operation: string
  readonly path: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  readonly body: Readonly<Record<string, unknown>>
  readonly headers: IncomingHttpHeaders
}

export interface Answer {
  readonly status: number
  /** What the test knows of it; what else the description requires is made up. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

export interface DescribedApi {
  readonly url: string
  readonly violations: readonly string[]
  /** Operations in the order of their arrival. */
  readonly calls: readonly Call[]
  close(): Promise<void>
}

export interface DescribedApiOptions {
  readonly description: ApiDescription
  /** Before every path, for example `/api/v3`. */
  readonly prefix: string
  readonly handlers: Readonly<Record<string, (call: Call) => Answer | Promise<Answer>>>
  /** Answers in place of the handler when it gives an answer: logins, faults. */
  readonly first: (call: Call) => Answer | undefined
  /** What is not of the API. */
  readonly others?: (request: IncomingMessage, response: ServerResponse) => void
}

export async function startDescribedApi(options: DescribedApiOptions): Promise<DescribedApi> {
  const checks = createChecks(options.description)
  const violations: string[] = []
  const calls: Call[] = []
  async function answerTo(request: IncomingMessage): Promise<Answer> {
    const url = new URL(request.url ?? '/', 'http://stand-in')
    const asked = `${request.method} ${url.pathname}`
    const found = operationOf(options, request.method ?? '', url.pathname)
    if (found === undefined) throw new Error(`${asked} is not described`)
    const { index, operation, path } = found
    const text = await textOf(request)
    const body: unknown = text === '' ? undefined : JSON.parse(text)
    checks.request(index, { path, query: url.searchParams, body })
    const name = `${operation.method} ${operation.path}`
    const call: Call = {
      ...{ operation: name, path, query: url.searchParams, headers: request.headers },
      body: typeof body === 'object' && body !== null ? { ...body } : {},
    }
    calls.push(call)
    const handler = options.handlers[name]
    if (handler === undefined) throw new Error(`${name} is not played`)
    const answer = options.first(call) ?? (await handler(call))
    return checks.answer(index, answer)
  }
  const server = createServer(async (request, response) => {
    if (options.others !== undefined && !request.url?.startsWith(`${options.prefix}/`)) {
      options.others(request, response)
      return
    }
    let answer: Answer
    try {
      answer = await answerTo(request)
    } catch (error) {
      violations.push(String(error))
      answer = { status: 500, body: { message: String(error) } }
    }
    response.writeHead(answer.status, {
      'content-type': 'application/json; charset=utf-8',
      ...answer.headers,
    })
    response.end(answer.body === undefined ? '' : JSON.stringify(answer.body))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  return {
    url: `http://127.0.0.1:${port}`,
    violations,
    calls,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function operationOf(
  { description, prefix }: DescribedApiOptions,
  method: string,
  pathname: string,
): { index: number; operation: Operation; path: Record<string, string> } | undefined {
  if (!pathname.startsWith(`${prefix}/`)) return undefined
  const asked = pathname.slice(prefix.length).split('/')
  for (const [index, operation] of description.operations.entries()) {
    const parts = operation.path.split('/')
    const path: Record<string, string> = {}
    const fits = parts.every((part, at) => {
      const value = asked[at]
      if (!part.startsWith('{')) return part === value
      if (value === undefined || value === '') return false
      path[part.slice(1, -1)] = decodeURIComponent(value)
      return true
    })
    if (operation.method === method && asked.length === parts.length && fits)
      return { index, operation, path }
  }
  return undefined
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}

interface Asked {
  readonly path: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  readonly body: unknown
}

function createChecks(description: ApiDescription): {
  request(index: number, asked: Asked): void
  answer(index: number, answer: Answer): Answer
} {
  const ajv = new Ajv({ strict: false, validateFormats: false })
  // Parameters are texts on their way.
  const coercing = new Ajv({ strict: false, validateFormats: false, coerceTypes: true })
  for (const one of [ajv, coercing]) one.addSchema(description, 'api')
  const compiled = new Map<string, ValidateFunction>()
  function check(by: Ajv, pointer: string, value: unknown, what: string): void {
    const key = `${by === ajv}${pointer}`
    const validate = compiled.get(key) ?? by.compile({ $ref: `api#${pointer}` })
    compiled.set(key, validate)
    if (!validate(value)) throw new Error(`${what}: ${by.errorsText(validate.errors)}`)
  }
  return {
    request(index, { path, query, body }) {
      const operation = description.operations[index]
      if (operation === undefined) throw new Error('no such operation')
      const name = `${operation.method} ${operation.path}`
      const names = new Set<string>()
      for (const [at, parameter] of operation.parameters.entries()) {
        if (parameter.in !== 'path' && parameter.in !== 'query') continue
        names.add(parameter.name)
        const values = parameter.in === 'path' ? [path[parameter.name]] : query.getAll(parameter.name)
        if (parameter.required && values.length === 0)
          throw new Error(`${name}: ${parameter.name} is missing`)
        for (const value of values)
          check(coercing, `/operations/${index}/parameters/${at}/schema`, value, `${name}, ${parameter.name}`)
      }
      for (const key of query.keys())
        if (!names.has(key.replace(/\[\]$/, ''))) throw new Error(`${name}: there is no parameter ${key}`)
      if (body === undefined) return
      if (operation.body === undefined) {
        // Clients send an empty object along.
        if (JSON.stringify(body) !== '{}') throw new Error(`${name} takes no body`)
        return
      }
      check(ajv, `/operations/${index}/body`, body, `${name}, body`)
      unknownFields(description, operation.body, body, `${name}, body`)
    },
    answer(index, answer) {
      const operation = description.operations[index]
      const schema = operation?.answers[String(answer.status)]
      // What every call may be answered (401, 429, …) is described nowhere.
      if ((schema ?? null) === null && answer.status >= 300) return answer
      const name = `${operation?.method} ${operation?.path}, ${answer.status}`
      if (schema === undefined) throw new Error(`${name} is not described`)
      if (schema === null)
        return { status: answer.status, ...(answer.headers && { headers: answer.headers }) }
      const body = filled(description, schema, answer.body)
      check(ajv, `/operations/${index}/answers/${answer.status}`, body, name)
      return { ...answer, body }
    },
  }
}

type Schema = Readonly<Record<string, unknown>>

function resolved(description: ApiDescription, schema: unknown): Schema {
  const found: Schema = typeof schema === 'object' && schema !== null ? { ...schema } : {}
  const reference = found.$ref
  if (typeof reference !== 'string') return found
  return resolved(description, description.schemas[reference.slice('#/schemas/'.length)])
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {}
}

function unknownFields(description: ApiDescription, schema: unknown, value: unknown, where: string): void {
  const { properties, items, additionalProperties } = resolved(description, schema)
  if (Array.isArray(value)) for (const entry of value) unknownFields(description, items, entry, where)
  if (properties === undefined || additionalProperties !== undefined) return
  const known = recordOf(properties)
  for (const [name, entry] of Object.entries(recordOf(value))) {
    if (!Object.hasOwn(known, name)) throw new Error(`${where}: there is no field ${name}`)
    unknownFields(description, known[name], entry, `${where}, ${name}`)
  }
}

/** What a schema requires, made up, with what is given in its place. */
function filled(description: ApiDescription, schema: unknown, given: unknown): unknown {
  if (Array.isArray(given)) {
    const { items } = resolved(description, schema)
    return given.map((entry) => filled(description, items, entry))
  }
  const isObject = typeof given === 'object' && given !== null
  if (given !== undefined && !isObject) return given
  const options = optionsOf(description, schema)
  const fitting = isObject ? options.find((option) => option.type === 'object') : options.at(-1)
  const option = fitting ?? options[0] ?? {}
  if (option.type !== 'object' && option.properties === undefined) return given ?? madeUp(option)
  const properties = recordOf(option.properties)
  const values = recordOf(given)
  const required = Array.isArray(option.required) ? option.required.map(String) : []
  const names = new Set([...required, ...Object.keys(values)])
  return Object.fromEntries(
    [...names].map((name) => [name, filled(description, properties[name], values[name])]),
  )
}

/** Schemas it may be one of; null comes last. */
function optionsOf(description: ApiDescription, schema: unknown): readonly Schema[] {
  const found = resolved(description, schema)
  const parts = found.allOf
  if (Array.isArray(parts)) {
    const all = parts.flatMap((part) => optionsOf(description, part).slice(0, 1))
    return [
      {
        type: 'object',
        properties: Object.assign({}, ...all.map((part) => part.properties)),
        required: all.flatMap((part) => part.required ?? []),
      },
    ]
  }
  const choices = found.anyOf ?? found.oneOf
  return Array.isArray(choices) ? choices.flatMap((choice) => optionsOf(description, choice)) : [found]
}

function madeUp({ type, enum: values, format }: Schema): unknown {
  if (Array.isArray(values)) return values[0]
  if (type === 'string') {
    if (format === 'date-time') return '2026-01-02T03:04:05Z'
    return format === 'uri' ? 'https://forge.invalid/' : 'made-up'
  }
  if (type === 'integer' || type === 'number') return 1
  if (type === 'boolean') return false
  if (type === 'array') return []
  return null
}
