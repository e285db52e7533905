/** The one door to native git, and to the ssh that it and we talk to servers with. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { FleetError } from '../fleet/errors.ts'

const TIME_LIMIT_MILLISECONDS = 10 * 60_000

export interface GitOptions {
  readonly directory?: string
  readonly input?: string | Uint8Array
  /** Added to the environment; secrets go here, never on the command line. */
  readonly environment?: Readonly<Record<string, string>>
  readonly timeLimitMilliseconds?: number
  /** Ends it at once; the run fails. */
  readonly signal?: AbortSignal
  /** For what works on objects of strangers. */
  readonly limits?: ProcessLimits
}

/** What git, and each process that it starts, may take; one that passes a limit ends, and the run fails. */
export interface ProcessLimits {
  /** The largest file that is written. */
  readonly fileBytes: number
  readonly memoryBytes: number
  readonly cpuSeconds: number
}

/** The units that POSIX, and every shell, has for them. */
const LIMITED = 'ulimit -f "$1" && ulimit -v "$2" && ulimit -t "$3" && shift 3 && exec git "$@"'

/** Nothing of the caller's git: no settings of the user or system, no prompts, English messages. */
function environmentOf(extra: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const { PATH, HOME, TMPDIR, SSL_CERT_FILE, SSL_CERT_DIR, https_proxy, no_proxy, HTTPS_PROXY, NO_PROXY } =
    process.env
  return {
    PATH,
    HOME,
    TMPDIR,
    SSL_CERT_FILE,
    SSL_CERT_DIR,
    https_proxy,
    no_proxy,
    HTTPS_PROXY,
    NO_PROXY,
    LC_ALL: 'C',
    GIT_TERMINAL_PROMPT: '0',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_OPTIONAL_LOCKS: '0',
    ...extra,
  }
}

function argumentsOf(directory: string | undefined, rest: readonly string[]): string[] {
  return [...(directory === undefined ? [] : ['--git-dir', directory]), ...rest]
}

/** Runs git to its end. @throws FleetError `internal` with git's own words */
export async function git(args: readonly string[], options: GitOptions = {}): Promise<Buffer> {
  const { code, output, words } = await runGit(args, options)
  if (code === 0) return output
  throw new FleetError('internal', `git ${args[0]} ended with status ${code}: ${words.trim()}`, {
    command: args[0],
    status: code,
    words,
  })
}

/** Runs git to its end, whatever its status. */
export async function runGit(
  args: readonly string[],
  options: GitOptions = {},
): Promise<{ readonly code: number; readonly output: Buffer; readonly words: string }> {
  const child = startGit(args, options)
  const output: Buffer[] = []
  const errors: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => errors.push(chunk))
  // A child that ends early closes its input; its status tells why.
  child.stdin.on('error', () => undefined)
  child.stdin.end(options.input ?? '')
  const end = (): void => kill(child, options.limits !== undefined)
  const timer = setTimeout(end, options.timeLimitMilliseconds ?? TIME_LIMIT_MILLISECONDS)
  options.signal?.addEventListener('abort', end)
  try {
    const code = await new Promise<number>((resolve, reject) => {
      child.on('error', (cause) =>
        reject(
          new FleetError(
            'internal',
            'git cannot be started; install git and put it on the PATH.',
            {},
            { cause },
          ),
        ),
      )
      child.on('close', (status) => resolve(status ?? -1))
    })
    return { code, output: Buffer.concat(output), words: Buffer.concat(errors).toString('utf8') }
  } finally {
    clearTimeout(timer)
    options.signal?.removeEventListener('abort', end)
  }
}

/** Starts the system's ssh and leaves it running. @param environment of what the server may be told */
export function startSsh(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): ChildProcessWithoutNullStreams {
  return spawn('ssh', args, { env: environmentOf(environment), stdio: 'pipe' })
}

/** Starts git and leaves it running. */
export function startGit(
  args: readonly string[],
  options: Pick<GitOptions, 'directory' | 'environment' | 'limits'> = {},
): ChildProcessWithoutNullStreams {
  const { directory, environment, limits } = options
  const settings = { env: environmentOf(environment), stdio: 'pipe' } as const
  const rest = argumentsOf(directory, args)
  if (limits === undefined) return spawn('git', rest, settings)
  const numbers = [limits.fileBytes / 512, limits.memoryBytes / 1024, limits.cpuSeconds].map(Math.ceil)
  // A group of its own, so that what it started ends with it.
  return spawn('sh', ['-c', LIMITED, 'sh', ...numbers.map(String), ...rest], { ...settings, detached: true })
}

function kill(child: ChildProcessWithoutNullStreams, isGroup: boolean): void {
  if (!isGroup || child.pid === undefined) return void child.kill('SIGKILL')
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch (error) {
    // It has ended by itself; something that left its group still has its output.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
    for (const stream of child.stdio) stream?.destroy()
  }
}
