/** A real sshd on loopback, as a process of this user, that lets one key run git on one repository. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { appendFile, chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { until } from '../until.ts'

const SSHD = ['/usr/sbin/sshd', '/usr/local/sbin/sshd', '/sbin/sshd'].find((path) => existsSync(path))

/** For `skip` of a test: false when there is an sshd. */
export const noSshd: string | false =
  SSHD === undefined ? 'there is no sshd here (apt-get install openssh-server)' : false

/** `before-push`: the connection dies when the push comes. `after-push`: once the refs have moved, before the answer. */
export type SshFault = 'before-push' | 'after-push'

export interface SshServer {
  readonly url: string
  readonly port: number
  /** The bare repository that is served. */
  readonly directory: string
  /** Private, 0600, as the client has it. */
  readonly keyFile: string
  readonly knownHostsFile: string
  /** What git asked for, a line each: `git-receive-pack '/…'`. */
  commands(): Promise<readonly string[]>
  /** Logins there were so far. */
  logins(): number
  /** The next push ends this way. */
  fail(fault: SshFault): Promise<void>
  /** A pre-receive hook that refuses every push with these words; undefined takes it away. */
  refusePushes(words: string | undefined): Promise<void>
  /** Whose public key gets in; undefined: nobody's. */
  allow(publicKey: string | undefined): Promise<void>
  /** Ends sshd with everything that goes through it. */
  stop(): Promise<void>
  /** On the same port, with another host key when that is wanted. */
  start(hostKey?: 'same' | 'new'): Promise<void>
  git(...args: readonly string[]): string
  close(): Promise<void>
}

export function makeKey(path: string, passphrase = ''): string {
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', passphrase, '-C', 'test', '-f', path])
  return `${path}.pub`
}

/** What a login may run: git's own commands, and the faults of a test. */
function gate(folder: string, directory: string): string {
  return `#!/bin/sh
PATH='${process.env.PATH ?? ''}'
export PATH GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null SSHD_SESSION=$PPID
echo "$SSH_ORIGINAL_COMMAND" >>'${folder}/commands'
case "$SSH_ORIGINAL_COMMAND" in
git-receive-pack*)
  if [ -e '${folder}/before-push' ]; then
    # Says what it can, reads the first bytes of the push, and dies.
    git receive-pack --http-backend-info-refs '${directory}'
    head -c 20 | grep -q '^0000' || { rm '${folder}/before-push'; kill -9 $PPID; }
    exit 0
  fi
esac
exec git shell -c "$SSH_ORIGINAL_COMMAND"
`
}

function afterPush(folder: string): string {
  return `#!/bin/sh
if [ "$1" = committed ] && [ -e '${folder}/after-push' ]; then
  rm '${folder}/after-push'
  kill -9 "$SSHD_SESSION"
fi
exit 0
`
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}

async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const address = probe.address()
  await new Promise((resolve) => probe.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('a TCP server without a port')
  return address.port
}

async function writeScript(path: string, text: string): Promise<void> {
  await writeFile(path, text)
  await chmod(path, 0o755)
}

export async function startSshServer(): Promise<SshServer> {
  if (SSHD === undefined) throw new Error('there is no sshd')
  const sshd = SSHD
  const folder = await mkdtemp(join(tmpdir(), 'fleetwright-sshd-'))
  const directory = join(folder, 'fleet.git')
  const git = (...args: readonly string[]): string =>
    execFileSync('git', ['--git-dir', directory, ...args], { encoding: 'utf8', maxBuffer: 1 << 28 })
  git('init', '--quiet', '--bare', '--initial-branch=main')
  git('config', 'receive.autogc', 'false')
  await mkdir(join(directory, 'hooks'), { recursive: true })
  await writeScript(join(directory, 'hooks', 'reference-transaction'), afterPush(folder))
  await writeScript(join(folder, 'gate'), gate(folder, directory))
  await writeFile(join(folder, 'commands'), '')
  const keyFile = join(folder, 'key')
  const publicKey = await readFile(makeKey(keyFile), 'utf8')
  const port = await freePort()
  const knownHostsFile = join(folder, 'known_hosts')
  const authorized = join(folder, 'authorized_keys')
  // As root, sshd wants the folder that a service would have made for it.
  if (process.getuid?.() === 0) await mkdir('/run/sshd', { recursive: true, mode: 0o755 })
  await writeFile(
    join(folder, 'sshd_config'),
    [
      `Port ${port}`,
      'ListenAddress 127.0.0.1',
      `HostKey ${join(folder, 'host_key')}`,
      `AuthorizedKeysFile ${authorized}`,
      'PidFile none',
      'StrictModes no',
      'UsePAM no',
      'PasswordAuthentication no',
      'KbdInteractiveAuthentication no',
      'PermitRootLogin prohibit-password',
      'AcceptEnv GIT_PROTOCOL',
      'LogLevel VERBOSE',
      '',
    ].join('\n'),
  )
  let log = ''
  let child: ChildProcess | undefined
  const server: SshServer = {
    url: `ssh://${userInfo().username}@127.0.0.1:${port}${directory}`,
    port,
    directory,
    keyFile,
    knownHostsFile,
    async commands() {
      const text = await readFile(join(folder, 'commands'), 'utf8')
      return text.split('\n').filter((line) => line !== '')
    },
    logins: () => log.split('Accepted publickey').length - 1,
    fail: (fault) => writeFile(join(folder, fault), ''),
    async refusePushes(words) {
      const hook = join(directory, 'hooks', 'pre-receive')
      if (words === undefined) return await rm(hook, { force: true })
      await writeScript(hook, `#!/bin/sh\ncat >/dev/null\ncat >&2 <<'WORDS'\n${words}\nWORDS\nexit 1\n`)
    },
    allow: (key) =>
      writeFile(authorized, key === undefined ? '' : `restrict,command="${join(folder, 'gate')}" ${key}`),
    async stop() {
      const running = child
      child = undefined
      if (running?.pid === undefined) return
      const ended = new Promise((resolve) => running.once('exit', resolve))
      const children = await readFile(`/proc/${running.pid}/task/${running.pid}/children`, 'utf8')
      running.kill('SIGKILL')
      await ended
      // Connections are processes of their own, and may have ended meanwhile.
      for (const pid of children.split(' ').filter((text) => text !== '')) killIfThere(Number(pid))
    },
    async start(hostKey = 'same') {
      const present = join(folder, 'host_key')
      if (hostKey === 'new') {
        await rm(present, { force: true })
        makeKey(present)
      }
      const before = log.split('Server listening').length
      child = spawn(sshd, ['-D', '-e', '-f', join(folder, 'sshd_config')], {
        stdio: ['ignore', 'ignore', 'pipe'],
      })
      child.stderr?.on('data', (chunk: Buffer) => {
        log += chunk.toString('utf8')
      })
      await until(
        async () => log,
        (text) => text.split('Server listening').length > before,
      )
    },
    git,
    async close() {
      await server.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
  await server.allow(publicKey)
  await server.start('new')
  const hostKey = await readFile(join(folder, 'host_key.pub'), 'utf8')
  await appendFile(knownHostsFile, `[127.0.0.1]:${port} ${hostKey}`)
  return server
}
