/** A PostgreSQL server of Debian's package, started for a test and ended with it. */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { chown, mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const ROOT = '/usr/lib/postgresql'

export interface Postgres {
  /** URL of a new, empty database. */
  database(name: string): string
  /** Ends at once, without writing anything more, as in a crash; `start` brings it back with what was committed. */
  crash(): Promise<void>
  start(): Promise<void>
  stop(): Promise<void>
}

/** Why it cannot be started here; undefined: it can. */
export function missingPostgres(): string | undefined {
  return folderOfBinaries() === undefined ? 'PostgreSQL is not installed (Debian: postgresql)' : undefined
}

function folderOfBinaries(): string | undefined {
  const versions = existsSync(ROOT) ? readdirSync(ROOT).sort((a, b) => Number(b) - Number(a)) : []
  return versions
    .map((version) => join(ROOT, version, 'bin'))
    .find((folder) => existsSync(join(folder, 'initdb')))
}

/** @throws Error when it does not start */
export async function startPostgres(): Promise<Postgres> {
  const binaries = folderOfBinaries()
  if (binaries === undefined) throw new Error(missingPostgres())
  const folder = await mkdtemp(join(tmpdir(), 'fleetwright-postgres-'))
  const user = await unprivileged(folder)
  run(
    join(binaries, 'initdb'),
    ['-D', join(folder, 'data'), '-U', 'fleetwright', '-A', 'trust', '--no-sync', '-E', 'UTF8'],
    user,
  )
  const port = await freePort()
  const server = new Server(
    join(binaries, 'postgres'),
    [
      '-D',
      join(folder, 'data'),
      '-p',
      String(port),
      '-c',
      'listen_addresses=127.0.0.1',
      '-c',
      `unix_socket_directories=${folder}`,
    ],
    user,
  )
  await server.start(port)
  return {
    database(name) {
      run(
        join(binaries, 'createdb'),
        ['-h', '127.0.0.1', '-p', String(port), '-U', 'fleetwright', name],
        user,
      )
      return `postgres://fleetwright@127.0.0.1:${port}/${name}`
    },
    // Its immediate shutdown: SIGKILL would leave its children behind.
    crash: () => server.end('SIGQUIT'),
    start: () => server.start(port),
    async stop() {
      await server.end('SIGQUIT')
      await rm(folder, { recursive: true, force: true })
    },
  }
}

interface User {
  readonly uid?: number
  readonly gid?: number
}

/** PostgreSQL refuses to run as root. */
async function unprivileged(folder: string): Promise<User> {
  if (process.getuid?.() !== 0) return {}
  const [uid, gid] = ['-u', '-g'].map((flag) =>
    Number(spawnSync('id', [flag, 'postgres'], { encoding: 'utf8' }).stdout.trim()),
  )
  if (uid === undefined || gid === undefined || Number.isNaN(uid + gid))
    throw new Error('there is no user postgres')
  await chown(folder, uid, gid)
  return { uid, gid }
}

function run(command: string, args: readonly string[], user: User): void {
  const { status, stderr } = spawnSync(command, args, {
    ...user,
    cwd: '/',
    encoding: 'utf8',
    env: { PATH: process.env.PATH, LC_ALL: 'C' },
  })
  if (status !== 0) throw new Error(`${command} ended with ${status}: ${stderr}`)
}

class Server {
  readonly #command: string
  readonly #args: readonly string[]
  readonly #user: User
  #child: ReturnType<typeof spawn> | undefined

  constructor(command: string, args: readonly string[], user: User) {
    this.#command = command
    this.#args = args
    this.#user = user
  }

  async start(port: number): Promise<void> {
    this.#child = spawn(this.#command, this.#args, {
      ...this.#user,
      cwd: '/',
      stdio: 'ignore',
      env: { PATH: process.env.PATH, LC_ALL: 'C' },
    })
    for (let at = 0; at < 200; at += 1) {
      if (
        spawnSync(join(this.#command, '../pg_isready'), ['-h', '127.0.0.1', '-p', String(port)]).status === 0
      )
        return
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    throw new Error('PostgreSQL did not start')
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (child === undefined || child.exitCode !== null) return
    const ended = new Promise((resolve) => child.once('close', resolve))
    child.kill(signal)
    await ended
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (typeof address !== 'object' || address === null) throw new Error('no free port')
  return address.port
}
