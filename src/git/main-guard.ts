/** Main only grows: a home whose main lost what was in it is not written, so that nothing is overwritten. */
import { FleetError } from '../fleet/errors.ts'
import { isObjectId, type ObjectId, type RefName } from '../fleet/ids.ts'
import { git, runGit } from './child-process.ts'
import type { RefUpdate } from './contracts.ts'
import type { FleetIdentity } from './fleet-identity.ts'

const MAIN = 'refs/heads/main' as RefName

export interface MainGuard {
  /**
   * Takes note of main as the home has it now. `objects` must be here already.
   * @throws FleetError `history-rewritten` when main is gone or does not contain what it contained before
   */
  admit(tips: ReadonlyMap<RefName, ObjectId>): Promise<void>
  /** Before anything is taken in or written. @throws FleetError `history-rewritten` when the home is known to be another one */
  check(): void
  /** Own push that was accepted. */
  wrote(updates: readonly RefUpdate[]): Promise<void>
}

export interface MainGuardOptions {
  /** Has the objects of main. */
  readonly directory: string
  /** Main as the clone has it, from an earlier process. */
  readonly seen?: ObjectId
  /** What else is known from earlier processes. */
  readonly identity?: FleetIdentity
}

export function createMainGuard({ directory, seen, identity }: MainGuardOptions): MainGuard {
  let last = seen
  let root = identity?.root
  let isFirst = true
  /** Commits that main must contain. */
  function expected(): readonly ObjectId[] {
    const known = isFirst ? [last, identity?.main] : [last]
    return known.filter((commit) => commit !== undefined)
  }
  async function note(main: ObjectId): Promise<void> {
    last = main
    isFirst = false
    if (identity === undefined) return
    root ??= await rootOf(directory, main)
    identity.saw(main, root)
  }
  return {
    async admit(tips) {
      const main = tips.get(MAIN)
      const missing = await missingFrom(directory, expected(), main)
      if (main !== undefined && (await isAccepted(directory, identity, main))) {
        if (missing !== undefined) root = undefined
        identity?.useAccepted()
      } else if (missing !== undefined) {
        if (main === undefined) throw gone(missing)
        throw await lost(directory, { missing, main, root })
      }
      if (main !== undefined) await note(main)
    },
    check() {
      if (identity?.trouble !== undefined) throw identity.trouble
    },
    async wrote(updates) {
      const main = updates.find(({ ref }) => ref === MAIN)?.next
      if (main !== undefined) await note(main)
    },
  }
}

/** The first of `commits` that is not in the history of main. */
async function missingFrom(
  directory: string,
  commits: readonly ObjectId[],
  main: ObjectId | undefined,
): Promise<ObjectId | undefined> {
  for (const commit of commits) {
    if (commit === main) continue
    if (main === undefined || !(await isAncestor(directory, commit, main))) return commit
  }
  return undefined
}

/** Whether a person named a commit of this history, which was not used up. */
async function isAccepted(
  directory: string,
  identity: FleetIdentity | undefined,
  main: ObjectId,
): Promise<boolean> {
  const commit = identity?.accepted
  return commit !== undefined && (await isAncestor(directory, commit, main))
}

/** Whether `commit` is `tip` or one of its ancestors. @throws FleetError `repository-damaged` */
export async function isAncestor(directory: string, commit: ObjectId, tip: ObjectId): Promise<boolean> {
  const { code, words } = await runGit(['merge-base', '--is-ancestor', commit, tip], { directory })
  if (code === 0 || code === 1) return code === 0
  // A commit that is not here at all is in nobody's history.
  if (/not a valid commit name/i.test(words)) return false
  throw new FleetError('repository-damaged', `git merge-base ended with status ${code}: ${words.trim()}`)
}

/** The commit that everything began with; of several the one that was reached over first parents. */
async function rootOf(directory: string, main: ObjectId): Promise<ObjectId> {
  const output = await git(['rev-list', '--first-parent', '--max-parents=0', main], { directory })
  const oid = output.toString('utf8').trim().split('\n').at(-1) ?? ''
  if (isObjectId(oid)) return oid
  throw new FleetError('repository-damaged', `The history of ${main} has no root.`)
}

const HOW_TO_ACCEPT = 'If the new history is wanted, start with --accept-new-history'

export function gone(last: ObjectId): FleetError {
  return new FleetError(
    'history-rewritten',
    `${MAIN} is gone from the fleet repository; it was at ${last}. Nothing is written until it is there again: push ${last} to it from a clone. A new fleet needs a data directory of its own.`,
  )
}

async function lost(
  directory: string,
  {
    missing,
    main,
    root,
  }: { readonly missing: ObjectId; readonly main: ObjectId; readonly root: ObjectId | undefined },
): Promise<FleetError> {
  const isOther = root !== undefined && !(await isAncestor(directory, root, main))
  const what = isOther
    ? `The fleet repository is another one: ${MAIN} is at ${main}, whose history does not begin with ${root}. This data directory belongs to the fleet that was at ${missing}.`
    : `${MAIN} of the fleet repository was rewritten: it is at ${main}, which does not contain ${missing}.`
  return new FleetError(
    'history-rewritten',
    `${what} Nothing is written until it contains ${missing} again: push that commit back to it from a clone. ${HOW_TO_ACCEPT} ${main}.`,
  )
}
