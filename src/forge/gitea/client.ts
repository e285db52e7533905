/**
 * Calls of Gitea's REST API (Forgejo's is the same). There is no well-kept client in TypeScript, and what is needed is small:
 * JSON in and out, pages, a token that can change, errors without secrets.
 */
import { FleetError, isFleetError } from '../../fleet/errors.ts'
import type { Clock } from '../../ports/clock.ts'
import { type Asked, refusalError } from '../failures.ts'
import { createForgeFetch, type ForgeFetchLimits } from '../fetch.ts'
import type { TokenSource } from '../token.ts'

/** Pages of one list; beyond it something is wrong. */
const MOST_PAGES = 100
/** A server may be set to give less of it at a time. */
const PAGE = 50
const NAME = 'Gitea'

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE'

export interface GiteaClient {
  /**
   * One call; paths are below `/api/v1` and encoded already.
   * @returns the answer as JSON, unchecked; undefined: it is empty
   * @throws FleetError `forge-unavailable`, `forge-denied`, `forge-refused`; `data.status` as the forge gave it
   */
  call(asked: Asked, method: Method, path: string, body?: unknown): Promise<unknown>
  /** An answer that is no JSON. @throws as `call` */
  text(asked: Asked, path: string): Promise<string>
  /** Page by page, until there are no more or the caller leaves. @throws as `call` */
  pages(asked: Asked, path: string): AsyncIterable<unknown>
  stop(): void
}

export interface GiteaClientSettings {
  /** For people: `https://git.example.com`. */
  readonly server: string
  readonly token: TokenSource
  readonly clock: Clock
  readonly limits?: ForgeFetchLimits
  /** Of one page of a list. */
  readonly pageSize?: number
}

export function createGiteaClient(settings: GiteaClientSettings): GiteaClient {
  const { server, clock, limits, pageSize = PAGE } = settings
  const api = `${server.replace(/\/+$/, '')}/api/v1`
  const { fetch, stop } = createForgeFetch(api, limits)
  async function send(asked: Asked, method: Method, path: string, body?: unknown): Promise<Response> {
    const response = await sendWithToken(settings.token, (token) =>
      fetch(`${api}${path}`, {
        method,
        headers: {
          Authorization: `token ${token}`,
          Accept: 'application/json',
          'User-Agent': 'fleetwright',
          ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
    )
    if (response.ok) return response
    const { status } = response
    const refusal = { status, headers: Object.fromEntries(response.headers), message: await saidOf(response) }
    throw refusalError(NAME, asked, refusal, clock.now())
  }
  return {
    call: async (asked, method, path, body) => parse(asked, await send(asked, method, path, body)),
    text: async (asked, path) => await (await send(asked, 'GET', path)).text(),
    async *pages(asked, path) {
      for (let page = 1; page <= MOST_PAGES; page += 1) {
        const query = `${path.includes('?') ? '&' : '?'}limit=${pageSize}&page=${page}`
        const response = await send(asked, 'GET', `${path}${query}`)
        yield await parse(asked, response)
        if (!/\brel="next"/.test(response.headers.get('link') ?? '')) return
      }
      throw new FleetError('forge-refused', `${NAME} has more than ${MOST_PAGES} pages, asked ${asked.what}.`)
    },
    stop,
  }
}

/** The token may have been rotated between reading and sending: one that is refused is read again, once. */
async function sendWithToken(
  source: TokenSource,
  send: (token: string) => Promise<Response>,
): Promise<Response> {
  const token = await source.present()
  const response = await send(token)
  const other = response.status === 401 ? await source.renewed(token) : undefined
  return other === undefined ? response : await send(other)
}

async function parse(asked: Asked, response: Response): Promise<unknown> {
  const text = await response.text()
  if (text === '') return undefined
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new FleetError(
      'forge-unavailable',
      `${NAME} answered something that is not JSON, asked ${asked.what}; is there a proxy in between?`,
      {},
      { cause },
    )
  }
}

/** Words of a refusal; a proxy's page says nothing. */
async function saidOf(response: Response): Promise<string> {
  const text = await response.text()
  try {
    const answer: unknown = JSON.parse(text)
    const message: unknown =
      typeof answer === 'object' && answer !== null && 'message' in answer ? answer.message : undefined
    return typeof message === 'string' ? message : ''
  } catch {
    return ''
  }
}

/** Of a failed call; undefined: there was no answer. */
export function statusOf(error: unknown): number | undefined {
  const status = isFleetError(error) ? error.data['status'] : undefined
  return typeof status === 'number' ? status : undefined
}
