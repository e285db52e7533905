/** Changes of a pull request on main as it is now: what git would merge, file by file. Nothing but texts is read. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Problem } from '../../fleet/files.ts'
import type { ObjectId } from '../../fleet/ids.ts'
import { runGit } from '../child-process.ts'
import { FleetError } from '../../fleet/errors.ts'
import { hashObject } from '../objects.ts'
import type { ChangedFile } from '../writer/ingest.ts'
import type { ChangeSet } from './plan-changes.ts'
import type { TreeLookup } from './tree-lookup.ts'

const TIME_LIMIT_MILLISECONDS = 10_000

export interface Merged extends ChangeSet {
  /** What main had when it was merged, by path. */
  readonly onMain: ReadonlyMap<string, ObjectId | undefined>
  readonly conflicts: readonly Problem[]
}

/**
 * @param change against the commit that main and the pull request have in common, with contents of all files that may differ
 * @param main tree of main
 */
export async function mergeOnto(change: ChangeSet, main: TreeLookup): Promise<Merged> {
  const files: ChangedFile[] = []
  const contents = new Map(change.contents)
  const conflicts: Problem[] = []
  const onMain = new Map<string, ObjectId | undefined>()
  for (const file of change.files) {
    const { path, from, to } = file
    const found = await main.entry(path)
    const present = found?.oid
    onMain.set(path, present)
    if (present === to && found?.mode !== '040000') continue
    if (present === from && !(await main.isBelowFile(path))) {
      files.push(file)
      continue
    }
    const merged = await mergeTexts(file, found, contents, main)
    if (merged === undefined) {
      conflicts.push(conflict(path))
      continue
    }
    const oid = hashObject('blob', merged)
    contents.set(oid, merged)
    if (oid !== present) files.push({ ...file, from: present, to: oid })
  }
  return { files, contents, conflicts, onMain }
}

/** Both changed the file since: line by line. Undefined: there is no telling what is meant. */
async function mergeTexts(
  { from, to }: ChangedFile,
  present: { readonly mode: string; readonly oid: ObjectId } | undefined,
  contents: ChangeSet['contents'],
  main: TreeLookup,
): Promise<Buffer | undefined> {
  if (from === undefined || to === undefined || present === undefined || !present.mode.startsWith('100'))
    return undefined
  const [ancestor, ours] = [await main.content(from), await main.content(present.oid)]
  const theirs = contents.get(to)
  if (ancestor === undefined || ours === undefined || theirs === undefined) return undefined
  const folder = await mkdtemp(join(tmpdir(), 'fleetwright-merge-'))
  try {
    const [a, o, b] = ['ours', 'ancestor', 'theirs'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ]
    await Promise.all([writeFile(a, ours), writeFile(o, ancestor), writeFile(b, theirs)])
    const { code, output, words } = await runGit(['merge-file', '--stdout', '--quiet', '--', a, o, b], {
      timeLimitMilliseconds: TIME_LIMIT_MILLISECONDS,
    })
    if (code === 0) return output
    // The number of conflicts, or 255 for what is no text; killed when it takes too long.
    if (code > 0 || code === -1) return undefined
    throw new FleetError('internal', `git merge-file ended with status ${code}: ${words.trim()}`)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function conflict(path: string): Problem {
  const detail =
    'main changed this file too since the pull request left it; rebase the pull request on main and settle the conflict'
  return { path, line: 0, column: 0, code: 'merge-conflict', detail }
}
