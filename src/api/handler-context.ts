import type { Logger } from 'pino'
import type { Id } from '../fleet/ids.ts'
import type { Actor, RequestContext } from '../fleet/transaction.ts'
import type { HandlerContext, Parts } from './context.ts'
import { decodeLenient, decodeStrict } from './decode.ts'
import type { Role, Route } from './routes.ts'
import { planChange, submitChange } from './submit.ts'

export interface Incoming {
  readonly route: Route
  readonly params: ReadonlyMap<string, string>
  readonly query: URLSearchParams
  readonly headers: HandlerContext['headers']
  readonly bytes: Uint8Array
  readonly dryRun: boolean
  readonly role: Role
  readonly actor: Actor
  readonly request: RequestContext
  readonly log: Logger
  /** Told the JSON pointers of keys that nothing takes. */
  readonly onUnknownKeys: (pointers: readonly string[]) => void
}

export function createHandlerContext(parts: Parts, incoming: Incoming): HandlerContext {
  const { route, params, bytes, request, log, dryRun } = incoming
  const submission = { request, role: incoming.role, wire: route.wire }
  function param(name: string): string {
    const value = params.get(name)
    if (value === undefined) throw new RangeError(`${route.path} has no parameter ${name}`)
    return value
  }
  return {
    requestId: request.requestId,
    actor: incoming.actor,
    role: incoming.role,
    now: request.now,
    query: incoming.query,
    headers: incoming.headers,
    bytes,
    log,
    dryRun,
    request,
    param,
    // The router lets only 26 letters and digits through; whether there is such an object is for the handler to see.
    id: (name = 'id') => param(name) as Id,
    decode(shape) {
      if (!route.wire) return decodeStrict(shape, bytes)
      const { value, unknown } = decodeLenient(shape, bytes)
      if (unknown.length > 0) incoming.onUnknownKeys(unknown)
      return value
    },
    submit: (change) => (dryRun ? planChange : submitChange)(parts, change, submission),
  }
}
