/** Main only grows: a home whose main lost what was in it is not written, so that nothing is overwritten. */
import { FleetError } from '../fleet/errors.ts'
import type { ObjectId, RefName } from '../fleet/ids.ts'
import { runGit } from './child-process.ts'
import type { RefUpdate } from './contracts.ts'

const MAIN = 'refs/heads/main' as RefName

export interface MainGuard {
  /**
   * Takes note of main as the home has it now. `objects` must be here already.
   * @throws FleetError `history-rewritten` when main is gone or does not contain what it contained before
   */
  admit(tips: ReadonlyMap<RefName, ObjectId>): Promise<void>
  /** Own push that was accepted. */
  wrote(updates: readonly RefUpdate[]): void
}

/** @param seen main as it was seen last, when that is known from before */
export function createMainGuard(directory: string, seen?: ObjectId): MainGuard {
  let last = seen
  return {
    async admit(tips) {
      const main = tips.get(MAIN)
      if (last === undefined || last === main) {
        last = main
        return
      }
      if (main === undefined) throw gone(last)
      if (!(await isAncestor(directory, last, main))) throw rewritten(last, main)
      last = main
    },
    wrote(updates) {
      last = updates.find(({ ref }) => ref === MAIN)?.next ?? last
    },
  }
}

/** Whether `commit` is `tip` or one of its ancestors. @throws FleetError `repository-damaged` */
export async function isAncestor(directory: string, commit: ObjectId, tip: ObjectId): Promise<boolean> {
  const { code, words } = await runGit(['merge-base', '--is-ancestor', commit, tip], { directory })
  if (code === 0 || code === 1) return code === 0
  // A commit that is not here at all is in nobody's history.
  if (/not a valid commit name/i.test(words)) return false
  throw new FleetError('repository-damaged', `git merge-base ended with status ${code}: ${words.trim()}`)
}

export function gone(last: ObjectId): FleetError {
  return new FleetError(
    'history-rewritten',
    `${MAIN} is gone from the fleet repository; it was at ${last}. Nothing is written until it is there again: push ${last} to it from a clone.`,
  )
}

function rewritten(last: ObjectId, main: ObjectId): FleetError {
  return new FleetError(
    'history-rewritten',
    `${MAIN} of the fleet repository was rewritten: it is at ${main}, which does not contain ${last}. Nothing is written until it contains ${last} again: push that commit back to it from a clone.`,
  )
}
