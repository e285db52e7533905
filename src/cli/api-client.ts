/** The server's HTTP API as the command line uses it. Refusals become FleetErrors in the server's words. */
import { type ErrorCode, ERRORS, FleetError, isFleetError } from '../fleet/errors.ts'

export interface ApiAnswer {
  readonly status: number
  /** Undefined when the answer has no body. */
  readonly json: unknown
  readonly commit: string | undefined
}

export interface HistoryCommit {
  readonly commit: string
  readonly at: string
  readonly subject: string
  readonly body: string
  readonly actor: { readonly name: string; readonly email: string }
  readonly trailers: Readonly<Record<string, string>>
  readonly diff?: string
}

/** What `GET /api/fleet/status` answers. */
export interface FleetStatus {
  readonly version: string
  readonly fleet: string
  readonly engine: string
  readonly head: string
  readonly placement: string
  readonly installations: {
    readonly total: number
    readonly states: Readonly<Record<string, number>>
    readonly healths: Readonly<Record<string, number>>
    readonly stuck: number
  }
  readonly clusters: readonly {
    readonly id: string
    readonly name: string
    readonly state: string
    readonly installations: number
    readonly limit: number
    readonly allowInstallations: boolean
  }[]
  readonly groups: readonly {
    readonly id: string
    readonly name: string
    readonly version: string
    readonly installations: number
  }[]
  readonly waiting: readonly { readonly id: string; readonly name: string; readonly reason: string }[]
  readonly waitingTotal: number
  /** Installations with drift. */
  readonly drift: number
  readonly problems: number
}

export interface ApiClient {
  /** @throws FleetError the server's refusal; `remote-unavailable` when nothing answers */
  request(method: string, path: string, body?: unknown): Promise<ApiAnswer>
  /** Undefined when there is nothing. */
  lookUp(path: string): Promise<unknown>
  status(): Promise<FleetStatus>
  history(options: {
    readonly limit: number
    readonly diff: boolean
    readonly kind?: string
    readonly id?: string
  }): Promise<readonly HistoryCommit[]>
}

const TIME_LIMIT_MILLISECONDS = 60_000

/** @param options.url without a path; `token`: undefined for what needs none */
export function createApiClient({
  url,
  token,
}: {
  readonly url: string
  readonly token: string | undefined
}): ApiClient {
  const request: ApiClient['request'] = async (method, path, body) => {
    const response = await send(url, path, {
      method,
      headers: {
        ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    const json = text === '' ? undefined : parse(text)
    if (!response.ok) throw refusal(response.status, json, `${method} ${path}`)
    return { status: response.status, json, commit: response.headers.get('Fleetwright-Commit') ?? undefined }
  }
  return {
    request,
    async lookUp(path) {
      try {
        return (await request('GET', path)).json
      } catch (error) {
        if (isFleetError(error) && error.code === 'not-found') return undefined
        throw error
      }
    },
    // The shapes that the server's own OpenAPI document promises.
    status: async () => (await request('GET', '/api/fleet/status')).json as FleetStatus,
    async history({ limit, diff, kind, id }) {
      const query = new URLSearchParams({ limit: String(limit), diff: String(diff) })
      if (kind !== undefined && id !== undefined) {
        query.set('kind', kind)
        query.set('id', id)
      }
      const { json } = await request('GET', `/api/fleet/history?${query}`)
      return (json as { readonly commits: readonly HistoryCommit[] }).commits
    },
  }
}

async function send(url: string, path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(new URL(path, url), { ...init, signal: AbortSignal.timeout(TIME_LIMIT_MILLISECONDS) })
  } catch (cause) {
    const reason =
      cause instanceof Error && cause.cause instanceof Error ? cause.cause.message : String(cause)
    throw new FleetError(
      'remote-unavailable',
      `No server answers at ${url} (${reason}); start one with fleetwright serve, or name another one with --server.`,
      {},
      { cause },
    )
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

/** What of a problem document (RFC 9457) is for people. */
interface ProblemBody {
  readonly code?: string
  readonly detail?: string
  readonly errors?: FleetError['data']['errors']
}

function refusal(status: number, json: unknown, what: string): FleetError {
  const problem: ProblemBody = typeof json === 'object' && json !== null ? json : {}
  const code = isErrorCode(problem.code) ? problem.code : 'internal'
  const hint =
    status === 401
      ? ' Give one in FLEETWRIGHT_TOKEN or --token-file; fleetwright token create makes one.'
      : ''
  const detail = problem.detail ?? `${what} was answered ${status}; is this a Fleetwright server?`
  return new FleetError(
    code,
    `${detail}${hint}`,
    problem.errors === undefined ? {} : { errors: problem.errors },
  )
}

function isErrorCode(code: string | undefined): code is ErrorCode {
  return code !== undefined && Object.hasOwn(ERRORS, code)
}
