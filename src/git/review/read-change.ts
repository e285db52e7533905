/** What a pull request changes: examined first, read then, and laid over main as it is now. */
import type { Problem } from '../../fleet/files.ts'
import type { ObjectId } from '../../fleet/ids.ts'
import { roleOf } from '../../fleet/paths.ts'
import { runGit } from '../child-process.ts'
import { isObjectId } from '../../fleet/ids.ts'
import { FleetError } from '../../fleet/errors.ts'
import type { ObjectReader } from '../contracts.ts'
import { MOST_BYTES } from '../writer/ingest.ts'
import type { ChangedFile } from '../writer/ingest.ts'
import { processLimits } from './head-store.ts'
import type { ReviewLimits } from './limits.ts'
import type { ReadObject } from './objects-of-others.ts'
import type { ChangeSet } from './plan-changes.ts'
import { type Merged, mergeOnto } from './three-way.ts'
import { shown, treeChanges } from './tree-changes.ts'
import { createTreeLookup } from './tree-lookup.ts'

export interface ChangeSource {
  /** Has main and the head. */
  readonly gitDirectory: string
  readonly objects: ObjectReader
  readonly read: ReadObject
  readonly limits: ReviewLimits
}

export type ReadChange =
  /** Nothing of it is decided upon. */
  | { readonly outcome: 'refused'; readonly problems: readonly Problem[] }
  | { readonly outcome: 'read'; readonly change: Merged }

/** @throws FleetError `repository-damaged` */
export async function readChange(source: ChangeSource, head: ObjectId, main: ObjectId): Promise<ReadChange> {
  const { limits } = source
  const count = await commitCount(source, head, main)
  if (count === undefined || count > limits.commits)
    return refused(
      'too-many-changes',
      `it has more than ${limits.commits} commits that main has not; squash them`,
    )
  const common = await revision(source, ['merge-base', main, head])
  if (common === undefined)
    return refused('unrelated-history', 'it has no commit in common with main; branch off main')
  const [from, to, now] = [
    await treeOf(source, common),
    await treeOf(source, head),
    await treeOf(source, main),
  ]
  if (from === undefined || now === undefined)
    throw new FleetError(
      'repository-damaged',
      `The tree of ${main} or ${common} is missing in the fleet repository.`,
    )
  if (to === undefined)
    return refused('malformed-tree', 'its head has no tree; make the commit again with git itself')
  const lookup = createTreeLookup(now, source.objects)
  const { files, problems } = await treeChanges({ from, to, main: lookup }, source.read, limits)
  if (problems.length > 0) return { outcome: 'refused', problems }
  const contents = await readContents(files, source)
  if (contents.problems.length > 0) return { outcome: 'refused', problems: contents.problems }
  return { outcome: 'read', change: await mergeOnto({ files, contents: contents.contents }, lookup) }
}

export function refused(code: string, detail: string): Extract<ReadChange, { outcome: 'refused' }> {
  return { outcome: 'refused', problems: [{ path: '.', line: 0, column: 0, code, detail }] }
}

async function readContents(
  files: readonly ChangedFile[],
  { read, limits }: ChangeSource,
): Promise<{ readonly contents: ChangeSet['contents']; readonly problems: readonly Problem[] }> {
  const contents = new Map<ObjectId, Uint8Array | undefined>()
  const problems: Problem[] = []
  let left = limits.readBytes
  for (const { path, to } of files) {
    if (to === undefined || contents.has(to)) continue
    const most = roleOf(path).role === 'intent' ? MOST_BYTES : limits.fileBytes
    const found = await read(to, 'blob', Math.min(most, left))
    if (found.outcome === 'read') {
      contents.set(to, found.content)
      left -= found.content.length
      continue
    }
    const [code, detail] =
      found.outcome === 'not-there'
        ? (['malformed-tree', 'its content is missing; make the commit again with git itself'] as const)
        : ([
            'too-large',
            `the file has ${found.bytes} bytes; ${tooLarge(found.bytes, most, limits)}`,
          ] as const)
    problems.push({ path: shown(path), line: 0, column: 0, code, detail })
  }
  return { contents, problems }
}

function tooLarge(bytes: number, most: number, { readBytes }: ReviewLimits): string {
  return bytes > most
    ? `${most} are the most`
    : `all changed files together have more than ${readBytes}, make several pull requests of it`
}

async function treeOf(source: ChangeSource, commit: ObjectId): Promise<ObjectId | undefined> {
  return await revision(source, ['rev-parse', '--verify', '--quiet', `${commit}^{tree}`])
}

/** The one object that git names; undefined: there is none. */
async function revision(source: ChangeSource, args: readonly string[]): Promise<ObjectId | undefined> {
  const { code, output, words } = await ask(source, args)
  const oid = output.toString('latin1').trim()
  if (code === 0 && isObjectId(oid)) return oid
  if (code === 1) return undefined
  throw damaged(args, code, words)
}

/** Undefined: it takes too long to count. */
async function commitCount(
  source: ChangeSource,
  head: ObjectId,
  main: ObjectId,
): Promise<number | undefined> {
  const args = ['rev-list', '--count', `--max-count=${source.limits.commits + 1}`, head, `^${main}`]
  const { code, output, words } = await ask(source, args)
  if (code === 0) return Number(output.toString('latin1').trim())
  if (code < 0 || /out of memory/i.test(words)) return undefined
  throw damaged(args, code, words)
}

async function ask(
  { gitDirectory, limits }: ChangeSource,
  args: readonly string[],
): ReturnType<typeof runGit> {
  return await runGit(args, {
    directory: gitDirectory,
    timeLimitMilliseconds: limits.milliseconds,
    limits: processLimits(limits),
  })
}

function damaged(args: readonly string[], code: number, words: string): FleetError {
  return new FleetError(
    'repository-damaged',
    `git ${args[0]} ended with status ${code}: ${words.trim().slice(0, 500)}`,
  )
}
