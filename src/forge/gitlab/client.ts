/** A maintained client of GitLab, with what Fleetwright asks of every call: limits, a token that can change, errors without secrets. */
import { createRequesterFn } from '@gitbeaker/requester-utils'
import { Gitlab } from '@gitbeaker/rest'
import { FleetError, isFleetError } from '../../fleet/errors.ts'
import type { Clock } from '../../ports/clock.ts'
import { type Asked, type ForgeRefusal, refusalError } from '../failures.ts'
import { createForgeFetch, type ForgeFetchLimits } from '../fetch.ts'
import type { TokenSource } from '../token.ts'

type GitLab = InstanceType<typeof Gitlab>

const NAME = 'GitLab'

/** For lists: all of their pages, of which there are a hundred at most. */
export const EVERY_PAGE = { perPage: 100, maxPages: 100 } as const

export interface GitLabClient {
  /**
   * One call, or all pages of a list.
   * @returns what it answers, unchecked
   * @throws FleetError `forge-unavailable`, `forge-denied`, `forge-refused`; `data.status` as GitLab gave it
   */
  call(asked: Asked, send: (gitlab: GitLab) => Promise<unknown>): Promise<unknown>
  stop(): void
}

export interface GitLabClientSettings {
  /** `https://gitlab.com`, `https://example.com/gitlab` */
  readonly server: string
  readonly token: TokenSource
  readonly clock: Clock
  readonly limits?: ForgeFetchLimits
}

/** An answer that is no success. Holds nothing of the request, which has the token. */
class Refusal extends Error {
  readonly refusal: ForgeRefusal
  constructor(refusal: ForgeRefusal) {
    super(`status ${refusal.status}`)
    this.refusal = refusal
  }
}

export function createGitLabClient({ server, token, clock, limits }: GitLabClientSettings): GitLabClient {
  const host = server.replace(/\/+$/, '')
  const { fetch, stop } = createForgeFetch(`${host}/api/v4`, limits)
  const gitlab = new Gitlab({
    ...{ host, token: () => token.present() },
    // The client's own tries again at once ten times when it is told to wait, and follows redirects with the token.
    requesterFn: createRequesterFn(
      async (_, request) => request,
      (endpoint, options) => request(fetch, token, endpoint, { ...options }),
    ),
  })
  return {
    async call(asked, send) {
      try {
        return await send(gitlab)
      } catch (error) {
        throw toGitLabError(error, asked, clock.now())
      }
    },
    stop,
  }
}

interface Sent {
  readonly prefixUrl?: string
  readonly searchParams?: string
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

async function request(fetch: typeof globalThis.fetch, token: TokenSource, endpoint: string, sent: Sent) {
  const url = new URL(endpoint, `${(sent.prefixUrl ?? '').replace(/\/+$/, '')}/`)
  url.search = sent.searchParams ?? ''
  const { method = 'GET', headers = {}, body } = sent
  const send = (present: Readonly<Record<string, string>>): Promise<Response> =>
    fetch(url, {
      method,
      headers: { 'user-agent': 'fleetwright', ...headers, ...present },
      ...(body === undefined ? {} : { body }),
    })
  const first = await send({})
  const used = headers['private-token'] ?? ''
  const other = first.status === 401 ? await token.renewed(used) : undefined
  const response = other === undefined ? first : await send({ 'private-token': other })
  const answer = { status: response.status, headers: Object.fromEntries(response.headers) }
  if (!response.ok) throw new Refusal({ ...answer, message: messageOf(await response.text()) })
  return { ...answer, body: await bodyOf(response) }
}

async function bodyOf(response: Response): Promise<Record<string, unknown> | Record<string, unknown>[]> {
  const text = await response.text()
  if (text === '') return {}
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new FleetError('forge-unavailable', `${NAME} answered something that is no JSON.`, {}, { cause })
  }
}

/** GitLab puts it in `message` or `error`, as a text or by field. */
function messageOf(text: string): string {
  try {
    const { message, error } = JSON.parse(text)
    const said = message ?? error ?? ''
    return typeof said === 'string' ? said : JSON.stringify(said)
  } catch {
    // A page of a proxy is of no use.
    return ''
  }
}

function toGitLabError(error: unknown, asked: Asked, now: number): FleetError {
  if (isFleetError(error)) return error
  if (error instanceof Refusal) return refusalError(NAME, asked, error.refusal, now)
  return new FleetError('forge-unavailable', `${NAME} could not be asked ${asked.what}.`)
}

/** Of a failed call; undefined: there was no answer. */
export function statusOf(error: unknown): number | undefined {
  const status = isFleetError(error) ? error.data.status : undefined
  return typeof status === 'number' ? status : undefined
}
