/** How ssh is called: with this key and these known hosts, and nothing that a user or system has configured. */
import { createHash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { FleetError } from '../../fleet/errors.ts'
import type { SshTarget } from './ssh-failures.ts'

/** A connection that several sessions share is made anew after this time, so that a server asks for the key again. */
const CONNECTION_MILLISECONDS = 10 * 60_000
const CONNECTION_IDLE_SECONDS = 60

/** Longest path of a socket, less what ssh adds to it while it makes one. */
const LONGEST_SOCKET_PATH = 80

const OPTIONS: readonly (readonly [string, string])[] = [
  ['BatchMode', 'yes'],
  ['StrictHostKeyChecking', 'yes'],
  ['GlobalKnownHostsFile', '/dev/null'],
  ['UpdateHostKeys', 'no'],
  ['VerifyHostKeyDNS', 'no'],
  ['CheckHostIP', 'no'],
  ['CanonicalizeHostname', 'no'],
  ['IdentitiesOnly', 'yes'],
  ['IdentityAgent', 'none'],
  ['PreferredAuthentications', 'publickey'],
  ['ForwardAgent', 'no'],
  ['ForwardX11', 'no'],
  ['ClearAllForwardings', 'yes'],
  ['PermitLocalCommand', 'no'],
  ['EscapeChar', 'none'],
  ['ConnectTimeout', '15'],
  ['ServerAliveInterval', '15'],
  ['ServerAliveCountMax', '3'],
  ['LogLevel', 'ERROR'],
]

/**
 * Arguments up to the host, for `ssh` and for `GIT_SSH_COMMAND`.
 * @param sockets private folder for connections that sessions share
 * @param now milliseconds of a clock that only goes on
 * @throws FleetError `remote-denied` when the key or the known hosts cannot be used
 */
export async function sshArguments(
  { keyFile, knownHostsFile }: SshTarget,
  sockets: string | undefined,
  now: number,
): Promise<readonly string[]> {
  const key = await requireKey(keyFile)
  const hosts = await requireKnownHosts(knownHostsFile)
  const options = [
    ...OPTIONS,
    ['IdentityFile', quoted(keyFile)],
    ['UserKnownHostsFile', quoted(knownHostsFile)],
    ...sharing(sockets, `${key} ${hosts} ${Math.floor(now / CONNECTION_MILLISECONDS)}`),
  ]
  return [
    '-F',
    '/dev/null',
    '-a',
    '-x',
    '-T',
    ...options.flatMap(([name, value]) => ['-o', `${name}=${value}`]),
  ]
}

/** Sessions share a connection while key and known hosts stay the same: a handshake costs more than a push. */
function sharing(sockets: string | undefined, version: string): readonly (readonly [string, string])[] {
  const name = createHash('sha256').update(version).digest('hex').slice(0, 12)
  const path = sockets === undefined ? undefined : join(sockets, name)
  if (path === undefined || path.length > LONGEST_SOCKET_PATH)
    return [
      ['ControlMaster', 'no'],
      ['ControlPath', 'none'],
    ]
  return [
    ['ControlMaster', 'auto'],
    ['ControlPath', quoted(path)],
    // Goes by itself when the process was killed.
    ['ControlPersist', `${CONNECTION_IDLE_SECONDS}s`],
  ]
}

/** A path as ssh's options take it, where spaces, `%` and `${` mean something. */
function quoted(path: string): string {
  if (/["\\\p{Cc}]|\$\{/u.test(path))
    throw new FleetError(
      'invalid-configuration',
      `ssh cannot take the path ${JSON.stringify(path)}; use one without quotes, backslashes and \${`,
    )
  return `"${path.replaceAll('%', '%%')}"`
}

async function requireKey(path: string): Promise<string> {
  const { mode, uid, version } = await look(path, 'ssh key')
  // A mounted secret may belong to root and be readable by this process's group; ssh itself says the same.
  const tooOpen = (mode & 0o007) !== 0 || ((mode & 0o070) !== 0 && uid === process.getuid?.())
  if (!tooOpen) return version
  throw new FleetError(
    'remote-denied',
    `The ssh key ${path} can be read by others (mode ${(mode & 0o777).toString(8).padStart(4, '0')}); chmod 600 it.`,
  )
}

async function requireKnownHosts(path: string): Promise<string> {
  return (await look(path, 'file of known hosts')).version
}

interface FileLook {
  readonly mode: number
  readonly uid: number
  /** Another one as soon as the file was written or replaced. */
  readonly version: string
}

async function look(path: string, what: string): Promise<FileLook> {
  try {
    const { mode, uid, mtimeMs, size, ino } = await stat(path)
    return { mode, uid, version: `${mtimeMs}-${size}-${ino}` }
  } catch (cause) {
    const why = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown'
    throw new FleetError('remote-denied', `The ${what} ${path} cannot be read (${why}).`, {}, { cause })
  }
}

/** The arguments as a shell takes them. */
export function shellCommand(args: readonly string[]): string {
  return ['ssh', ...args].map((arg) => `'${arg.replaceAll("'", "'\\''")}'`).join(' ')
}
