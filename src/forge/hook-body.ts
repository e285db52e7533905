/** What the hooks of all forges have in common: a signature over the body, and JSON that is looked into only after that. */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { FleetError } from '../fleet/errors.ts'
import type { HookEvent, ReadHook } from '../ports/forge.ts'

export type HookRequest = Parameters<ReadHook>[0]

/** Deliveries are numbered by UUIDs, or by what is as good. */
const DELIVERY = /^[A-Za-z0-9_.:-]{1,128}$/
const LONGEST_REF = 1024

/** HMAC-SHA256 of the content. */
export function signatureOf(
  secret: string | Uint8Array,
  ...content: readonly (string | Uint8Array)[]
): Buffer {
  const hmac = createHmac('sha256', secret)
  for (const part of content) hmac.update(part)
  return hmac.digest()
}

/** In constant time, whatever the lengths. */
export function isSameText(one: string, other: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text, 'utf8').digest()
  return timingSafeEqual(digest(one), digest(other))
}

/**
 * An HMAC-SHA256 in hexadecimal digits over the whole body.
 * @throws FleetError `unauthenticated`
 */
export function requireHexSignature(request: HookRequest, header: string, prefix = ''): void {
  const { headers, body, secret } = request
  const given = requireHeader(request, header)
  const digits = given.startsWith(prefix) ? given.slice(prefix.length) : ''
  if (isSameText(digits, signatureOf(secret, body).toString('hex'))) return
  const isForm = headers['content-type']?.startsWith('application/x-www-form-urlencoded') === true
  throw unauthenticated(
    isForm
      ? `The hook is sent as a form, whose ${header} is not over what is sent; set its content type to application/json.`
      : `${header} is not the signature of this body with the secret that is configured here.`,
  )
}

/** @throws FleetError `unauthenticated` when it is missing, and when there is no secret to hold it against */
export function requireHeader({ headers, secret }: HookRequest, header: string): string {
  if (secret === '') throw unauthenticated('There is no secret to check hooks with; configure one.')
  const value = headers[header]
  if (value !== undefined && value !== '') return value
  throw unauthenticated(`The hook has no ${header}; give it the secret that is configured here.`)
}

export function unauthenticated(detail: string): FleetError {
  return new FleetError('unauthenticated', detail)
}

export function invalid(detail: string, cause?: unknown): FleetError {
  return new FleetError('invalid-request', detail, {}, cause === undefined ? {} : { cause })
}

/** Number of the delivery, from the first of these headers that has one; else a digest of the body. */
export function deliveryOf({ headers, body }: HookRequest, ...names: readonly string[]): string {
  for (const name of names) {
    const value = headers[name]
    if (value !== undefined && DELIVERY.test(value)) return value
  }
  return createHash('sha256').update(body).digest('hex')
}

/** A JSON object, fields of which are read one by one. @throws FleetError `invalid-request` */
export function parseBody({ body }: HookRequest): HookBody {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
  } catch (cause) {
    throw invalid('The body of the hook is not JSON.', cause)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalid('The body of the hook must be a JSON object.')
  return { at: (...path) => path.reduce(fieldOf, value) }
}

export interface HookBody {
  /** Value of a field of a field; undefined when one of them is not there. */
  at(...path: readonly string[]): unknown
}

function fieldOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
  return Reflect.get(value, name)
}

/** Full name of the repository, when the hook is about one. */
export function repositoryOf(body: HookBody, ...path: readonly string[]): string | undefined {
  const name = body.at(...path)
  return typeof name === 'string' && name !== '' ? name : undefined
}

/** @throws FleetError `invalid-request` */
export function pullRequestEvent(body: HookBody, ...path: readonly string[]): HookEvent {
  const number = body.at(...path)
  if (typeof number === 'number' && Number.isSafeInteger(number) && number > 0)
    return { event: 'pull-request', number }
  throw invalid(`${path.join('.')} of the hook must be the number of a pull request.`)
}

/** @throws FleetError `invalid-request` */
export function pushEvent(body: HookBody): HookEvent {
  const ref = body.at('ref')
  if (typeof ref === 'string' && ref.startsWith('refs/') && ref.length <= LONGEST_REF)
    return { event: 'push', ref }
  throw invalid('ref of the hook must be the full name of a ref.')
}
