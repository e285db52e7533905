/** GitHub's own client, with what Fleetwright asks of every call: limits, a token that can change, errors without secrets. */
import { Octokit } from '@octokit/core'
import { paginateRest } from '@octokit/plugin-paginate-rest'
import { restEndpointMethods } from '@octokit/plugin-rest-endpoint-methods'
import { FleetError, isFleetError } from '../../fleet/errors.ts'
import type { Clock } from '../../ports/clock.ts'
import { type Asked, refusalError } from '../failures.ts'
import { createForgeFetch, type ForgeFetchLimits } from '../fetch.ts'
import type { TokenSource } from '../token.ts'

const GitHub = Octokit.plugin(restEndpointMethods, paginateRest)
type GitHub = InstanceType<typeof GitHub>

/** Pages of one list; beyond it something is wrong. */
const MOST_PAGES = 100
const NAME = 'GitHub'

export interface GitHubClient {
  /**
   * One call.
   * @returns data of the answer, unchecked
   * @throws FleetError `forge-unavailable`, `forge-denied`, `forge-refused`; `data.status` as the forge gave it
   */
  call(asked: Asked, send: (octokit: GitHub) => Promise<{ readonly data: unknown }>): Promise<unknown>
  /** Page by page, until there are no more or the caller leaves. */
  pages(
    asked: Asked,
    start: (octokit: GitHub) => AsyncIterable<{ readonly data: unknown }>,
  ): AsyncIterable<unknown>
  stop(): void
}

export interface GitHubClientSettings {
  /** `https://api.github.com`, `https://github.example.com/api/v3` */
  readonly api: string
  readonly token: TokenSource
  readonly clock: Clock
  readonly limits?: ForgeFetchLimits
}

export function createGitHubClient({ api, token, clock, limits }: GitHubClientSettings): GitHubClient {
  const { fetch, stop } = createForgeFetch(api, limits)
  const octokit = new GitHub({ baseUrl: api, userAgent: 'fleetwright', request: { fetch }, log: silent() })
  octokit.hook.wrap('request', async (request, options) => {
    const present = await token.present()
    options.headers.authorization = `Bearer ${present}`
    try {
      return await request(options)
    } catch (error) {
      const other = statusOf(error) === 401 ? await token.renewed(present) : undefined
      if (other === undefined) throw error
      options.headers.authorization = `Bearer ${other}`
      return await request(options)
    }
  })
  async function translated<Value>(asked: Asked, work: () => Promise<Value>): Promise<Value> {
    try {
      return await work()
    } catch (error) {
      throw toGitHubError(error, asked, clock.now())
    }
  }
  return {
    call: async (asked, send) => (await translated(asked, () => send(octokit))).data,
    async *pages(asked, start) {
      const pages = start(octokit)[Symbol.asyncIterator]()
      for (let count = 0; ; count += 1) {
        const page = await translated(asked, () => pages.next())
        if (page.done === true) return
        if (count === MOST_PAGES)
          throw new FleetError(
            'forge-refused',
            `${NAME} has more than ${MOST_PAGES} pages, asked ${asked.what}.`,
          )
        yield page.value.data
      }
    },
    stop,
  }
}

/** An error of the client holds the request with its headers: neither it nor its message about the request goes on. */
export function toGitHubError(error: unknown, asked: Asked, now: number): FleetError {
  if (isFleetError(error)) return error
  const cause: unknown = error instanceof Error ? error.cause : undefined
  if (isFleetError(cause)) return cause
  const status = statusOf(error)
  const response = property(error, 'response')
  if (status === undefined || response === undefined)
    return new FleetError('forge-unavailable', `${NAME} could not be asked ${asked.what}.`)
  return refusalError(
    NAME,
    asked,
    { status, headers: headersOf(response), message: messageOf(response) },
    now,
  )
}

/** Of a failed call; undefined: there was no answer. */
export function statusOf(error: unknown): number | undefined {
  const status = isFleetError(error) ? error.data.status : property(error, 'status')
  return typeof status === 'number' ? status : undefined
}

function headersOf(response: unknown): Readonly<Record<string, string | undefined>> {
  const headers = property(response, 'headers')
  if (typeof headers !== 'object' || headers === null) return {}
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]))
}

function messageOf(response: unknown): string {
  const data = property(response, 'data')
  const message = property(data, 'message')
  const errors = property(data, 'errors')
  const details = Array.isArray(errors)
    ? errors.map((entry: unknown) => (typeof entry === 'string' ? entry : property(entry, 'message')))
    : []
  return [message, ...details].filter((part) => typeof part === 'string').join('; ')
}

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}

/** The client warns of deprecated calls on the console; it is not the place. */
function silent() {
  const nothing = (): void => undefined
  return { debug: nothing, info: nothing, warn: nothing, error: nothing }
}
