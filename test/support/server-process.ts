/** Fleetwright as a process of its own, to be killed and started again on the same data. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { waitFor } from '../../scripts/testbed/wait.ts'
import { TOKEN } from './server.ts'

const MAIN = join(import.meta.dirname, '../../src/main.ts')

export interface ServerProcess {
  /** SIGKILL, then a new process on the same data and port; resolves when it answers. */
  killAndStart(): Promise<void>
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>
  /**
   * A new process on the same data and port; resolves when it answers.
   * @param flags instead of those it had before
   */
  start(flags?: readonly string[]): Promise<void>
  stop(): Promise<void>
}

export interface ServerProcessOptions {
  readonly data: string
  readonly port: number
  /** Further flags of `serve`. */
  readonly flags?: readonly string[]
}

export async function startServerProcess({
  data,
  port,
  flags: given = [],
}: ServerProcessOptions): Promise<ServerProcess> {
  const url = `http://127.0.0.1:${port}`
  let flags = given
  let child = start()
  function start(): ReturnType<typeof spawn> {
    const args = [
      MAIN,
      'serve',
      '--data',
      data,
      '--listen',
      `127.0.0.1:${port}`,
      '--log-level',
      'warn',
      ...flags,
    ]
    return spawn(process.execPath, args, {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { PATH: process.env.PATH, HOME: process.env.HOME, FLEETWRIGHT_ADMIN_TOKEN: TOKEN },
    })
  }
  async function answers(): Promise<void> {
    await waitFor('Fleetwright to answer', async () => {
      if (child.exitCode !== null) throw new Error(`Fleetwright ended with ${child.exitCode}`)
      return (await fetch(`${url}/healthz`)).ok
    })
  }
  async function end(signal: NodeJS.Signals): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise((resolve) => child.once('close', resolve))
    child.kill(signal)
    await ended
  }
  await answers()
  return {
    async killAndStart() {
      await end('SIGKILL')
      child = start()
      await answers()
    },
    kill: () => end('SIGKILL'),
    async start(more = flags) {
      flags = more
      child = start()
      await answers()
    },
    stop: () => end('SIGTERM'),
  }
}
