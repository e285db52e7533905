/** Processes by id, safe against ids that were given to somebody else meanwhile. */
import { readFileSync } from 'node:fs'

/** Ticks since boot (field 22 of /proc/<id>/stat); empty where there is no /proc. */
export function startTimeOf(id: number): string {
  try {
    const text = readFileSync(`/proc/${id}/stat`, 'utf8')
    // The second field is the name in brackets and may hold spaces.
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  } catch {
    return ''
  }
}

/** Is the process that had this start time still there? */
export function isSameProcess(id: number, startTime: string): boolean {
  if (startTime !== '') return startTimeOf(id) === startTime
  try {
    process.kill(id, 0)
    return true
  } catch {
    return false
  }
}

/** Signals a process that leads its group, and all that it started. */
export function endGroup(id: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-id, signal)
  } catch (error) {
    // It ended by itself meanwhile.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}
