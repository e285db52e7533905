/** How the configuration says to reach a git server and to log in there. */
import { resolve } from 'node:path'
import type { Configuration } from '../configuration/settings.ts'
import { FleetError } from '../fleet/errors.ts'
import { readRepositoryAddress } from '../fleet/repository-address.ts'
import type { NativeAccess } from '../git/contracts.ts'
import { createCredentials } from '../git/remote/credentials.ts'
import { createHttpTransport } from '../git/remote/http-transport.ts'
import { createSshTransport } from '../git/remote/ssh-transport.ts'
import type { GitTransport } from '../git/remote/transport.ts'
import { systemClock } from '../system/clock.ts'
import type { ConfiguredGitHubApp } from './github-app.ts'

type Login = Pick<
  Configuration,
  'fleet-token' | 'fleet-token-file' | 'fleet-user' | 'fleet-ssh-key-file' | 'fleet-known-hosts-file'
>

/**
 * Of a repository on a git server; undefined: it is a path on this disk. A GitHub App logs in to its own server, unless there
 * is a token.
 * @throws FleetError `invalid-configuration` when what the server needs is not configured
 */
export function fleetTransport(
  target: string,
  login: Login,
  app?: Pick<ConfiguredGitHubApp, 'server' | 'credentials'>,
): GitTransport | undefined {
  const reading = readRepositoryAddress(target)
  if ('problem' in reading) throw invalid(`${target}: ${reading.problem}`)
  const { address } = reading
  if (address.kind === 'path') return undefined
  if (address.kind === 'ssh')
    return createSshTransport({
      address,
      keyFile: required(login, 'fleet-ssh-key-file', 'the private key that may push there'),
      knownHostsFile: required(
        login,
        'fleet-known-hosts-file',
        `its host key, as "ssh-keyscan ${address.host}" says it and the server's people confirm it`,
      ),
      clock: systemClock,
    })
  const { 'fleet-token': token, 'fleet-token-file': tokenFile, 'fleet-user': user } = login
  if (token !== undefined && tokenFile !== undefined)
    throw invalid('Give fleet-token-file or fleet-token, not both.')
  const isOfApp = app !== undefined && new URL(app.server).origin === new URL(address.url).origin
  if (isOfApp && token === undefined && tokenFile === undefined)
    return createHttpTransport({ url: address.url, credentials: app.credentials })
  const secret = {
    ...(token === undefined ? {} : { token }),
    ...(tokenFile === undefined ? {} : { tokenFile }),
  }
  return createHttpTransport({ url: address.url, credentials: createCredentials({ user, ...secret }) })
}

/** Of a repository on this disk. */
export function pathAccess(path: string): NativeAccess {
  return {
    url: resolve(path),
    environment: async () => ({}),
    redact: (text) => text,
    failure: () => undefined,
  }
}

function required(login: Login, key: 'fleet-ssh-key-file' | 'fleet-known-hosts-file', what: string): string {
  const path = login[key]
  if (path !== undefined) return resolve(path)
  throw invalid(`A repository over ssh needs ${key}: a file with ${what}.`)
}

function invalid(detail: string): FleetError {
  return new FleetError('invalid-configuration', detail)
}
