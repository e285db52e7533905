/** Asks `https://<host>/api/v4/system/ping`: no other path, no redirects, checked certificates, no address of the machine's own network. */
import type { LookupFunction } from 'node:net'
import { isIP } from 'node:net'
import { Agent, request } from 'node:https'
import { guardedLookup, isForbiddenAddress } from '../notify/addresses.ts'
import type { Ping } from '../ports/ping.ts'

const PATH = '/api/v4/system/ping'
const TIME_LIMIT_MILLISECONDS = 10_000
const LARGEST_ANSWER = 64 * 1024

export interface HttpPingOptions {
  readonly timeLimitMilliseconds?: number
  /** Certificates to trust instead of the system's, PEM. */
  readonly certificateAuthority?: string
  readonly port?: number
  /** Instead of the system's; it is not guarded. */
  readonly lookup?: LookupFunction
}

export function createHttpPing(options: HttpPingOptions = {}): Ping {
  const { timeLimitMilliseconds = TIME_LIMIT_MILLISECONDS, certificateAuthority, port = 443 } = options
  // Workspaces are asked too seldom to keep connections to all of them.
  const agent = new Agent({
    keepAlive: false,
    ...(certificateAuthority === undefined ? {} : { ca: certificateAuthority }),
  })
  const lookup = options.lookup ?? guardedLookup(false)
  return {
    async ping(host, signal) {
      if (isIP(host) !== 0 && isForbiddenAddress(host)) return failed(`The address ${host} is not allowed`)
      return await new Promise((resolve) => {
        const outgoing = request({ agent, host, port, path: PATH, method: 'GET', lookup, signal })
        outgoing.setHeader('User-Agent', 'fleetwright')
        const timer = setTimeout(
          () => outgoing.destroy(new Error(`no answer in ${timeLimitMilliseconds} ms`)),
          timeLimitMilliseconds,
        )
        outgoing.on('error', (error) => {
          clearTimeout(timer)
          resolve(failed(error.message))
        })
        outgoing.on('response', (response) => {
          const status = response.statusCode ?? 0
          let size = 0
          // Read to its end, so that a workspace that stops in the middle is not called well.
          response.on('data', (chunk: Buffer) => {
            size += chunk.length
            if (size > LARGEST_ANSWER) outgoing.destroy(new Error('the answer is too long'))
          })
          response.on('error', (error) => {
            clearTimeout(timer)
            resolve(failed(error.message))
          })
          response.on('end', () => {
            clearTimeout(timer)
            resolve(status === 200 ? { ok: true, status } : { ok: false, status, detail: `HTTP ${status}` })
          })
        })
        outgoing.end()
      })
    },
    close: () => agent.destroy(),
  }
}

function failed(detail: string): { readonly ok: false; readonly status: undefined; readonly detail: string } {
  return { ok: false, status: undefined, detail: `The workspace does not answer: ${detail}` }
}
