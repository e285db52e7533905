/**
 * `fetch` for one forge: few kept-alive connections, time limits, bounded answers, no redirects, and no other place than the
 * forge's own API, so that a link in an answer cannot send the token elsewhere. It trusts what native git trusts.
 */
import * as http from 'node:http'
import * as https from 'node:https'
import { getCACertificates } from 'node:tls'
import { FleetError } from '../fleet/errors.ts'

export interface ForgeFetchLimits {
  readonly milliseconds: number
  readonly bytes: number
}

export interface ForgeFetch {
  readonly fetch: typeof fetch
  /** Ends what is under way; later calls fail. */
  stop(): void
}

const LIMITS: ForgeFetchLimits = { milliseconds: 30_000, bytes: 16 * 1024 * 1024 }
const MOST_CONNECTIONS = 4
/** Before the servers we know close an idle connection. */
const IDLE_MILLISECONDS = 15_000
/** Statuses whose answers have no body. */
const EMPTY = new Set([204, 205, 304])

/** @param api base URL of the forge's API */
export function createForgeFetch(api: string, limits: ForgeFetchLimits = LIMITS): ForgeFetch {
  const base = new URL(api)
  const agent = createAgent(base.protocol === 'https:')
  const stopped = new AbortController()
  return {
    async fetch(input, init) {
      const request = new Request(input, init)
      const url = new URL(request.url)
      if (!isWithin(base, url))
        throw new FleetError(
          'forge-unavailable',
          `The forge sends Fleetwright to ${url.origin}, which is not its API.`,
        )
      const body = Buffer.from(await request.arrayBuffer())
      try {
        return await exchange({ request, url, body, agent, limits, stopped: stopped.signal })
      } catch (error) {
        throw unreachable(error, base, stopped.signal.aborted)
      }
    },
    stop() {
      stopped.abort()
      agent.destroy()
    },
  }
}

function createAgent(secure: boolean): http.Agent {
  const options = {
    keepAlive: true,
    maxSockets: MOST_CONNECTIONS,
    timeout: IDLE_MILLISECONDS,
    proxyEnv: process.env,
  }
  if (!secure) return new http.Agent(options)
  return new https.Agent({
    ...options,
    ca: [...getCACertificates('default'), ...getCACertificates('system')],
  })
}

function isWithin(base: URL, url: URL): boolean {
  const folder = base.pathname.endsWith('/') ? base.pathname : `${base.pathname}/`
  return url.origin === base.origin && url.username === '' && url.pathname.startsWith(folder)
}

interface Exchange {
  readonly request: Request
  readonly url: URL
  readonly body: Buffer
  readonly agent: http.Agent
  readonly limits: ForgeFetchLimits
  readonly stopped: AbortSignal
}

function exchange({ request, url, body, agent, limits, stopped }: Exchange): Promise<Response> {
  const signals = [AbortSignal.timeout(limits.milliseconds), stopped, request.signal]
  return new Promise((resolve, reject) => {
    const sent = (url.protocol === 'https:' ? https : http).request(url, {
      method: request.method,
      headers: {
        ...Object.fromEntries(request.headers),
        ...(body.length > 0 || request.method !== 'GET' ? { 'content-length': String(body.length) } : {}),
      },
      agent,
      signal: AbortSignal.any(signals),
    })
    sent.once('error', reject)
    sent.once('response', (answer) => {
      collect(answer, limits.bytes)
        .then((content) => responseOf(answer, content))
        .then(resolve, reject)
    })
    sent.end(body)
  })
}

async function collect(answer: http.IncomingMessage, most: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of answer) {
    length += chunk.length
    if (length > most) throw new RangeError(`the answer is longer than ${most} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function responseOf(answer: http.IncomingMessage, content: Buffer): Response {
  const status = answer.statusCode ?? 0
  if (status >= 300 && status < 400 && status !== 304)
    throw new FleetError(
      'forge-refused',
      'The repository has moved on the forge; configure its address of now.',
      { status },
    )
  const headers = new Headers()
  for (const [name, values] of Object.entries(answer.headersDistinct))
    for (const value of values ?? []) headers.append(name, value)
  return new Response(EMPTY.has(status) ? null : new Uint8Array(content), { status, headers })
}

function unreachable(error: unknown, base: URL, stopped: boolean): FleetError {
  if (error instanceof FleetError) return error
  if (stopped) return new FleetError('forge-unavailable', 'Fleetwright is stopping.', {}, { cause: error })
  const timedOut = error instanceof Error && ['AbortError', 'TimeoutError'].includes(error.name)
  const code = error instanceof Error && 'code' in error ? String(error.code) : undefined
  const why = timedOut
    ? 'no answer in time'
    : error instanceof RangeError
      ? error.message
      : (code ?? 'unknown')
  return new FleetError(
    'forge-unavailable',
    `${base.origin} cannot be reached (${why}).`,
    {},
    { cause: error },
  )
}
