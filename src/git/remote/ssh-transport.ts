/** Git's protocol over the system's ssh: a session a request, over one connection while they come close together. */
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FleetError } from '../../fleet/errors.ts'
import type { SshAddress } from '../../fleet/repository-address.ts'
import type { Clock } from '../../ports/clock.ts'
import { startSsh } from '../child-process.ts'
import { isFaultOfRemote, notGit } from './failures.ts'
import { TIME_LIMITS, type TimeLimits } from './http-client.ts'
import { readAdvertisement } from './ssh-advertisement.ts'
import { shellCommand, sshArguments } from './ssh-command.ts'
import { type SshTarget, sshFailure, sshMissing, unknownSshFailure } from './ssh-failures.ts'
import { converse, type SshConversation } from './ssh-session.ts'
import type { GitTransport, ProtocolVersion, Service } from './transport.ts'
import { plain } from './words.ts'

export interface SshTransportOptions {
  readonly address: SshAddress
  /** Private key without a passphrase. */
  readonly keyFile: string
  /** As ~/.ssh/known_hosts; only servers whose key is in it are talked to. */
  readonly knownHostsFile: string
  readonly clock: Pick<Clock, 'monotonic'>
  readonly limits?: TimeLimits
}

export function createSshTransport(options: SshTransportOptions): GitTransport {
  const { address, clock, limits = TIME_LIMITS } = options
  let sockets: Promise<string> | undefined
  const running = new Set<ReturnType<typeof startSsh>>()
  async function prepare(): Promise<readonly string[]> {
    sockets ??= mkdtemp(join(tmpdir(), 'fleetwright-ssh-'))
    return await sshArguments(options, await sockets, clock.monotonic())
  }
  async function run(
    service: Service,
    version: ProtocolVersion,
    request: readonly Buffer[] | undefined,
  ): Promise<SshConversation> {
    const args = [...(await prepare()), ...destination(address, version), `${service} '${address.path}'`]
    const child = startSsh(args, version === 2 ? { GIT_PROTOCOL: 'version=2' } : {})
    running.add(child)
    try {
      return await converse(child, request, limits)
    } catch (cause) {
      throw sshMissing(cause)
    } finally {
      running.delete(child)
    }
  }
  return {
    url: address.url,
    async advertisement(service, version) {
      const said = await run(service, version, undefined)
      const found = readAdvertisement(linesOf(said, options))
      if (found === undefined) throw notGit(address.url)
      return found
    },
    async exchange(service, version, request) {
      const said = await run(service, version, request)
      linesOf(said, options)
      // The request was sent: whatever the words are, it may have been carried out.
      if (said.answer.length === 0) throw unknownSshFailure(said.words, options)
      return said.answer
    },
    native: {
      url: address.url,
      async environment() {
        return {
          GIT_SSH_COMMAND: shellCommand(await prepare()),
          GIT_SSH_VARIANT: 'ssh',
          GIT_CONFIG_COUNT: '1',
          GIT_CONFIG_KEY_0: 'protocol.version',
          GIT_CONFIG_VALUE_0: '2',
        }
      },
      redact: (text) => text,
      failure: (words) => sshFailure(words, options) ?? protocolFailure(words, options),
    },
    async close() {
      for (const child of running) child.kill('SIGKILL')
      const folder = await sockets
      if (folder === undefined) return
      sockets = undefined
      await endShared(address, folder)
      await rm(folder, { recursive: true, force: true })
    },
  }
}

function destination({ user, host, port }: SshAddress, version: ProtocolVersion): readonly string[] {
  return [
    ...(version === 2 ? ['-o', 'SendEnv=GIT_PROTOCOL'] : []),
    ...(port === undefined ? [] : ['-p', String(port)]),
    // Nothing after it can be an option.
    '--',
    `${user}@${host}`,
  ]
}

/** @throws FleetError `remote-denied`, `remote-unavailable` when the server did not get as far as git */
function linesOf({ advertised, words, status }: SshConversation, target: SshTarget): readonly Buffer[] {
  if (advertised === undefined) {
    const known = sshFailure(words, target)
    if (known !== undefined) throw known
    // 255 is ssh's own; any other status is the word of the server's command.
    if (status > 0 && status < 255) throw turnedAway(words, target)
    throw unknownSshFailure(words, target)
  }
  const first = advertised[0]?.toString('utf8') ?? ''
  if (!first.startsWith('ERR ')) return advertised
  throw sshFailure(first, target) ?? turnedAway(first.slice(4), target)
}

function turnedAway(words: string, { address }: SshTarget): FleetError {
  return new FleetError('remote-denied', `${address.url} refuses: ${plain(words)}`)
}

function protocolFailure(words: string, target: SshTarget): FleetError | undefined {
  return isFaultOfRemote(words) ? unknownSshFailure(words, target) : undefined
}

/** Connections that sessions shared; without this they would go on for a minute. */
async function endShared({ user, host }: SshAddress, sockets: string): Promise<void> {
  const names = await readdir(sockets)
  await Promise.all(
    names.map(async (name) => {
      const child = startSsh([
        '-F',
        '/dev/null',
        '-S',
        join(sockets, name),
        '-O',
        'exit',
        '--',
        `${user}@${host}`,
      ])
      child.stdin.end()
      await new Promise<void>((resolve) => {
        child.once('close', () => resolve())
        child.once('error', () => resolve())
      })
    }),
  )
}
