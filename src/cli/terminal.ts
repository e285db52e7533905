/** Where the command line writes: data to standard output, what went wrong and progress to standard error. */
import pico from 'picocolors'
import type { Clock } from '../ports/clock.ts'

export type Colors = ReturnType<typeof pico.createColors>

export interface Terminal {
  /** Colours of standard output; plain where it is no terminal, or NO_COLOR is set. */
  readonly colors: Colors
  /** Characters a line holds: 80 to 120. */
  readonly columns: number
  line(text?: string): void
  /** Text as it is, for diffs and documents. */
  write(text: string): void
  json(value: unknown): void
  error(text: string): void
  /** Work that may take long: shown on standard error once it takes over a second, when that is a terminal. */
  progress(what: string): Progress
}

export interface Progress {
  update(done: number, of: number): void
  end(): void
}

export interface TerminalOptions {
  readonly output: NodeJS.WriteStream
  readonly errors: NodeJS.WriteStream
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
}

const QUIET_MILLISECONDS = 1000
const BETWEEN_MILLISECONDS = 100

export function createTerminal({ output, errors, environment, clock }: TerminalOptions): Terminal {
  const colored = output.isTTY === true && !environment.NO_COLOR && environment.TERM !== 'dumb'
  const write = (text: string): void => void output.write(text)
  return {
    colors: pico.createColors(colored),
    columns: Math.max(80, Math.min(120, output.columns ?? 100)),
    write,
    line: (text = '') => write(`${text}\n`),
    json: (value) => write(`${JSON.stringify(value, undefined, 2)}\n`),
    error: (text) => void errors.write(`${text}\n`),
    progress: (what) => createProgress(what, errors, clock),
  }
}

function createProgress(what: string, errors: NodeJS.WriteStream, clock: Clock): Progress {
  let next = clock.monotonic() + QUIET_MILLISECONDS
  let shown = false
  return {
    update(done, of) {
      const now = clock.monotonic()
      if (errors.isTTY !== true || now < next) return
      next = now + BETWEEN_MILLISECONDS
      shown = true
      errors.write(`\r\u001b[K${what}: ${done} of ${of}`)
    },
    end() {
      if (shown) errors.write('\r\u001b[K')
      shown = false
    },
  }
}
