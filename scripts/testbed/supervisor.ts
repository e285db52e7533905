/**
 * Starts processes and answers for their end: each leads a process group, writes to a log file of its own, and is ended by
 * `close()`; when this process dies before that (an error, Ctrl-C, kill -9), a watchdog ends them and removes the folder.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { endGroup, startTimeOf } from './process-groups.ts'

const GRACE_MILLISECONDS = 6_000
const POLL_MILLISECONDS = 50
const LOG_TAIL_CHARACTERS = 3_000

export interface ProcessOptions {
  /** Also the name of its log file; unique among the running ones of a supervisor. */
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  /** Added to PATH, HOME and the language; nothing else is inherited. */
  readonly environment?: Readonly<Record<string, string>>
  /** Asked again and again until it says true; an error counts as "not yet". */
  readonly ready?: () => Promise<boolean>
  /** Milliseconds; 60,000 by default. */
  readonly readyWithin?: number
  /** Ended after all others, because they need it to end well. */
  readonly endsLast?: boolean
}

export interface ManagedProcess {
  readonly name: string
  readonly id: number
  readonly logPath: string
  /** SIGTERM, and SIGKILL for what does not listen; or the given signal. Resolves when it is gone. */
  stop(signal?: NodeJS.Signals): Promise<void>
}

export interface Supervisor {
  /** Temporary, private, removed at the end. */
  readonly folder: string
  /** A folder in the temporary one. */
  makeFolder(name: string, mode?: number): Promise<string>
  /** @throws Error with the end of its log when it ends or is not ready in time */
  start(options: ProcessOptions): Promise<ManagedProcess>
  /** Of everything that runs: name and process id. */
  running(): readonly ManagedProcess[]
  close(): Promise<void>
}

interface Watchdog {
  tell(line: string): void
  close(): Promise<void>
}

/** @param grace milliseconds from SIGTERM to SIGKILL */
export async function createSupervisor(grace = GRACE_MILLISECONDS): Promise<Supervisor> {
  const folder = await mkdtemp(join(tmpdir(), 'fleetwright-testbed-'))
  const watchdog = startWatchdog(folder, grace)
  const running = new Map<number, ManagedProcess>()
  const last = new Set<number>()
  await mkdir(join(folder, 'logs'))
  return {
    folder,
    async makeFolder(name, mode = 0o755) {
      const path = join(folder, name)
      await mkdir(path, { recursive: true, mode })
      return path
    },
    async start(options) {
      const logPath = join(folder, 'logs', `${options.name}.log`)
      const child = launch(options, logPath)
      const { pid } = child
      if (pid === undefined) throw await failedLaunch(child, options)
      watchdog.tell(`started ${pid} ${startTimeOf(pid)}`)
      const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
      const managed: ManagedProcess = {
        name: options.name,
        id: pid,
        logPath,
        async stop(signal = 'SIGTERM') {
          await end(child, pid, gone, signal, grace)
        },
      }
      running.set(pid, managed)
      if (options.endsLast === true) last.add(pid)
      child.once('exit', () => {
        running.delete(pid)
        watchdog.tell(`ended ${pid}`)
      })
      await becomeReady(child, options, logPath)
      return managed
    },
    running: () => [...running.values()],
    async close() {
      const first = [...running.values()].filter(({ id }) => !last.has(id))
      await Promise.all(first.map((managed) => managed.stop()))
      await Promise.all([...running.values()].map((managed) => managed.stop()))
      if (process.env.TESTBED_KEEP === undefined) await removeFolder(folder)
      await watchdog.close()
    },
  }
}

async function removeFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 })
}

function startWatchdog(folder: string, grace: number): Watchdog {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'watchdog.ts'), String(grace)], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  const { stdin } = child
  // Neither the child nor the pipe keeps this process alive.
  child.unref()
  if (stdin instanceof Socket) stdin.unref()
  if (process.env.TESTBED_KEEP === undefined) stdin.write(`folder ${folder}\n`)
  return {
    tell: (line) => void stdin.write(`${line}\n`),
    async close() {
      child.ref()
      stdin.end()
      if (child.exitCode === null) await once(child, 'exit')
    },
  }
}

function launch({ command, args, environment }: ProcessOptions, logPath: string): ChildProcess {
  const { PATH, HOME } = process.env
  const log = openSync(logPath, 'a')
  try {
    return spawn(command, [...args], {
      detached: true,
      stdio: ['ignore', log, log],
      env: { PATH, HOME, LC_ALL: 'C', ...environment },
    })
  } finally {
    closeSync(log)
  }
}

async function failedLaunch(child: ChildProcess, { name, command }: ProcessOptions): Promise<Error> {
  const [cause] = await once(child, 'error')
  return new Error(`${name}: ${command} cannot be started`, { cause })
}

async function end(
  child: ChildProcess,
  id: number,
  gone: Promise<void>,
  signal: NodeJS.Signals,
  grace: number,
): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  endGroup(id, signal)
  const timer = setTimeout(() => endGroup(id, 'SIGKILL'), grace)
  await gone
  clearTimeout(timer)
  // What it started and left behind.
  endGroup(id, 'SIGKILL')
}

async function becomeReady(child: ChildProcess, options: ProcessOptions, logPath: string): Promise<void> {
  const { name, ready = async () => true, readyWithin = 60_000 } = options
  const deadline = performance.now() + readyWithin
  for (;;) {
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error(
        `${name} ended with ${child.exitCode ?? child.signalCode} before it was ready:\n${await tailOf(logPath)}`,
      )
    if (await ready().catch(() => false)) return
    if (performance.now() > deadline)
      throw new Error(`${name} is not ready after ${readyWithin / 1000} s:\n${await tailOf(logPath)}`)
    await wait(POLL_MILLISECONDS)
  }
}

async function tailOf(logPath: string): Promise<string> {
  return (await readFile(logPath, 'utf8')).slice(-LOG_TAIL_CHARACTERS)
}
