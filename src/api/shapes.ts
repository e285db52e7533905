/**
 * Shapes describe JSON bodies: one description gives typed values, errors by JSON pointer and the schema in the OpenAPI
 * document. Decoding follows Go's encoding/json, which the original's clients were written against.
 */
import type { ErrorDetail } from '../fleet/errors.ts'
import type { JsonObject, JsonValue } from '../fleet/intents.ts'

/** Collects what was found on the way through one body. */
export interface Findings {
  readonly errors: ErrorDetail[]
  /** JSON pointers of keys that no field takes. */
  readonly unknown: { readonly pointer: string; readonly key: string; readonly fields: readonly string[] }[]
}

export interface Shape<Value> {
  /** Reads a value that is neither absent nor null. Undefined after an error, which is in the findings then. */
  read(value: JsonValue, pointer: string, findings: Findings): Value | undefined
  /** What Go makes of `null` inside a list or map. */
  readonly zero: Value
  readonly schema: JsonObject
}

export type Decoded<S> = S extends Shape<infer Value> ? Value : never
type Fields = Readonly<Record<string, Shape<unknown>>>
export type DecodedFields<F extends Fields> = { readonly [Name in keyof F]?: Decoded<F[Name]> }

export function text(description?: string): Shape<string> {
  return scalar('a string', (value) => (typeof value === 'string' ? value : undefined), '', {
    type: 'string',
    ...describe(description),
  })
}

export function flag(description?: string): Shape<boolean> {
  return scalar('true or false', (value) => (typeof value === 'boolean' ? value : undefined), false, {
    type: 'boolean',
    ...describe(description),
  })
}

/** Whole numbers that JavaScript holds exactly. */
export function integer(description?: string): Shape<number> {
  return scalar('a whole number', (value) => (Number.isSafeInteger(value) ? Number(value) : undefined), 0, {
    type: 'integer',
    ...describe(description),
  })
}

/** Bytes as Go writes them: base64 with padding. */
export function base64(description?: string): Shape<Uint8Array> {
  return scalar(
    'base64 text',
    (value) => (typeof value === 'string' ? bytesOf(value) : undefined),
    new Uint8Array(),
    {
      type: 'string',
      contentEncoding: 'base64',
      ...describe(description),
    },
  )
}

/** Any JSON object, as it came. */
export function anyObject(description?: string): Shape<JsonObject> {
  return scalar(
    'an object',
    (value) => (isObject(value) ? value : undefined),
    {},
    {
      type: 'object',
      ...describe(description),
    },
  )
}

export function list<Value>(item: Shape<Value>, description?: string): Shape<readonly Value[]> {
  return {
    zero: [],
    schema: { type: ['array', 'null'], items: item.schema, ...describe(description) },
    read(value, pointer, findings) {
      if (!Array.isArray(value)) return wrong(findings, pointer, 'a list', value)
      const items = value.map((entry: JsonValue, index) =>
        readOrZero(item, entry, `${pointer}/${index}`, findings),
      )
      return items.filter((entry) => entry !== undefined)
    },
  }
}

/** An object with any keys. */
export function map<Value>(item: Shape<Value>, description?: string): Shape<Readonly<Record<string, Value>>> {
  return {
    zero: {},
    schema: { type: ['object', 'null'], additionalProperties: item.schema, ...describe(description) },
    read(value, pointer, findings) {
      if (!isObject(value)) return wrong(findings, pointer, 'an object', value)
      const entries: [string, Value][] = []
      for (const [key, entry] of Object.entries(value)) {
        const read = readOrZero(item, entry, `${pointer}/${escapePointer(key)}`, findings)
        if (read !== undefined) entries.push([key, read])
      }
      return Object.fromEntries(entries)
    },
  }
}

/**
 * An object with known fields. Keys match exactly or, failing that, without regard to case; absent and null fields are
 * undefined; two keys for one field are an error.
 */
export function object<F extends Fields>(fields: F, description?: string): Shape<DecodedFields<F>> {
  const byFold = new Map(Object.keys(fields).map((name) => [name.toLowerCase(), name]))
  const properties = Object.fromEntries(
    Object.entries(fields).map(([name, field]) => [name, nullable(field.schema)]),
  )
  return {
    zero: {},
    schema: { type: 'object', properties, ...describe(description) },
    read(value, pointer, findings) {
      if (!isObject(value)) return wrong(findings, pointer, 'an object', value)
      const result: Record<string, unknown> = {}
      const seen = new Map<string, string>()
      for (const [key, entry] of Object.entries(value)) {
        const name = Object.hasOwn(fields, key) ? key : byFold.get(key.toLowerCase())
        const field = name === undefined ? undefined : fields[name]
        const here = `${pointer}/${escapePointer(key)}`
        if (name === undefined || field === undefined) {
          findings.unknown.push({ pointer: here, key, fields: Object.keys(fields) })
          continue
        }
        const earlier = seen.get(name)
        if (earlier !== undefined)
          findings.errors.push({ pointer: here, detail: `is given twice, as ${earlier} and ${key}` })
        seen.set(name, key)
        if (entry !== null) result[name] = field.read(entry, here, findings)
      }
      // The loop above fills `result` by the shapes of `fields`, which TypeScript cannot follow through a loop.
      return result as DecodedFields<F>
    },
  }
}

export function escapePointer(key: string): string {
  return /[~/]/.test(key) ? key.replaceAll('~', '~0').replaceAll('/', '~1') : key
}

function scalar<Value>(
  expected: string,
  take: (value: JsonValue) => Value | undefined,
  zero: Value,
  schema: JsonObject,
): Shape<Value> {
  return {
    zero,
    schema,
    read(value, pointer, findings) {
      return take(value) ?? wrong(findings, pointer, expected, value)
    },
  }
}

function readOrZero<Value>(
  shape: Shape<Value>,
  value: JsonValue,
  pointer: string,
  findings: Findings,
): Value | undefined {
  return value === null ? shape.zero : shape.read(value, pointer, findings)
}

/** Names the kind of what came, never the value: it may be a secret. */
function wrong(findings: Findings, pointer: string, expected: string, value: JsonValue): undefined {
  findings.errors.push({ pointer, detail: `must be ${expected}, not ${kindOf(value)}` })
  return undefined
}

function kindOf(value: JsonValue): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'number') return Number.isInteger(value) ? 'a number' : 'a fraction'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function bytesOf(value: string): Uint8Array | undefined {
  const bytes = Buffer.from(value, 'base64')
  return bytes.toString('base64') === value.replaceAll(/[\r\n]/g, '') ? bytes : undefined
}

function describe(description: string | undefined): { readonly description?: string } {
  return description === undefined ? {} : { description }
}

function nullable(schema: JsonObject): JsonObject {
  return typeof schema.type === 'string' ? { ...schema, type: [schema.type, 'null'] } : schema
}
