/**
 * Sends events as signed POSTs (Standard Webhooks: `webhook-id`, `webhook-timestamp`, `webhook-signature`). Redirects are not
 * followed, and addresses that belong to the machine's own network or cloud metadata are refused where they are connected to, not
 * where their name is first looked up.
 */
import { createHmac } from 'node:crypto'
import { Agent as HttpAgent, request as httpRequest, type RequestOptions } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { isIP } from 'node:net'
import type { SecretBackend } from '../ports/secrets.ts'
import type { Message, Sender, SendResult } from '../ports/sender.ts'
import type { Receiver, ReceiverHeader } from '../ports/store.ts'
import { ForbiddenAddressError, guardedLookup, isForbiddenAddress } from './addresses.ts'

const TIME_LIMIT_MILLISECONDS = 15_000
const RETRY_STATUSES = [408, 425, 429]

export interface HttpSenderOptions {
  /** Signs every message. */
  readonly key: Uint8Array
  readonly secrets: Pick<SecretBackend, 'get'>
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly allowLinkLocal: boolean
  readonly timeLimitMilliseconds?: number
}

export function createHttpSender(options: HttpSenderOptions): Sender {
  const agents = { http: new HttpAgent({ keepAlive: true }), https: new HttpsAgent({ keepAlive: true }) }
  return {
    async send(receiver, message) {
      try {
        const headers = await headersOf(receiver, options)
        if (typeof headers === 'string') return { result: 'refused', error: headers }
        return await post(receiver.url, message, headers, agents, options)
      } catch (error) {
        return { result: 'later', error: error instanceof Error ? error.message : String(error) }
      }
    },
    async close() {
      agents.http.destroy()
      agents.https.destroy()
    },
  }
}

/** `v1,<base64 HMAC-SHA-256 of "id.seconds.body">` */
export function signatureOf(
  key: Uint8Array,
  { id, body }: Pick<Message, 'id' | 'body'>,
  seconds: number,
): string {
  return `v1,${createHmac('sha256', key).update(`${id}.${seconds}.${body}`).digest('base64')}`
}

/** The receiver's own headers; a text: what is wrong with them. */
async function headersOf(
  receiver: Receiver,
  options: HttpSenderOptions,
): Promise<Record<string, string> | string> {
  const headers: Record<string, string> = {}
  for (const header of receiver.headers) {
    const value = await headerValue(header, options)
    if (value === undefined) return `The header ${header.key} has no value: ${missing(header)}`
    headers[header.key] = value
  }
  return headers
}

async function headerValue(
  { value, secretKey, valueFromEnv }: ReceiverHeader,
  { secrets, environment }: HttpSenderOptions,
): Promise<string | undefined> {
  if (secretKey !== undefined) return await secrets.get(secretKey)
  return valueFromEnv === undefined ? value : environment[valueFromEnv]
}

function missing({ valueFromEnv }: ReceiverHeader): string {
  return valueFromEnv === undefined ? 'its secret is gone' : `set ${valueFromEnv} in the server's environment`
}

function post(
  target: string,
  message: Message,
  headers: Readonly<Record<string, string>>,
  agents: { readonly http: HttpAgent; readonly https: HttpsAgent },
  options: HttpSenderOptions,
): Promise<SendResult> {
  const url = new URL(target)
  const secure = url.protocol === 'https:'
  const host = url.hostname.replaceAll(/[[\]]/g, '')
  if (isIP(host) !== 0 && !options.allowLinkLocal && isForbiddenAddress(host))
    return Promise.resolve({ result: 'refused', error: `The address ${host} is not allowed` })
  const seconds = Math.floor(message.sentAt / 1000)
  const request: RequestOptions = {
    method: 'POST',
    lookup: guardedLookup(options.allowLinkLocal),
    headers: {
      ...headers,
      'Content-Type': 'application/json',
      'Content-Length': Buffer.byteLength(message.body),
      'User-Agent': 'fleetwright',
      'webhook-id': message.id,
      'webhook-timestamp': String(seconds),
      'webhook-signature': signatureOf(options.key, message, seconds),
    },
  }
  return new Promise((resolve) => {
    const outgoing = secure
      ? httpsRequest(url, { ...request, agent: agents.https })
      : httpRequest(url, { ...request, agent: agents.http })
    const limit = options.timeLimitMilliseconds ?? TIME_LIMIT_MILLISECONDS
    const timer = setTimeout(() => outgoing.destroy(new Error(`no answer in ${limit} ms`)), limit)
    outgoing.on('response', (response) => {
      clearTimeout(timer)
      response.resume()
      resolve(resultOf(response.statusCode ?? 0))
    })
    outgoing.on('error', (error) => {
      clearTimeout(timer)
      const forbidden = error instanceof ForbiddenAddressError
      resolve({ result: forbidden ? 'refused' : 'later', error: error.message })
    })
    outgoing.end(message.body)
  })
}

function resultOf(status: number): SendResult {
  if (status >= 200 && status < 300) return { result: 'taken' }
  const error = `HTTP ${status}`
  return { result: status >= 500 || RETRY_STATUSES.includes(status) ? 'later' : 'refused', error }
}
