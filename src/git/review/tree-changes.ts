/**
 * What a pull request changes in its trees, examined before any document is read. Cost follows the change and is bounded:
 * folders that are the same are not looked into, and the walk ends where a limit is passed.
 */
import type { Problem } from '../../fleet/files.ts'
import type { ObjectId } from '../../fleet/ids.ts'
import { clashKey, isGitFile, nameProblem, pathProblem } from '../../fleet/review/path-names.ts'
import { roleOf } from '../../fleet/paths.ts'
import type { TreeEntry } from '../contracts.ts'
import type { ChangedFile } from '../writer/ingest.ts'
import type { ReviewLimits } from './limits.ts'
import type { ReadObject } from './objects-of-others.ts'
import { decodeRawTree } from './raw-tree.ts'
import type { TreeLookup } from './tree-lookup.ts'

const FOLDER = '040000'
const SUBMODULE = '160000'
const NO_ENTRIES: ReadonlyMap<string, TreeEntry> = new Map()

export interface TreeChanges {
  readonly files: readonly ChangedFile[]
  readonly problems: readonly Problem[]
}

interface Walk {
  readonly read: ReadObject
  readonly limits: ReviewLimits
  /** Main as it is now. */
  readonly main: Pick<TreeLookup, 'names'>
  readonly files: ChangedFile[]
  readonly problems: Problem[]
  folders: number
  entries: number
}

interface FolderPair {
  readonly path: string
  readonly depth: number
  readonly from: ObjectId | undefined
  readonly to: ObjectId | undefined
}

/** A limit was passed: nothing more is looked at. */
class LimitPassed extends Error {
  readonly problem: Problem

  constructor(path: string, code: string, detail: string) {
    super(detail)
    this.problem = problemAt(path, code, detail)
  }
}

export async function treeChanges(
  trees: { readonly from: ObjectId; readonly to: ObjectId; readonly main: Pick<TreeLookup, 'names'> },
  read: ReadObject,
  limits: ReviewLimits,
): Promise<TreeChanges> {
  const walk: Walk = { read, limits, main: trees.main, files: [], problems: [], folders: 0, entries: 0 }
  const waiting: FolderPair[] = [{ path: '', depth: 0, from: trees.from, to: trees.to }]
  try {
    for (let pair = waiting.pop(); pair !== undefined; pair = waiting.pop())
      if (pair.from !== pair.to) waiting.push(...(await compare(walk, pair)))
  } catch (error) {
    if (!(error instanceof LimitPassed)) throw error
    walk.problems.push(error.problem)
  }
  return { files: walk.files, problems: walk.problems }
}

/** @returns folders below that differ */
async function compare(walk: Walk, pair: FolderPair): Promise<readonly FolderPair[]> {
  const { limits } = walk
  walk.folders += 1
  if (walk.folders > limits.folders)
    throw new LimitPassed(
      pair.path,
      'too-many-changes',
      `more than ${limits.folders} folders differ; ${SPLIT}`,
    )
  const from = await entriesOf(walk, pair.path, pair.from, false)
  const to = await entriesOf(walk, pair.path, pair.to, true)
  const below: FolderPair[] = []
  const added: string[] = []
  for (const name of new Set([...from.keys(), ...to.keys()])) {
    const [before, after] = [from.get(name), to.get(name)]
    if (before?.oid === after?.oid && before?.mode === after?.mode) continue
    const path = pair.path === '' ? name : `${pair.path}/${name}`
    if (before === undefined) added.push(name)
    checkPath(walk, { path, name, isNew: before === undefined }, pair.depth)
    if (after !== undefined) checkMode(walk, path, after)
    if (before?.mode === FOLDER || after?.mode === FOLDER)
      below.push({ path, depth: pair.depth + 1, from: folderId(before), to: folderId(after) })
    addFile(walk, path, before, after)
  }
  await checkClashes(walk, pair.path, added, to)
  return below
}

const SPLIT = 'make several pull requests of it'

function folderId(entry: TreeEntry | undefined): ObjectId | undefined {
  return entry?.mode === FOLDER ? entry.oid : undefined
}

async function entriesOf(
  walk: Walk,
  path: string,
  oid: ObjectId | undefined,
  isTheirs: boolean,
): Promise<ReadonlyMap<string, TreeEntry>> {
  if (oid === undefined) return NO_ENTRIES
  const { folderBytes, entries: most } = walk.limits
  const found = await walk.read(oid, 'tree', folderBytes)
  if (found.outcome === 'too-large')
    throw new LimitPassed(
      shown(path),
      'too-large',
      `this folder has ${found.bytes} bytes as git has it, ${folderBytes} are the most; ${SPLIT}`,
    )
  if (found.outcome === 'not-there') throw malformedTree(path, 'a folder of it is missing')
  const { entries, malformed } = decodeRawTree(found.content)
  if (isTheirs && malformed !== undefined) throw malformedTree(path, malformed)
  walk.entries += entries.length
  if (walk.entries > most)
    throw new LimitPassed(
      shown(path),
      'too-many-changes',
      `the folders that differ have more than ${most} entries; ${SPLIT}`,
    )
  return new Map(entries.map((entry) => [entry.name, entry]))
}

function malformedTree(path: string, detail: string): LimitPassed {
  return new LimitPassed(shown(path), 'malformed-tree', `${detail}; make the commit again with git itself`)
}

function addFile(
  walk: Walk,
  path: string,
  before: TreeEntry | undefined,
  after: TreeEntry | undefined,
): void {
  const from = before === undefined || before.mode === FOLDER ? undefined : before.oid
  const isFile = after !== undefined && after.mode !== FOLDER
  if (from === undefined && !isFile) return
  if (before?.mode === SUBMODULE) {
    const detail = 'main has a submodule here, which no fleet has; remove it on main first'
    walk.problems.push(problemAt(shown(path), 'not-a-file', detail))
  }
  walk.files.push({ path, from, to: isFile ? after.oid : undefined, mode: isFile ? after.mode : undefined })
  if (walk.files.length > walk.limits.files)
    throw new LimitPassed('.', 'too-many-changes', `more than ${walk.limits.files} files differ; ${SPLIT}`)
}

function checkPath(
  walk: Walk,
  { path, name, isNew }: { readonly path: string; readonly name: string; readonly isNew: boolean },
  depth: number,
): void {
  const { limits, problems } = walk
  if (depth >= limits.depth)
    throw new LimitPassed(
      shown(path),
      'too-deep',
      `folders nest deeper than ${limits.depth}; put it further up`,
    )
  const isLong = Buffer.byteLength(path) > limits.pathBytes || Buffer.byteLength(name) > limits.nameBytes
  if (isLong) {
    const detail = `the path has more than ${limits.pathBytes} bytes, or a name in it more than ${limits.nameBytes}; use shorter names`
    problems.push(problemAt(shown(path), 'path-too-long', detail))
  }
  // What has been on main before is nothing that the pull request brings in.
  const detail = isNew
    ? (nameProblem(name) ?? pathProblem(path))
    : isGitFile(name)
      ? nameProblem(name)
      : undefined
  if (detail !== undefined) problems.push(problemAt(shown(path), 'misleading-name', detail))
  if (problems.length > MOST_KEPT)
    throw new LimitPassed(
      '.',
      'too-many-problems',
      'there are more problems of this kind; correct those above first',
    )
}

/** More say nothing new. */
const MOST_KEPT = 200

const MODES: Readonly<Record<string, string>> = { '120000': 'a symbolic link', [SUBMODULE]: 'a submodule' }

function checkMode({ problems }: Walk, path: string, { mode }: TreeEntry): void {
  if (mode === FOLDER || mode === '100644') return
  if (mode === '100755' && roleOf(path).role === 'other') return
  const what = mode === '100755' ? 'an executable file' : (MODES[mode] ?? `an entry of mode ${mode}`)
  const detail = `${what} stands where only plain files belong; commit a plain file`
  problems.push(problemAt(shown(path), 'not-a-file', detail))
}

/** Names that are new, against their neighbours in the pull request and on main. */
async function checkClashes(
  { main, problems }: Walk,
  folder: string,
  added: readonly string[],
  to: ReadonlyMap<string, TreeEntry>,
): Promise<void> {
  const fresh = new Set(added.filter((name) => to.has(name)))
  if (fresh.size === 0) return
  const keys = new Map<string, Set<string>>()
  for (const name of [...to.keys(), ...(await main.names(folder))]) {
    const key = clashKey(name)
    keys.set(key, (keys.get(key) ?? new Set()).add(name))
  }
  for (const name of fresh) {
    if (problems.length > MOST_KEPT) return
    const path = shown(folder === '' ? name : `${folder}/${name}`)
    const other = [...(keys.get(clashKey(name)) ?? [])].find((candidate) => candidate !== name)
    // Of two new ones the second is told; of one that is wrong already, that.
    const isTold = problems.some((problem) => problem.path === path)
    if (other === undefined || isTold || (fresh.has(other) && other > name)) continue
    const detail = `people and some file systems take it for ${JSON.stringify(other)}, which is beside it; use another name`
    problems.push(problemAt(path, 'misleading-name', detail))
  }
}

function problemAt(path: string, code: string, detail: string): Problem {
  return { path, line: 0, column: 0, code, detail }
}

/** A path as it can be shown: escaped where it would mislead, and not endless. */
export function shown(path: string): string {
  if (path === '') return '.'
  const escaped = path.replaceAll(
    /[\p{C}\p{Bidi_Control}\p{Default_Ignorable_Code_Point}\u2028\u2029]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  )
  return escaped.length <= 300 ? escaped : `${escaped.slice(0, 150)}…${escaped.slice(-100)}`
}
