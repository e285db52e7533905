/**
 * HTTP to one git server: few kept-alive connections, time limits, bounded answers, no redirects. The token goes to this
 * server and nowhere else. Whatever is no answer of a git server becomes a FleetError here.
 */
import * as http from 'node:http'
import * as https from 'node:https'
import { getCACertificates } from 'node:tls'
import { gunzipSync } from 'node:zlib'
import type { GitHttpRequest, GitHttpResponse, HttpClient } from 'isomorphic-git'
import type { Credentials } from './credentials.ts'
import { statusError, unreachable } from './failures.ts'

/** A fetch by native git and a push of our own go side by side at most. */
const MOST_CONNECTIONS = 2
/** 100,000 branches have room. Packs never come this way. */
const MOST_BYTES = 32 * 1024 * 1024
/** Before the servers we know close an idle connection. */
const IDLE_MILLISECONDS = 15_000

export interface TimeLimits {
  /** Without a byte in either direction. Servers that work on a push send a sign of life every 5 s. */
  readonly silenceMilliseconds: number
  readonly totalMilliseconds: number
}

export const TIME_LIMITS: TimeLimits = { silenceMilliseconds: 60_000, totalMilliseconds: 10 * 60_000 }

export interface GitHttpClient extends HttpClient {
  close(): void
}

interface Exchange {
  readonly url: string
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

interface RawAnswer {
  readonly status: number
  readonly statusText: string
  readonly headers: http.IncomingHttpHeaders
  readonly body: Buffer
}

export function createHttpClient(
  credentials: Credentials,
  secure: boolean,
  limits: TimeLimits = TIME_LIMITS,
): GitHttpClient {
  const agent = createAgent(secure)
  const send = (exchange: Exchange): Promise<RawAnswer> => exchangeOnce(exchange, agent, secure, limits)
  async function authorized(exchange: Exchange): Promise<RawAnswer> {
    const authorization = await credentials.authorization()
    const answer = await sendTwice(send, withAuthorization(exchange, authorization))
    if (answer.status !== 401) return answer
    if (authorization !== undefined) credentials.refused?.(authorization)
    // The token may have been rotated between reading and sending; nothing was carried out.
    const again = await credentials.authorization()
    return again === authorization ? answer : await send(withAuthorization(exchange, again))
  }
  return {
    async request(request) {
      const exchange = await exchangeOf(request)
      let answer: RawAnswer
      try {
        answer = await authorized(exchange)
      } catch (error) {
        throw unreachable(error, credentials)
      }
      if (answer.status !== 200) throw statusError(answer, exchange.url, credentials)
      return responseOf(exchange, answer)
    },
    close: () => agent.destroy(),
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
  // Native git trusts what the system trusts; both must agree.
  return new https.Agent({
    ...options,
    ca: [...getCACertificates('default'), ...getCACertificates('system')],
  })
}

function withAuthorization(exchange: Exchange, authorization: string | undefined): Exchange {
  if (authorization === undefined) return exchange
  return { ...exchange, headers: { ...exchange.headers, authorization } }
}

/** A server may close a kept-alive connection just as it is used again: reading is tried once more, a push is not. */
async function sendTwice(
  send: (exchange: Exchange) => Promise<RawAnswer>,
  exchange: Exchange,
): Promise<RawAnswer> {
  try {
    return await send(exchange)
  } catch (error) {
    const reads = !exchange.url.endsWith('/git-receive-pack')
    if (reads && error instanceof ReusedConnectionError) return await send(exchange)
    throw error
  }
}

class ReusedConnectionError extends Error {}

function exchangeOnce(
  { url, method, headers, body }: Exchange,
  agent: http.Agent,
  secure: boolean,
  limits: TimeLimits,
): Promise<RawAnswer> {
  return new Promise<RawAnswer>((resolve, reject) => {
    const request = (secure ? https : http).request(url, {
      method,
      headers: { ...headers, 'accept-encoding': 'gzip', 'content-length': String(body.length) },
      agent,
      timeout: limits.silenceMilliseconds,
      signal: AbortSignal.timeout(limits.totalMilliseconds),
    })
    request.once('timeout', () =>
      request.destroy(new Error(`no sign of life for ${limits.silenceMilliseconds / 1000} s`)),
    )
    request.on('error', (error) => {
      const reused = request.reusedSocket && 'code' in error && error.code === 'ECONNRESET'
      reject(reused ? new ReusedConnectionError('the connection was closed', { cause: error }) : error)
    })
    request.once('response', (response) => {
      collect(response).then((content) => {
        resolve({
          status: response.statusCode ?? 0,
          statusText: response.statusMessage ?? '',
          headers: response.headers,
          body: content,
        })
      }, reject)
    })
    request.end(body)
  })
}

async function collect(response: http.IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of response) {
    length += chunk.length
    if (length > MOST_BYTES) throw new RangeError(`the answer is longer than ${MOST_BYTES} bytes`)
    chunks.push(chunk)
  }
  const content = Buffer.concat(chunks)
  if (response.headers['content-encoding'] !== 'gzip') return content
  return gunzipSync(content, { maxOutputLength: MOST_BYTES })
}

async function exchangeOf({ url, method = 'GET', headers = {}, body }: GitHttpRequest): Promise<Exchange> {
  const parts: Uint8Array[] = []
  if (body !== undefined) for await (const part of body) parts.push(part)
  return { url, method, headers, body: Buffer.concat(parts) }
}

function responseOf({ url, method }: Exchange, answer: RawAnswer): GitHttpResponse {
  async function* content(): AsyncIterableIterator<Uint8Array> {
    yield answer.body
  }
  const headers = Object.fromEntries(
    Object.entries(answer.headers).map(([name, value]) => [name, String(value ?? '')]),
  )
  return {
    url,
    method,
    headers,
    body: content(),
    statusCode: answer.status,
    statusMessage: answer.statusText,
  }
}
