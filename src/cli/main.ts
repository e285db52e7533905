/** The command line as a process: its arguments, environment and streams. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { systemClock, systemRandomness } from '../system/clock.ts'
import { run } from './program.ts'
import { createTerminal } from './terminal.ts'

const PACKAGE = join(import.meta.dirname, '../../package.json')

/** @returns the exit code */
export async function main(): Promise<number> {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', whenReaderLeft)
  // The project's own file.
  const { version } = JSON.parse(await readFile(PACKAGE, 'utf8')) as { readonly version: string }
  const { env: environment, stdout: output, stderr: errors } = process
  const clock = systemClock
  const terminal = createTerminal({ output, errors, environment, clock })
  return await run(process.argv.slice(2), {
    version,
    environment,
    terminal,
    clock,
    randomness: systemRandomness,
  })
}

/** `fleetwright … | head` is no failure. */
function whenReaderLeft(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit(process.exitCode ?? 0)
  throw error
}
