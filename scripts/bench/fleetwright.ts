/** A Fleetwright server in a process of its own, as `npm start` runs it. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { openSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { readTips } from '../../src/git/ref-transactions.ts'
import type { Hosted } from './fleets.ts'
import type { Target } from './load.ts'
import type { Tips } from './native-git.ts'

const MAIN_FILE = join(import.meta.dirname, '../../src/main.ts')
const TOKEN = 'fwt_for-benchmarks-only-0123456789-0123456789'

export interface Fleetwright extends Target {
  /** Tips of the repository that it pushes to. */
  tips(): Promise<Tips>
  /** Of its process, in bytes. */
  residentMemory(): Promise<number>
  readonly pid: number | undefined
  readonly startSeconds: number
  close(): Promise<void>
}

/** `remote`: pushes to the git server over HTTP; `embedded`: works on the repository on this disk. */
export type Home = 'remote' | 'embedded'

/** @param data data directory; its log goes to `server.log` there */
export async function startFleetwright(fleet: Hosted, home: Home, data: string): Promise<Fleetwright> {
  const started = performance.now()
  const { PATH, HOME, TMPDIR, NODE_OPTIONS } = process.env
  const log = openSync(join(data, 'server.log'), 'a')
  const child = spawn(
    process.execPath,
    [
      MAIN_FILE,
      'serve',
      '--data',
      data,
      '--listen',
      '127.0.0.1:0',
      '--fleet',
      home === 'remote' ? fleet.url : fleet.directory,
    ],
    {
      stdio: ['ignore', 'pipe', log],
      env: { PATH, HOME, TMPDIR, NODE_OPTIONS, FLEETWRIGHT_ADMIN_TOKEN: TOKEN },
    },
  )
  const ended = once(child, 'close')
  if (child.stdout === null) throw new TypeError('the server has no output')
  const url = await Promise.race([
    urlIn(child.stdout),
    ended.then(() => {
      throw new Error(`the server ended with ${child.exitCode}; see ${join(data, 'server.log')}`)
    }),
  ])
  return {
    url,
    token: TOKEN,
    tips: () => readTips(fleet.directory),
    residentMemory: () => residentMemory(child.pid),
    pid: child.pid,
    startSeconds: (performance.now() - started) / 1000,
    async close() {
      child.kill('SIGTERM')
      await ended
    },
  }
}

/** The server prints its address when it is up. */
async function urlIn(output: Readable): Promise<string> {
  let text = ''
  return await new Promise((resolve) => {
    output.on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8')
      const url = /^ *API +(http:\S+)/m.exec(text)?.[1]
      if (url !== undefined) resolve(url)
    })
  })
}

async function residentMemory(pid: number | undefined): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? Number.NaN) * 1024
}
