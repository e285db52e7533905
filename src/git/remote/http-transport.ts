/** Git's smart HTTP. */
import { GitRemoteHTTP } from 'isomorphic-git/managers'
import { FleetError, isFleetError } from '../../fleet/errors.ts'
import type { Credentials } from './credentials.ts'
import { isFaultOfRemote, notGit } from './failures.ts'
import { createHttpClient, type GitHttpClient, type TimeLimits } from './http-client.ts'
import type { NativeAccess } from '../contracts.ts'
import type { Advertisement, GitTransport, ProtocolVersion, Service } from './transport.ts'
import { plain } from './words.ts'

export interface HttpTransportOptions {
  /** Without credentials. */
  readonly url: string
  readonly credentials: Credentials
  readonly limits?: TimeLimits
}

export function createHttpTransport(options: HttpTransportOptions): GitTransport {
  const url = options.url.replace(/\/+$/, '')
  const http = createHttpClient(options.credentials, /^https:/i.test(url), options.limits)
  return {
    url,
    advertisement: (service, version) => discover(url, http, service, version),
    exchange: (service, version, request) => post(url, http, { service, version, request }),
    native: nativeAccess(url, options.credentials),
    close: async () => http.close(),
  }
}

async function discover(
  url: string,
  http: GitHttpClient,
  service: Service,
  version: ProtocolVersion,
): Promise<Advertisement> {
  try {
    const found = await GitRemoteHTTP.discover({
      ...{ http, url, service, headers: {} },
      protocolVersion: version,
    })
    const second = found.protocolVersion === 2
    return {
      protocolVersion: second ? 2 : 1,
      capabilities: second ? new Set(Object.keys(found.capabilities2)) : found.capabilities,
      refs: second ? new Map() : found.refs,
      symrefs: second ? new Map() : found.symrefs,
    }
  } catch (error) {
    throw isFleetError(error) ? error : notGit(url)
  }
}

async function post(
  url: string,
  http: GitHttpClient,
  asked: {
    readonly service: Service
    readonly version: ProtocolVersion
    readonly request: readonly Buffer[]
  },
): Promise<Buffer> {
  const { service, version } = asked
  const headers: Record<string, string> = version === 2 ? { 'Git-Protocol': 'version=2' } : {}
  const answer = await GitRemoteHTTP.connect({
    ...{ http, url, service, headers, auth: {} },
    body: asked.request,
  })
  if (answer.headers?.['content-type'] !== `application/x-${service}-result`) throw notGit(url)
  const chunks: Uint8Array[] = []
  for await (const chunk of answer.body ?? []) chunks.push(chunk)
  return Buffer.concat(chunks)
}

const DENIED = /authentication failed|could not read (?:username|password)|returned error: 40[134]|not found/i

function nativeAccess(url: string, credentials: Credentials): NativeAccess {
  let used: string | undefined
  return {
    url,
    async environment() {
      const authorization = await credentials.authorization()
      used = authorization
      const settings: (readonly [string, string])[] = [
        ['http.followRedirects', 'false'],
        ['http.lowSpeedLimit', '1'],
        ['http.lowSpeedTime', '60'],
        ['protocol.version', '2'],
        ['credential.helper', ''],
      ]
      if (authorization !== undefined)
        settings.push([`http.${new URL(url).origin}/.extraHeader`, `Authorization: ${authorization}`])
      const pairs = settings.flatMap(([key, value], at) => [
        [`GIT_CONFIG_KEY_${at}`, key],
        [`GIT_CONFIG_VALUE_${at}`, value],
      ])
      return Object.fromEntries([...pairs, ['GIT_CONFIG_COUNT', String(settings.length)]])
    },
    redact: (text) => credentials.redact(text),
    failure(words) {
      if (!isFaultOfRemote(words)) return undefined
      const said = credentials.redact(plain(words))
      const isDenied = DENIED.test(words)
      if (isDenied && used !== undefined) credentials.refused?.(used)
      return isDenied
        ? new FleetError('remote-denied', `${url} does not let git in: ${said}`)
        : new FleetError('remote-unavailable', `git cannot talk to ${url}: ${said}`, {
            limited: /returned error: 429/.test(words),
          })
    },
  }
}
