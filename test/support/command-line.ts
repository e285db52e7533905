/** The real command as a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import pico from 'picocolors'
import { run } from '../../src/cli/program.ts'
import { systemClock, systemRandomness } from '../../src/system/clock.ts'

export const ROOT = join(import.meta.dirname, '../..')
const MAIN = join(ROOT, 'src/main.ts')

export interface Ran {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly cwd?: string
  readonly environment?: Readonly<Record<string, string>>
  readonly input?: string
}

/** Nothing of the environment the tests run in but what a process needs. */
function environmentOf(extra: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const { PATH, HOME, TMPDIR } = process.env
  return { PATH, HOME, TMPDIR, ...extra }
}

export async function fleetwright(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  return await runProcess(process.execPath, [MAIN, ...args], options)
}

/** The same in this process, where a table of cases would start too many. */
export async function runHere(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Omit<Ran, 'stderr'>> {
  let stdout = ''
  const write = (text: string): void => {
    stdout += text
  }
  const code = await run(args, {
    version: '0.0.0',
    environment,
    clock: systemClock,
    randomness: systemRandomness,
    terminal: {
      colors: pico.createColors(false),
      columns: 100,
      write,
      line: (text = '') => write(`${text}\n`),
      json: (value) => write(JSON.stringify(value)),
      error: (text) => write(`${text}\n`),
      progress: () => ({ update: () => undefined, end: () => undefined }),
    },
  })
  return { code, stdout }
}

export async function runProcess(
  command: string,
  args: readonly string[],
  { cwd, environment, input }: RunOptions = {},
): Promise<Ran> {
  const stdin = input === undefined ? 'ignore' : 'pipe'
  const child = spawn(command, args, { cwd, env: environmentOf(environment), stdio: [stdin, 'pipe', 'pipe'] })
  child.stdin?.end(input)
  return await collect(child)
}

export interface RunningCommand {
  readonly child: ChildProcess
  /** Waits until standard output has this, and returns all of it. */
  waitFor(pattern: RegExp): Promise<string>
  /** Sends a signal and waits for the end. */
  stop(signal: NodeJS.Signals): Promise<Ran>
}

/** A command that stays up. */
export function startFleetwright(args: readonly string[], options: RunOptions = {}): RunningCommand {
  const { cwd, environment } = options
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd,
    env: environmentOf(environment),
    stdio: 'pipe',
  })
  child.stdin.end()
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString('utf8')
  })
  const ended = collect(child)
  return {
    child,
    async waitFor(pattern) {
      while (!pattern.test(output)) {
        const change = new Promise((resolve) => child.stdout.once('data', resolve))
        const end = await Promise.race([change.then(() => undefined), ended])
        if (end !== undefined) throw new Error(`ended with ${end.code}: ${end.stdout}${end.stderr}`)
      }
      return output
    },
    async stop(signal) {
      child.kill(signal)
      return await ended
    },
  }
}

async function collect(child: ChildProcess): Promise<Ran> {
  const out: Buffer[] = []
  const errors: Buffer[] = []
  child.stdout?.on('data', (chunk: Buffer) => out.push(chunk))
  child.stderr?.on('data', (chunk: Buffer) => errors.push(chunk))
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  return { code, stdout: Buffer.concat(out).toString('utf8'), stderr: Buffer.concat(errors).toString('utf8') }
}
