/**
 * moto, a server that answers as AWS does: installed once into the cache folder, started on a free port of loopback.
 * Run alone it only installs: `node test/support/moto.ts`.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { access, mkdir, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'

const VERSION = '5.2.5'
const START_SECONDS = 60

/** Thrown when moto is neither there nor can be installed; says what would help. */
export class MotoUnavailableError extends Error {
  override readonly name = 'MotoUnavailableError'
}

export interface Moto {
  readonly url: string
  /** Forgets everything it was told. */
  reset(): Promise<void>
  close(): Promise<void>
}

/** Starts moto, installing it when it is not there. @throws MotoUnavailableError */
export async function startMoto(): Promise<Moto> {
  const python = await ensureMoto()
  const child = spawn(python, ['-m', 'moto.server', '-H', '127.0.0.1', '-p', '0'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const url = await addressOf(child)
  return {
    url,
    async reset() {
      const { ok, status } = await fetch(`${url}/moto-api/reset`, { method: 'POST' })
      if (!ok) throw new Error(`moto did not reset: ${status}`)
    },
    async close() {
      child.kill('SIGTERM')
      await ended
    },
  }
}

/** The Python that has moto. @throws MotoUnavailableError */
async function ensureMoto(): Promise<string> {
  const root = process.env.FLEETWRIGHT_TESTBED_CACHE ?? join(homedir(), '.cache', 'fleetwright', 'testbed')
  const folder = join(root, `moto-${VERSION}`)
  if (await exists(join(folder, 'bin', 'python'))) return join(folder, 'bin', 'python')
  const partial = `${folder}.${process.pid}.partial`
  await mkdir(dirname(folder), { recursive: true })
  try {
    await run('python3', ['-m', 'venv', partial], 'install Python 3 with venv (Debian: python3-venv)')
    const install = [
      '-m',
      'pip',
      'install',
      '--quiet',
      '--disable-pip-version-check',
      `moto[server]==${VERSION}`,
    ]
    await run(join(partial, 'bin', 'python'), install, 'pip needs its package index')
    await rename(partial, folder).catch(async (error: unknown) => {
      // Somebody else was faster.
      if (!(await exists(join(folder, 'bin', 'python')))) throw error
    })
  } finally {
    await rm(partial, { recursive: true, force: true })
  }
  return join(folder, 'bin', 'python')
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  )
}

async function run(command: string, args: readonly string[], hint: string): Promise<void> {
  const child = spawn(command, [...args], { stdio: ['ignore', 'ignore', 'pipe'] })
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-2_000)
  })
  const code = await new Promise<number | string>((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('close', (status, signal) => resolve(status ?? signal ?? 'unknown'))
  })
  if (code === 0) return
  throw new MotoUnavailableError(
    `moto cannot be installed (${hint}): ${command} ${args.slice(0, 3).join(' ')} ended with ${code}. ${errors.trim()}`,
  )
}

async function addressOf(child: ChildProcess): Promise<string> {
  return await new Promise((resolve, reject) => {
    let text = ''
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      reject(new Error(`moto did not start within ${START_SECONDS} s: ${text}`))
    }, START_SECONDS * 1000)
    child.once('close', (code) => {
      clearTimeout(timer)
      reject(new Error(`moto ended with ${code}: ${text}`))
    })
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      text = (text + chunk).slice(-4_000)
      const url = /http:\/\/127\.0\.0\.1:\d+/.exec(text)?.[0]
      if (url === undefined) return
      clearTimeout(timer)
      resolve(url)
    })
  })
}

if (import.meta.main) process.stdout.write(`moto ${VERSION}: ${await ensureMoto()}\n`)
