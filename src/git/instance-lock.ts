/** One Fleetwright a repository on this disk: a lock that a killed process cannot leave behind. */
import { open, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { FleetError } from '../fleet/errors.ts'

export interface InstanceLock {
  close(): Promise<void>
}

const NAME = 'fleetwright.lock'

/** @throws FleetError `invalid-configuration` when another process has it */
export async function lockInstance(directory: string): Promise<InstanceLock> {
  const path = join(directory, NAME)
  const owner = `${process.pid} ${await startOf(process.pid)}`
  for (let attempt = 0; attempt < 5; attempt += 1) {
    if (await create(path, owner)) return { close: () => rm(path, { force: true }) }
    const present = await readFile(path, 'utf8').catch(emptyWhenMissing)
    const [pid = '', start = ''] = present.split(' ')
    if (pid !== '' && (await isRunning(Number(pid), start)))
      throw new FleetError(
        'invalid-configuration',
        `Process ${pid} works on ${directory} already; stop it, or use another data directory.`,
      )
    await rm(path, { force: true })
  }
  throw new FleetError(
    'invalid-configuration',
    `Could not lock ${directory}: other processes start on it at the same time.`,
  )
}

async function create(path: string, text: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx', 0o600)
    await file.writeFile(text)
    await file.close()
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  }
}

function emptyWhenMissing(error: unknown): string {
  if (codeOf(error) === 'ENOENT') return ''
  throw error
}

async function isRunning(pid: number, start: string): Promise<boolean> {
  try {
    process.kill(pid, 0)
  } catch (error) {
    return codeOf(error) === 'EPERM'
  }
  // Numbers of processes are used again: the time it started tells them apart, where the system says it.
  return (await startOf(pid)) === start
}

/** Start time of a process in ticks (Linux); empty elsewhere. */
async function startOf(pid: number): Promise<string> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ESRCH') return ''
    throw error
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
