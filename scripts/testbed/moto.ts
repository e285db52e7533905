/** moto, which answers as AWS does: installed once into the cache folder with Python 3. */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { CACHE_FOLDER, ToolUnavailableError } from './binaries.ts'
import { answers, freePort } from './ports.ts'
import type { Supervisor } from './supervisor.ts'

const VERSION = '5.2.5'

export interface Moto {
  /** Endpoint of every service; any region and any credentials are good. */
  readonly url: string
  /** Empties it. */
  reset(): Promise<void>
}

export async function startMoto(supervisor: Supervisor): Promise<Moto> {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  await supervisor.start({
    name: 'moto',
    command: await ensureMoto(),
    args: ['-m', 'moto.server', '-H', '127.0.0.1', '-p', String(port)],
    ready: () => answers(`${url}/moto-api/`),
  })
  return {
    url,
    async reset() {
      const response = await fetch(`${url}/moto-api/reset`, { method: 'POST' })
      if (!response.ok) throw new Error(`moto: reset was answered ${response.status}`)
    },
  }
}

/** The Python that has moto. @throws ToolUnavailableError when it is not there and cannot be installed */
export async function ensureMoto(log: (line: string) => void = () => undefined): Promise<string> {
  const folder = join(CACHE_FOLDER, `moto-${VERSION}`)
  // Run as a module: the scripts of a virtual environment name the folder it was made in.
  const python = join(folder, 'bin', 'python')
  if (existsSync(python)) return python
  const partial = `${folder}.${process.pid}.partial`
  log(`installing moto ${VERSION} (once)`)
  await mkdir(CACHE_FOLDER, { recursive: true })
  try {
    await run('python3', ['-m', 'venv', partial])
    const quiet = ['--quiet', '--disable-pip-version-check']
    await run(join(partial, 'bin', 'python'), ['-m', 'pip', 'install', ...quiet, `moto[server]==${VERSION}`])
    await rename(partial, folder).catch((error: unknown) => {
      // Another process was faster.
      if (!existsSync(python)) throw error
    })
  } finally {
    await rm(partial, { recursive: true, force: true })
  }
  return python
}

async function run(command: string, args: readonly string[]): Promise<void> {
  const child = spawn(command, [...args], { stdio: ['ignore', 'ignore', 'pipe'] })
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-2_000)
  })
  const end = await new Promise<number | string>((resolve) => {
    child.on('error', (error) => resolve(error.message))
    child.on('close', (status, signal) => resolve(status ?? signal ?? 'unknown'))
  })
  if (end === 0) return
  throw new ToolUnavailableError(
    `${command} ${args.join(' ')} ended with ${end}: ${errors.trim()}\nmoto needs Python 3 with venv and pip (Debian: python3-venv)`,
  )
}

if (import.meta.main)
  process.stdout.write(`moto ${VERSION}: ${await ensureMoto((line) => process.stderr.write(`${line}\n`))}\n`)
