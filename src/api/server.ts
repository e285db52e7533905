/** The HTTP server: one Koa app over the route table. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import Koa from 'koa'
import type { Logger } from 'pino'
import { FleetError } from '../fleet/errors.ts'
import { admit } from './auth.ts'
import type { Parts } from './context.ts'
import { type Dispatcher, dispatch } from './dispatch.ts'
import { createHttpMetrics } from './http-metrics.ts'
import { IdempotentRequests } from './idempotency.ts'
import { answerError } from './problem.ts'
import { requestIdOf } from './request-id.ts'
import { createRouter, type Router } from './router.ts'
import type { Answer } from './routes.ts'
import { routeTable } from './table.ts'

const HEADERS_TIMEOUT = 15_000
const REQUEST_TIMEOUT = 60_000
const GRACE = 10_000
const GIT_MOUNT = '/fleet.git'
/** Fleetwright's own routes; all others are the original's. */
const OWN = '/api/fleet/'

/** As the original's router answers what it does not know. */
const PAGE_NOT_FOUND: Answer = {
  status: 404,
  text: '404 page not found\n',
  headers: { 'Content-Type': 'text/plain; charset=utf-8', 'X-Content-Type-Options': 'nosniff' },
}

export interface ApiServer {
  readonly handler: (request: IncomingMessage, response: ServerResponse) => Promise<void>
  /** @param port 0: any free one */
  listen(address: {
    readonly host: string
    readonly port: number
  }): Promise<{ readonly url: string; readonly port: number }>
  /** Takes no more requests, finishes those under way within the grace period. */
  close(): Promise<void>
}

interface RequestState {
  requestId: string
  log: Logger
  operation: string
  actor: string | undefined
}

type Context = Koa.ParameterizedContext<RequestState>

export function createApiServer(parts: Parts): ApiServer {
  const app = new Koa<RequestState>()
  const metrics = createHttpMetrics(parts.registry)
  const dispatcher: Dispatcher = { parts, metrics, requests: new IdempotentRequests() }
  const router = createRouter(routeTable(parts))
  app.on('error', (error: unknown) => parts.logger.warn({ err: error }, 'could not send an answer'))
  app.use(async (ctx, next) => await observe(ctx, next, dispatcher))
  app.use(async (ctx) => {
    if (parts.gitHandler && ctx.path.startsWith(`${GIT_MOUNT}/`)) return await serveGit(ctx, parts)
    send(ctx, await answer(ctx, dispatcher, router))
  })
  const handler = app.callback()
  const server = createServer({ connectionsCheckingInterval: 1000 }, handler)
  server.headersTimeout = parts.options.headersTimeoutMilliseconds ?? HEADERS_TIMEOUT
  server.requestTimeout = parts.options.requestTimeoutMilliseconds ?? REQUEST_TIMEOUT
  return {
    handler,
    listen: ({ host, port }) => listen(server, host, port),
    close: () => close(server, parts),
  }
}

/** Around everything: request id, errors to problem documents, one line in the log, one observation. */
async function observe(
  ctx: Context,
  next: () => Promise<void>,
  { parts, metrics }: Dispatcher,
): Promise<void> {
  const started = parts.clock.monotonic()
  ctx.state.requestId = requestIdOf(ctx.get('X-Request-Id') || undefined, parts.randomness)
  ctx.state.log = parts.logger.child({ requestId: ctx.state.requestId })
  ctx.state.operation = 'unknown'
  try {
    await next()
  } catch (error) {
    send(ctx, answerError(error, ctx.state.requestId, ctx.state.log))
  }
  const milliseconds = parts.clock.monotonic() - started
  metrics.observe(ctx.state.operation, ctx.status, milliseconds / 1000)
  const commit = ctx.response.get('Fleetwright-Commit')
  ctx.state.log.info(
    {
      operation: ctx.state.operation,
      method: ctx.method,
      path: ctx.path,
      actor: ctx.state.actor,
      status: ctx.status,
      milliseconds: Math.round(milliseconds * 10) / 10,
      ...(commit ? { commit } : {}),
    },
    'request',
  )
}

async function answer(ctx: Context, dispatcher: Dispatcher, router: Router): Promise<Answer> {
  const match = router.match(ctx.method, ctx.path)
  if (!match) {
    if (!ctx.path.startsWith(OWN)) return PAGE_NOT_FOUND
    throw new FleetError(
      'not-found',
      `There is no ${ctx.method} ${JSON.stringify(ctx.path)}; /openapi.json lists every operation.`,
    )
  }
  ctx.state.operation = match.route.operationId
  const identity = admit(dispatcher.parts.tokens, match.route, ctx.req)
  ctx.state.actor = identity.name
  return await dispatch(dispatcher, match, {
    incoming: ctx.req,
    identity,
    path: ctx.path,
    query: new URLSearchParams(ctx.querystring),
    requestId: ctx.state.requestId,
    now: dispatcher.parts.clock.now(),
    log: ctx.state.log,
  })
}

/** git clients stream both ways, so the handler gets the bare request and response. */
async function serveGit(ctx: Context, parts: Parts): Promise<void> {
  ctx.state.operation = 'fleetGit'
  ctx.state.actor = admit(parts.tokens, { role: 'reader' }, ctx.req).name
  if (!parts.gitHandler) throw new FleetError('not-found', 'This server has no embedded fleet repository.')
  ctx.respond = false
  await parts.gitHandler(ctx.req, ctx.res, ctx.url.slice(GIT_MOUNT.length))
}

function send(ctx: Context, { status, json, text, headers }: Answer): void {
  if (json !== undefined) ctx.set('Content-Type', 'application/json')
  ctx.body = json === undefined ? (text ?? null) : JSON.stringify(json)
  if (headers) ctx.set({ ...headers })
  ctx.set('X-Request-Id', ctx.state.requestId)
  ctx.status = status
}

async function listen(
  server: Server,
  host: string,
  port: number,
): Promise<{ readonly url: string; readonly port: number }> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port }, () => {
      server.off('error', reject)
      resolve()
    })
  })
  const address = server.address() as AddressInfo
  return { url: `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`, port: address.port }
}

async function close(server: Server, { clock, options }: Parts): Promise<void> {
  if (!server.listening) return
  const done = new AbortController()
  const cutOff = clock.sleep(options.graceMilliseconds ?? GRACE, done.signal).then(
    () => server.closeAllConnections(),
    (error: unknown) => {
      if (!done.signal.aborted) throw error
    },
  )
  await new Promise<void>((resolve, reject) => server.close((error) => (error ? reject(error) : resolve())))
  done.abort()
  await cutOff
}
