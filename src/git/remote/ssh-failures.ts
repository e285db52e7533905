/** What ssh's own words, and those of a git server behind it, mean. */

import { FleetError } from '../../fleet/errors.ts'
import type { SshAddress } from '../../fleet/repository-address.ts'
import { plain } from './words.ts'

export interface SshTarget {
  readonly address: SshAddress
  readonly keyFile: string
  readonly knownHostsFile: string
}

type Meaning = readonly [
  words: RegExp,
  code: 'remote-denied' | 'remote-unavailable',
  (target: SshTarget) => string,
]

const scan = ({ address: { host, port } }: SshTarget): string =>
  `ssh-keyscan ${port === undefined ? '' : `-p ${port} `}${host}`

/** The first that fits counts: what is particular before what is general. */
const MEANINGS: readonly Meaning[] = [
  [
    /REMOTE HOST IDENTIFICATION HAS CHANGED|host key for .+ has changed/i,
    'remote-denied',
    (target) =>
      `${target.address.host} shows another host key than the one in ${target.knownHostsFile}: it was given a new one, or somebody is in between. Ask who runs it; when the new key (${scan(target)}) is the published one, replace its lines there.`,
  ],
  [
    /No .+ host key is known for|Host key verification failed/i,
    'remote-denied',
    (target) =>
      `${target.knownHostsFile} has no host key of ${target.address.host}. Add what "${scan(target)}" says, after comparing it with the fingerprint that those who run the server publish.`,
  ],
  [
    /marked as read.only|deploy key does not have write access|not allowed to push|no write access/i,
    'remote-denied',
    (target) =>
      `The key ${target.keyFile} may only read ${target.address.url}. Allow the deploy key to write (push).`,
  ],
  [
    /Load key .+: |invalid format|error in libcrypto|bad permissions/i,
    'remote-denied',
    (target) =>
      `ssh cannot use the key ${target.keyFile}. It must be a private key without a passphrase, as ssh-keygen -N '' makes it.`,
  ],
  [
    /Permission denied \(|Too many authentication failures/i,
    'remote-denied',
    (target) =>
      `${target.address.host} does not accept the key ${target.keyFile} for ${target.address.user}. Add its public key as a deploy key that may write.`,
  ],
  [
    /Repository not found|project you were looking for could not be found|does not appear to be a git repository|not a git repository|Cannot find repository|no such repository|access denied|repository .*does not exist/i,
    'remote-denied',
    (target) => `There is no repository ${target.address.url}, or the key ${target.keyFile} may not see it.`,
  ],
  [
    /Could not resolve hostname|Connection (?:refused|timed out|reset|closed)|No route to host|Network is unreachable|Operation timed out|kex_exchange_identification|Timeout, server|Broken pipe|Connection to .+ closed|mux_client|Control socket|Session open refused/i,
    'remote-unavailable',
    ({ address: { host } }) => `${host} cannot be reached by ssh.`,
  ],
]

/** Undefined: neither ssh nor the server says why. */
export function sshFailure(words: string, target: SshTarget): FleetError | undefined {
  const meaning = MEANINGS.find(([pattern]) => pattern.test(words))
  if (meaning === undefined) return undefined
  const [, code, sentence] = meaning
  return new FleetError(code, `${sentence(target)} (${plain(words)})`)
}

/** When the server's command came to no end that git knows. */
export function unknownSshFailure(words: string, { address }: SshTarget): FleetError {
  const said = words.trim() === '' ? 'without a word' : plain(words)
  return new FleetError('remote-unavailable', `The connection to ${address.host} ended: ${said}.`)
}

export function sshMissing(cause: unknown): FleetError {
  return new FleetError(
    'remote-unavailable',
    'ssh cannot be started; install an OpenSSH client and put it on the PATH, or name the repository by its https URL.',
    {},
    { cause },
  )
}
