/** HTTP to one API server: one pool of kept connections, JSON in and out, and what went wrong in our own codes. */
import type { IncomingMessage } from 'node:http'
import { Agent, request } from 'node:https'
import type { Readable } from 'node:stream'
import { FleetError } from '../fleet/errors.ts'
import type { ContactProblem } from '../fleet/observed/sight.ts'
import type { Endpoint } from '../ports/clusters.ts'

/** Watches hold a connection each; the rest share what is left. */
const MOST_CONNECTIONS = 40
const TIME_LIMIT_MILLISECONDS = 30_000
const LARGEST_ANSWER = 64 * 1024 * 1024

export interface HttpRequest {
  readonly method: 'GET' | 'PATCH' | 'POST'
  readonly path: string
  readonly body?: string
  readonly contentType?: string
  readonly signal?: AbortSignal
  readonly timeLimitMilliseconds?: number
}

export interface ApiHttp {
  /** The answer as JSON. @throws FleetError `cluster-unavailable`, `cluster-forbidden`, `cluster-rejected`, `not-found` */
  json(request: HttpRequest): Promise<unknown>
  /** The answer as it comes; the caller reads or destroys it. @throws as `json` */
  stream(request: HttpRequest): Promise<Readable>
  /** Requests under way fail with `replaced`, which says nothing about the server. */
  close(): void
}

export function createApiHttp(endpoint: Endpoint): ApiHttp {
  const agent = new Agent({
    keepAlive: true,
    maxSockets: MOST_CONNECTIONS,
    ...(endpoint.certificateAuthority === undefined ? {} : { ca: endpoint.certificateAuthority }),
    ...(endpoint.clientCertificate === undefined ? {} : { cert: endpoint.clientCertificate }),
    ...(endpoint.clientKey === undefined ? {} : { key: endpoint.clientKey }),
    ...(endpoint.serverName === undefined ? {} : { servername: endpoint.serverName }),
  })
  let closed = false
  async function open(options: HttpRequest): Promise<IncomingMessage> {
    const token = await endpoint.token()
    const response = await send(endpoint, agent, token, options).catch((error: unknown) => {
      throw closed
        ? new FleetError('cluster-unavailable', 'The connection was replaced', { replaced: true })
        : error
    })
    const status = response.statusCode ?? 0
    if (status >= 200 && status < 300) return response
    throw failure(status, messageOf(await text(response)))
  }
  return {
    stream: open,
    async json(options) {
      const answer = await text(await open(options))
      try {
        return JSON.parse(answer) as unknown
      } catch (cause) {
        throw unavailable('unreachable', 'The API server answered something that is not JSON', cause)
      }
    },
    close() {
      closed = true
      agent.destroy()
    },
  }
}

function send(
  { url }: Endpoint,
  agent: Agent,
  token: string | undefined,
  { method, path, body, contentType, signal, timeLimitMilliseconds }: HttpRequest,
): Promise<IncomingMessage> {
  const base = url.pathname.replace(/\/$/, '')
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        agent,
        method,
        host: url.hostname.replaceAll(/[[\]]/g, ''),
        port: url.port === '' ? 443 : Number(url.port),
        path: `${base}${path}`,
        headers: {
          Accept: 'application/json',
          'User-Agent': 'fleetwright',
          ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
          ...(body === undefined
            ? {}
            : {
                'Content-Type': contentType ?? 'application/json',
                'Content-Length': Buffer.byteLength(body),
              }),
        },
        ...(signal === undefined ? {} : { signal }),
      },
      resolve,
    )
    outgoing.setTimeout(timeLimitMilliseconds ?? TIME_LIMIT_MILLISECONDS, () =>
      outgoing.destroy(Object.assign(new Error('no answer in time'), { code: 'ETIMEDOUT' })),
    )
    outgoing.on('error', (cause) => reject(broken(cause)))
    outgoing.end(body)
  })
}

async function text(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of response) {
      size += (chunk as Buffer).length
      if (size > LARGEST_ANSWER)
        throw new FleetError(
          'cluster-unavailable',
          `The API server's answer is larger than ${LARGEST_ANSWER} bytes`,
        )
      chunks.push(chunk as Buffer)
    }
  } catch (cause) {
    response.destroy()
    throw cause instanceof FleetError ? cause : broken(cause)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** The `message` of a Status object, or the start of the answer. */
function messageOf(answer: string): string {
  try {
    const status = JSON.parse(answer) as { readonly message?: unknown }
    if (typeof status.message === 'string' && status.message !== '') return status.message
  } catch {
    // A proxy's page: its start says enough.
  }
  return answer.slice(0, 200).trim()
}

function failure(status: number, message: string): FleetError {
  const words = message === '' ? `HTTP ${status}` : message
  if (status === 401)
    return unavailable('unauthorized', `The API server does not accept the credentials: ${words}`)
  if (status === 403) return new FleetError('cluster-forbidden', `The API server forbids it: ${words}`)
  if (status === 404) return new FleetError('not-found', words)
  if (status === 410) return new FleetError('cluster-rejected', words, { status, expired: true })
  if (status === 429 || status >= 500)
    return unavailable('unreachable', `The API server answered ${status}: ${words}`)
  return new FleetError('cluster-rejected', `The API server rejects it: ${words}`, { status })
}

/** What Node says when there is no answer. */
export function broken(cause: unknown): FleetError {
  if (cause instanceof FleetError) return cause
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
  const detail = cause instanceof Error ? cause.message : String(cause)
  const problem = /CERT|SIGNATURE|ERR_TLS|SELF_SIGNED|UNABLE_TO/.test(code)
    ? 'certificate-invalid'
    : 'unreachable'
  return unavailable(problem, detail === '' ? code : detail, cause)
}

function unavailable(problem: ContactProblem, detail: string, cause?: unknown): FleetError {
  return new FleetError('cluster-unavailable', detail, { problem }, cause === undefined ? {} : { cause })
}
