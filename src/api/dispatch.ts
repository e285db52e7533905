/** From a matched route to its answer: the body, dry run, idempotency, the handler. */
import type { IncomingMessage } from 'node:http'
import type { Logger } from 'pino'
import { FleetError } from '../fleet/errors.ts'
import { nearest } from '../fleet/nearest.ts'
import type { RequestContext } from '../fleet/transaction.ts'
import type { TokenIdentity } from '../ports/tokens.ts'
import type { EarlierRequest } from '../ports/writer.ts'
import { actorOf } from './auth.ts'
import { readBody } from './body.ts'
import type { Parts } from './context.ts'
import { requestDigest } from './digest.ts'
import { createHandlerContext } from './handler-context.ts'
import type { HttpMetrics } from './http-metrics.ts'
import { type IdempotentRequests, readIdempotencyKey } from './idempotency.ts'
import { readBoolean } from './query.ts'
import type { Match } from './router.ts'
import { type Answer, hasDryRun, type Route } from './routes.ts'

const BODY_LIMIT = 1024 * 1024

export interface Dispatcher {
  readonly parts: Parts
  readonly requests: IdempotentRequests
  readonly metrics: HttpMetrics
}

export interface Arrival {
  readonly incoming: IncomingMessage
  readonly identity: TokenIdentity
  readonly path: string
  readonly query: URLSearchParams
  readonly requestId: string
  readonly now: number
  readonly log: Logger
}

/** @throws FleetError the refusal */
export async function dispatch(
  dispatcher: Dispatcher,
  { route, params }: Match,
  arrival: Arrival,
): Promise<Answer> {
  const { parts } = dispatcher
  const { incoming, identity, query, log } = arrival
  if (!route.wire) checkStrictly(route, incoming, query)
  const bytes = await readBody(incoming, parts.options.bodyLimit ?? BODY_LIMIT)
  const dryRun = hasDryRun(route) && readBoolean(query, 'dry_run', false)
  const actor = actorOf(identity, parts.options.emails ?? {})
  const request: RequestContext = { requestId: arrival.requestId, actor, now: arrival.now }
  const keyed = route.method === 'POST' && !dryRun ? keyedRequest(route, arrival, bytes, request) : request
  const unknown: string[] = []
  const context = createHandlerContext(parts, {
    route,
    params,
    query,
    headers: headersOf(incoming),
    bytes,
    dryRun,
    role: identity.role,
    actor,
    request: keyed,
    log,
    onUnknownKeys: (pointers) => unknown.push(...pointers),
  })
  const answer = await carryOut(dispatcher, route, keyed, {
    work: () => route.handler(context),
    replay: (earlier) => route.replay?.(context, earlier),
  })
  if (unknown.length === 0) return answer
  log.warn({ keys: unknown }, 'unknown keys in the body')
  dispatcher.metrics.unknownKeys(route.operationId, unknown.length)
  return { ...answer, headers: { ...answer.headers, Warning: warningOf(unknown) } }
}

/** A header that came more than once is one text. */
function headersOf({ headers }: IncomingMessage): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]),
  )
}

/** Own routes take nothing they do not know. @throws FleetError `invalid-request`, `unsupported-media-type` */
function checkStrictly(route: Route, incoming: IncomingMessage, query: URLSearchParams): void {
  const known = [...Object.keys(route.query ?? {}), ...(hasDryRun(route) ? ['dry_run'] : [])]
  for (const name of query.keys()) {
    if (known.includes(name)) continue
    const near = nearest(name, known)
    const detail = `is not known${near === undefined ? '' : `; did you mean ${near}?`}`
    throw new FleetError('invalid-request', `The query parameter ${name} ${detail}`, {
      errors: [{ pointer: `/query/${name}`, detail }],
    })
  }
  const type = incoming.headers['content-type']?.split(';')[0]?.trim().toLowerCase()
  if (route.request && type !== 'application/json') {
    throw new FleetError(
      'unsupported-media-type',
      `The content type must be application/json, not ${type ?? 'absent'}.`,
    )
  }
}

/** @throws FleetError `invalid-request`, `invalid-json` */
function keyedRequest(
  route: Route,
  { incoming, path, query }: Arrival,
  body: Uint8Array,
  request: RequestContext,
): RequestContext {
  const header = incoming.headers['idempotency-key']
  const key = readIdempotencyKey(Array.isArray(header) ? header.join() : header)
  if (key === undefined) return request
  const digest = requestDigest({
    actor: request.actor.name,
    method: route.method,
    path,
    query,
    body,
    secretFields: route.secretFields ?? [],
  })
  return { ...request, idempotencyKey: key, requestDigest: digest }
}

interface Work {
  readonly work: () => Promise<Answer>
  readonly replay: (earlier: EarlierRequest) => Answer | undefined
}

async function carryOut(
  { parts, requests }: Dispatcher,
  route: Route,
  request: RequestContext,
  work: Work,
): Promise<Answer> {
  const { idempotencyKey: key, requestDigest: digest } = request
  if (key === undefined || digest === undefined) return await work.work()
  if (!route.replay) {
    if (route.wire) return await work.work()
    throw new FleetError(
      'invalid-request',
      `${route.operationId} takes no Idempotency-Key; send it without one.`,
    )
  }
  return await requests.answer({
    key,
    digest,
    earlier: () => parts.writer.findByIdempotencyKey(key),
    ...work,
  })
}

/** Header text is ASCII; a long list would not fit. */
function warningOf(pointers: readonly string[]): string {
  const shown = pointers
    .slice(0, 10)
    .map((pointer) => pointer.replaceAll(/[^\x20-\x7e]|["\\]/g, '?').slice(0, 100))
  const more = pointers.length > shown.length ? ` and ${pointers.length - shown.length} more` : ''
  return `299 - "unknown key ${shown.join(', ')}${more}"`
}
