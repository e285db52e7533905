/** Where a repository is: a path on this disk, or a git server over HTTP(S) or ssh. */

export type RepositoryAddress =
  | { readonly kind: 'path'; readonly path: string }
  | { readonly kind: 'http'; readonly url: string }
  | SshAddress

export interface SshAddress {
  readonly kind: 'ssh'
  /** As native git takes it. */
  readonly url: string
  readonly user: string
  /** Without brackets. */
  readonly host: string
  readonly port: number | undefined
  /** As the server's command takes it. */
  readonly path: string
}

export type AddressReading =
  | { readonly address: RepositoryAddress }
  /** Goes on after the name of the setting: `must be …`. */
  | { readonly problem: string }

const KINDS = 'must be a path, or a URL of http, https or ssh'
const EXAMPLES =
  'for example https://git.example.com/team/fleet.git or ssh://git@git.example.com/team/fleet.git'
const NO_SECRETS =
  'must not hold a user name or token; give the token with --fleet-token-file or FLEETWRIGHT_FLEET_TOKEN, the name with --fleet-user'

/** What reaches ssh, and through it a shell on the server, is of these and nothing else. */
const USER = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$/
const HOST = /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|\[[0-9a-fA-F:.]{2,45}\])$/
const PATH = /^(?:\/|~|[A-Za-z0-9_.])[A-Za-z0-9._/~+@-]{0,1023}$/
const SSH_URL = /^ssh:\/\/(?:([^@/]*)@)?(\[[^\]/]*\]|[^:/[\]]*)(?::([^/]*))?(\/.*)$/i
const SCP_LIKE = /^([^@/:]+)@(\[[^\]/]*\]|[^:/[\]]*):(.*)$/

/** Reads what `git clone` takes; nothing in it may be secret, and nothing may be taken for an option or by a shell. */
export function readRepositoryAddress(text: string): AddressReading {
  if (text === '') return { problem: 'must not be empty' }
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase()
  if (scheme === 'ssh') return readSshUrl(text)
  if (scheme !== undefined) return readHttpUrl(text, scheme)
  const scpLike = SCP_LIKE.exec(text)
  if (scpLike === null) return { address: { kind: 'path', path: text } }
  const [, user = '', host = '', path = ''] = scpLike
  return sshAddress({ url: text, user, host, port: undefined, path })
}

function readHttpUrl(text: string, scheme: string): AddressReading {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^https?$/.test(scheme)) return { problem: `${KINDS}, ${EXAMPLES}` }
  if (url.username !== '' || url.password !== '') return { problem: NO_SECRETS }
  if (url.search !== '' || url.hash !== '') return { problem: 'must end with the path of the repository' }
  return { address: { kind: 'http', url: text.replace(/\/+$/, '') } }
}

function readSshUrl(text: string): AddressReading {
  const [, user = '', host = '', port, path = ''] = SSH_URL.exec(text) ?? []
  if (user.includes(':'))
    return { problem: 'must not hold a password; ssh logs in with the key of --fleet-ssh-key-file' }
  if (port !== undefined && !(/^[1-9]\d{0,4}$/.test(port) && Number(port) <= 65_535))
    return { problem: `must have a port from 1 to 65535, ${EXAMPLES}` }
  // As git does: /~ada/fleet.git is in Ada's home.
  const sent = path.startsWith('/~') ? path.slice(1) : path
  return sshAddress({
    url: text,
    user,
    host,
    port: port === undefined ? undefined : Number(port),
    path: sent,
  })
}

function sshAddress(parts: Omit<SshAddress, 'kind'>): AddressReading {
  if (parts.user === '') return { problem: `must name the user, mostly git, ${EXAMPLES}` }
  if (!USER.test(parts.user)) return { problem: 'must have a user of letters, digits, ".", "_" and "-"' }
  if (!HOST.test(parts.host)) return { problem: `must have the name of a host, ${EXAMPLES}` }
  if (!PATH.test(parts.path) || parts.path.split('/').includes('..'))
    return {
      problem: 'must have a path of letters, digits and any of "._~+@-", that does not begin with "-"',
    }
  return { address: { kind: 'ssh', ...parts, host: parts.host.replaceAll(/[[\]]/g, '') } }
}
