/** Errors to problem documents (RFC 9457). */
import type { Logger } from 'pino'
import { ERRORS, type ErrorDetail, FleetError, isFleetError } from '../fleet/errors.ts'
import type { Answer } from './routes.ts'

export interface Problem {
  /** Where the code is explained. */
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly code: string
  /** The request's id, which is in the log too. */
  readonly instance: string
  readonly errors?: readonly ErrorDetail[]
}

/** What of an error its receiver may know: everything of a FleetError, nothing of any other. */
export function toProblem(error: unknown, requestId: string): Problem {
  const known = isFleetError(error)
    ? error
    : new FleetError(
        'internal',
        `Something unexpected went wrong; the log tells more under the request ${requestId}.`,
      )
  return {
    type: `/docs/errors#${known.code}`,
    title: known.title,
    status: known.status,
    detail: known.message,
    code: known.code,
    instance: requestId,
    ...(known.data.errors === undefined ? {} : { errors: known.data.errors }),
  }
}

/** The answer to a failed request. Whatever is no refusal is logged with its cause. */
export function answerError(error: unknown, requestId: string, log: Logger): Answer {
  const problem = toProblem(error, requestId)
  if (!isFleetError(error)) log.error({ err: error }, 'unexpected error')
  else if (problem.status >= 500 && error.code !== 'not-implemented') log.warn({ err: error }, error.message)
  return {
    status: problem.status,
    json: problem,
    headers: { 'Content-Type': 'application/problem+json', ...extraHeaders(problem) },
  }
}

function extraHeaders({ status }: Problem): Readonly<Record<string, string>> {
  if (status === ERRORS.unauthenticated.status)
    return { 'WWW-Authenticate': 'Bearer realm="fleetwright", Basic realm="fleetwright"' }
  // What is left of the body is not worth reading.
  if (status === ERRORS['body-too-large'].status) return { Connection: 'close' }
  return status === 503 ? { 'Retry-After': '1' } : {}
}
