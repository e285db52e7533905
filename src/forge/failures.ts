/**
 * What a refusal of a forge means. Errors of the clients hold the headers of the request, with the token: nothing of them goes
 * on but what is picked here.
 */
import { FleetError } from '../fleet/errors.ts'
import { oneLine } from './text.ts'

export interface ForgeRefusal {
  readonly status: number
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>
  /** What the forge says of it. */
  readonly message: string
}

/** What was asked, for people. */
export interface Asked {
  /** For example `to comment on pull request 7`. */
  readonly what: string
  /** Right that it takes. */
  readonly right: string
}

const LONGEST = 300

/** @param now milliseconds since 1970 */
export function refusalError(name: string, asked: Asked, refusal: ForgeRefusal, now: number): FleetError {
  const { status, headers } = refusal
  const told = retryAfterOf(refusal, now)
  const retryAfter = told === undefined ? undefined : Math.min(told, LONGEST_WAIT_MILLISECONDS)
  if (retryAfter !== undefined)
    return new FleetError(
      'forge-unavailable',
      `${name} asks to slow down: Fleetwright may not ask ${asked.what} before ${Math.ceil(retryAfter / 1000)} s have passed.`,
      { status, retryAfter },
    )
  const said = saidOf(refusal)
  if (status === 401)
    return new FleetError(
      'forge-denied',
      `${name} does not accept the token (${said}); it was revoked or has expired. Give a new one.`,
      { status },
    )
  if (status === 403) {
    const accepted = headers['x-accepted-github-permissions'] ?? headers['x-accepted-oauth-scopes']
    const right =
      accepted === undefined || accepted === ''
        ? asked.right
        : `${asked.right} (${oneLine(accepted, LONGEST)})`
    return new FleetError(
      'forge-denied',
      `${name} does not let Fleetwright ask ${asked.what} (${said}): the token needs the right ${right}.`,
      { status, right: asked.right },
    )
  }
  if (status >= 500 || status === 408)
    return new FleetError('forge-unavailable', `${name} cannot answer now, asked ${asked.what} (${said}).`, {
      status,
    })
  const hint = status === 404 ? ` It does not exist, or the token lacks the right ${asked.right}.` : ''
  return new FleetError('forge-refused', `${name} refuses ${asked.what} (${said}).${hint}`, { status })
}

const SECONDARY_LIMIT_MILLISECONDS = 60_000
/** Limits of the forges are by the hour. */
const LONGEST_WAIT_MILLISECONDS = 3_600_000

/** Milliseconds; undefined: this is not about how often was asked. */
function retryAfterOf({ status, headers, message }: ForgeRefusal, now: number): number | undefined {
  const told = headers['retry-after']
  const seconds = told === undefined ? Number.NaN : Number(told)
  const wait = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(told ?? '') - now
  if ((status === 429 || status === 403 || status === 503) && wait >= 0) return wait
  const isUsedUp = headers['x-ratelimit-remaining'] === '0' || headers['ratelimit-remaining'] === '0'
  const reset = Number(headers['x-ratelimit-reset'] ?? headers['ratelimit-reset'] ?? Number.NaN) * 1000
  if (status === 429 || (status === 403 && isUsedUp))
    return Number.isFinite(reset) ? Math.max(0, reset - now) : SECONDARY_LIMIT_MILLISECONDS
  return status === 403 && /secondary rate limit/i.test(message) ? SECONDARY_LIMIT_MILLISECONDS : undefined
}

function saidOf({ status, headers, message }: ForgeRefusal): string {
  const request = headers['x-github-request-id'] ?? headers['x-request-id']
  const parts = [
    String(status),
    oneLine(message, LONGEST),
    request === undefined ? '' : `request ${oneLine(request, LONGEST)}`,
  ]
  return parts.filter((part) => part !== '').join(', ')
}
