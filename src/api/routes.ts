/** The shape of the route table: dispatch, authorisation, dry runs and the OpenAPI document all come from it. */
import type { JsonObject } from '../fleet/intents.ts'
import type { EarlierRequest } from '../ports/writer.ts'
import type { HandlerContext } from './context.ts'
import type { Shape } from './shapes.ts'

/** Each role may do what the ones before it may. */
export const ROLES = ['reader', 'writer', 'admin'] as const
export type Role = (typeof ROLES)[number]

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE'

/** What a handler gives back. `json` and `text` exclude each other; neither: no body. */
export interface Answer {
  readonly status: number
  readonly json?: unknown
  readonly text?: string
  readonly headers?: Readonly<Record<string, string>>
}

export interface Route {
  readonly method: Method
  /**
   * Segments in braces are parameters: `{id}` and names ending in `Id` take 26 letters or digits (anything else is a
   * path nobody knows), other names take any one segment.
   */
  readonly path: string
  /** Unique, lower camel case; also the name in metrics. */
  readonly operationId: string
  readonly summary: string
  readonly role: Role
  /** Of the original's API: lenient decoding, its status codes. Own routes are strict. */
  readonly wire: boolean
  /** Needs no token when the request comes from this machine itself (health and metrics). */
  readonly openOnLoopback?: boolean
  /** Is let in by what the request itself proves (a signature), which its handler checks; needs no token. */
  readonly signed?: true
  /** False: changes something outside the fleet repository, so there is no plan to show. */
  readonly dryRun?: false
  readonly query?: Readonly<Record<string, QueryParameter>>
  /** What the body holds; for the OpenAPI document. Handlers decode with `context.decode`. */
  readonly request?: Shape<unknown>
  /** By status, successes only: failures are problem documents everywhere. */
  readonly responses: Readonly<Record<number, ResponseDescription>>
  handler(context: HandlerContext): Promise<Answer>
  /**
   * POST routes that commit: the answer to a request that was carried out before under the same idempotency key,
   * built by reading the object that the commit's trailers name. Undefined: it is not there any more.
   */
  replay?(context: HandlerContext, earlier: EarlierRequest): Answer | undefined
  /**
   * Values of the body that must not enter the request's digest (it is kept in git): names joined by `.`, `*` for any,
   * without regard to case. For example `License`, `MattermostEnv.*.value`.
   */
  readonly secretFields?: readonly string[]
}

export interface QueryParameter {
  readonly description: string
  readonly schema: JsonObject
}

export interface ResponseDescription {
  readonly description: string
  /** JSON Schema 2020-12 of the body; absent: JSON of any kind, `null`: no body. */
  readonly schema?: JsonObject | null
  /** Of a body that is no JSON. */
  readonly mediaType?: string
}

/** Whether `?dry_run=true` answers with a plan. */
export function hasDryRun({ method, dryRun }: Pick<Route, 'method' | 'dryRun'>): boolean {
  return method !== 'GET' && dryRun !== false
}

/** An answer with a JSON body (`null` is a body). */
export function json(status: number, body: unknown): Answer {
  return { status, json: body }
}

/** An answer without a body. */
export function empty(status: number): Answer {
  return { status }
}
