/** What a failed exchange with the remote means for the writer: refused, not let in, or not known. */
import type { IncomingHttpHeaders } from 'node:http'
import { FleetError, isFleetError } from '../../fleet/errors.ts'
import type { Credentials } from './credentials.ts'
import { plain } from './words.ts'

interface Answer {
  readonly status: number
  readonly statusText: string
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

/** An answer that is not 200. */
export function statusError(answer: Answer, url: string, credentials: Credentials): FleetError {
  const { status, headers } = answer
  const said = `${status} ${plain(answer.statusText)}${wordsOf(answer, credentials)}`
  if (status >= 300 && status < 400)
    return new FleetError(
      'remote-denied',
      `The fleet repository has moved${movedTo(headers.location, url)}; set fleet to where it is now.`,
      { status },
    )
  if (status === 401)
    return new FleetError(
      'remote-denied',
      `The fleet repository does not accept the token (${said}). Give one that may read and push.`,
      { status },
    )
  if (isLimited(answer)) {
    const retryAfter = retryAfterOf(headers)
    const wait = retryAfter === undefined ? '' : `, for ${Math.ceil(retryAfter / 1000)} s`
    return new FleetError('remote-unavailable', `The git server asks for a pause${wait} (${said}).`, {
      status,
      limited: true,
      ...(retryAfter === undefined ? {} : { retryAfter }),
    })
  }
  if (status === 403)
    return new FleetError(
      'remote-denied',
      `The token does not allow this (${said}). It must be able to read and push.`,
      { status },
    )
  if (status === 404 || status === 410)
    return new FleetError(
      'remote-denied',
      `There is no such repository, or the token may not see it (${said}).`,
      { status },
    )
  if (status >= 500) {
    const wait = headers['retry-after'] === undefined ? '' : `, retry after ${plain(headers['retry-after'])}`
    return new FleetError('remote-unavailable', `The fleet repository answered ${said}${wait}.`, { status })
  }
  const what = status === 413 ? 'the push is larger than it allows' : 'it does not take this request'
  return new FleetError('remote-refused', `The fleet repository refused: ${what} (${said}).`, { status })
}

/** What native git says when the other side, or the way to it, is to blame. */
const REMOTE_FAULT =
  /unable to access|rpc failed|hung up|early eof|remote error|^remote:|authentication failed|could not read|unexpected disconnect|expected flush|bad line length|protocol error|not our ref/im

/** False: everything else is about the repository here. */
export function isFaultOfRemote(words: string): boolean {
  return REMOTE_FAULT.test(words)
}

/** It did nothing, because too much was asked of it: 429, or what GitHub says with 403. */
function isLimited({ status, headers, body }: Answer): boolean {
  if (status === 429) return true
  if (status !== 403) return false
  if (headers['retry-after'] !== undefined || headers['x-ratelimit-remaining'] === '0') return true
  return /\brate limit/i.test(body.toString('utf8', 0, 4096))
}

/** Milliseconds. What is a point in time counts from the server's own clock. */
function retryAfterOf(headers: IncomingHttpHeaders): number | undefined {
  const { 'retry-after': after, 'x-ratelimit-reset': reset, date } = headers
  const now = date === undefined ? Number.NaN : Date.parse(date)
  const waits = [
    after === undefined ? Number.NaN : Number(after) * 1000,
    after === undefined ? Number.NaN : Date.parse(after) - now,
    typeof reset === 'string' ? Number(reset) * 1000 - now : Number.NaN,
  ]
  const wait = waits.find((milliseconds) => Number.isFinite(milliseconds))
  return wait === undefined ? undefined : Math.max(0, wait)
}

/** Anything that kept an answer from coming whole. */
export function unreachable(error: unknown, credentials: Credentials): FleetError {
  if (isFleetError(error)) return error
  const words =
    error instanceof Error ? error.message || String('code' in error && error.code) : String(error)
  return new FleetError(
    'remote-unavailable',
    `The fleet repository cannot be reached: ${credentials.redact(plain(words))}.`,
    {},
    { cause: error },
  )
}

/** An answer of 200 that is not what a git server says. */
export function notGit(url: string): FleetError {
  return new FleetError(
    'remote-denied',
    `${url} does not answer as a git server does; fleet must be the URL that git clone takes.`,
  )
}

/** Text for people; a page in HTML says nothing in an error. */
function wordsOf({ headers, body }: Answer, credentials: Credentials): string {
  if (!/^text\/plain\b/.test(headers['content-type'] ?? '')) return ''
  const words = credentials.redact(plain(body.toString('utf8', 0, 4096)))
  return words === '' ? '' : `: ${words}`
}

/** Only origin and path: whatever else a redirect holds is nobody's business. */
function movedTo(location: string | undefined, url: string): string {
  if (location === undefined || !URL.canParse(location, url)) return ''
  const target = new URL(location, url)
  return ` to ${target.origin}${target.pathname.replace(/\/info\/refs$/, '')}`
}
