/**
 * Commits of others: what people changed in intents is checked document by document; what is valid is applied, what is not
 * is held and reported, and holds back only itself.
 */
import type { Documents } from '../../fleet/documents.ts'
import type { Problem } from '../../fleet/files.ts'
import type { IntentChange } from '../../fleet/fleet.ts'
import type { FleetIndex } from '../../fleet/fleet-index.ts'
import type { FleetPath, ObjectId } from '../../fleet/ids.ts'
import { roleOf } from '../../fleet/paths.ts'
import { admit, type Refused } from '../../fleet/rules/admit.ts'
import { SIZE_LIMIT } from '../../fleet/yaml/parse.ts'
import type { OpenReview } from '../../ports/change-reviews.ts'
import type { ObjectReader } from '../contracts.ts'
import {
  judgeReviewMerges,
  type ReviewCandidate,
  settleReviewMerges,
  type UndoneReview,
  without,
} from './review-merges.ts'

export interface ChangedFile {
  readonly path: string
  readonly from: ObjectId | undefined
  readonly to: ObjectId | undefined
  readonly mode: string | undefined
}

export interface IngestResult {
  readonly accepted: readonly IntentChange[]
  /** By path; a path that was looked at and is fine now has an empty list. */
  readonly problems: ReadonlyMap<string, readonly Problem[]>
  /** Documents that are there and do not count; they are looked at again when something changes. */
  readonly held: readonly ChangedFile[]
  /** Documents that were removed and must not be. */
  readonly removed: readonly ChangedFile[]
  /** Rendered files that were touched. */
  readonly rendered: readonly ChangedFile[]
  /** Reviews that were merged and count. */
  readonly completed: readonly OpenReview[]
  readonly undone: readonly UndoneReview[]
}

/** More bytes cannot be a document of `SIZE_LIMIT` characters. */
export const MOST_BYTES = SIZE_LIMIT * 4

/** Reads the changed documents, applies what is valid to the index, and says what is wrong with the rest. */
export async function ingest(
  files: readonly ChangedFile[],
  index: FleetIndex,
  documents: Documents,
  reader: Pick<ObjectReader, 'blobs'>,
  reviews: readonly ReviewCandidate[] = [],
): Promise<IngestResult> {
  const everything = await readChanges(files, index, documents, reader)
  const merges = judgeReviewMerges(index, everything, reviews)
  const read = without(everything, merges.undonePaths)
  const admitted = admit(index, read.changes, merges.keyOf)
  const { refused, ...settled } = settleReviewMerges(everything, merges, admitted)
  const { accepted } = admitted
  return {
    accepted,
    ...settled,
    ...outcomeOf(read, refused, documents),
    rendered: files.filter((file) => roleOf(file.path).role === 'rendered'),
  }
}

export interface ReadChanges {
  readonly files: ReadonlyMap<string, ChangedFile>
  readonly texts: ReadonlyMap<ObjectId, string>
  readonly changes: readonly IntentChange[]
  /** Documents that cannot be read, with what is wrong; empty lists for the others. */
  readonly problems: ReadonlyMap<string, readonly Problem[]>
}

export async function readChanges(
  files: readonly ChangedFile[],
  index: FleetIndex,
  documents: Documents,
  reader: Pick<ObjectReader, 'blobs'>,
): Promise<ReadChanges> {
  const intents = files.filter((file) => roleOf(file.path).role === 'intent')
  const problems = new Map<string, readonly Problem[]>(misspelt(files))
  const { texts, tooLarge } = await readTexts(intents, reader)
  const changes: IntentChange[] = []
  for (const file of intents) {
    const path = file.path as FleetPath
    const before = index.intent(path)
    problems.set(path, [])
    if (file.to === undefined) {
      if (before !== undefined) changes.push({ path, before, after: undefined })
      continue
    }
    const text = texts.get(file.to)
    const read =
      text === undefined
        ? { problems: [notADocument(path, file.mode, tooLarge.has(file.to))] }
        : documents.parseBulk(path, text)
    if (read.intent === undefined) problems.set(path, read.problems)
    else changes.push({ path, before, after: read.intent })
  }
  return { files: new Map(intents.map((file) => [file.path, file])), texts, changes, problems }
}

/** Lines of what the rules refused, and what has to be done about it. */
export function outcomeOf(
  read: ReadChanges,
  refused: readonly Refused[],
  documents: Documents,
): Pick<IngestResult, 'problems' | 'held' | 'removed'> {
  const problems = new Map(read.problems)
  for (const problem of refused.flatMap((group) => group.problems)) {
    const there = problems.get(problem.path) ?? []
    problems.set(problem.path, [...there, located(problem, read, documents)])
  }
  const removed = new Set<string>(
    refused.flatMap((group) =>
      group.changes.flatMap(({ path, after }) => (after === undefined ? [path] : [])),
    ),
  )
  const refusedPaths = refused.flatMap((group) => group.changes.map(({ path }) => path))
  const unread = [...read.problems].flatMap(([path, found]) => (found.length > 0 ? [path] : []))
  const files = [...new Set<string>([...unread, ...refusedPaths])].flatMap(
    (path) => read.files.get(path) ?? [],
  )
  return {
    problems,
    held: files.filter((file) => !removed.has(file.path)),
    removed: files.filter((file) => removed.has(file.path)),
  }
}

/** A rule knows which field of a document is wrong; the text knows on which line it stands. */
function located(problem: Problem, { files, texts }: ReadChanges, documents: Documents): Problem {
  const oid = files.get(problem.path)?.to
  const text = oid === undefined ? undefined : texts.get(oid)
  if (text === undefined || problem.pointer === undefined) return problem
  return { ...problem, ...documents.locate(text, problem.pointer) }
}

async function readTexts(
  files: readonly ChangedFile[],
  reader: Pick<ObjectReader, 'blobs'>,
): Promise<{ readonly texts: ReadonlyMap<ObjectId, string>; readonly tooLarge: ReadonlySet<ObjectId> }> {
  const texts = new Map<ObjectId, string>()
  const tooLarge = new Set<ObjectId>()
  const wanted = new Set(
    files.flatMap((file) => (file.to === undefined || !isPlain(file.mode) ? [] : [file.to])),
  )
  // A byte order mark is kept, so that it is refused and not silently lost in an edit.
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  await reader.blobs([...wanted], MOST_BYTES, (oid, content) => {
    if (content === undefined) tooLarge.add(oid)
    else texts.set(oid, decoder.decode(content))
  })
  return { texts, tooLarge }
}

function isPlain(mode: string | undefined): boolean {
  return mode === '100644' || mode === '100755'
}

function notADocument(path: string, mode: string | undefined, isTooLarge: boolean): Problem {
  if (isTooLarge) {
    const detail = `the file has more than ${MOST_BYTES} bytes; ${SIZE_LIMIT} characters are the most`
    return { path, line: 0, column: 0, code: 'invalid-yaml', detail }
  }
  const what =
    mode === '120000' ? 'a symbolic link' : mode === '160000' ? 'a submodule' : `an entry of mode ${mode}`
  return {
    path,
    line: 0,
    column: 0,
    code: 'not-a-file',
    detail: `${what} stands where a document belongs; commit a plain file`,
  }
}

/** Files that would be documents if their names were in lower case: nobody would notice that they do not count. */
function* misspelt(files: readonly ChangedFile[]): Iterable<readonly [string, readonly Problem[]]> {
  for (const { path, to } of files) {
    const lower = path.toLowerCase()
    if (lower === path || roleOf(path).role === 'intent' || roleOf(lower).role !== 'intent') continue
    const detail = `this file does not count; documents are found by their names, rename it to ${lower}`
    yield [path, to === undefined ? [] : [{ path, line: 0, column: 0, code: 'misspelt-path', detail }]]
  }
}
