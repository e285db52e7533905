/**
 * Commits of others: what people changed in intents is checked document by document; what is valid is applied, what is not
 * is held and reported, and holds back only itself.
 */
import type { Documents } from '../../fleet/documents.ts'
import type { Problem } from '../../fleet/files.ts'
import type { IntentChange } from '../../fleet/fleet.ts'
import type { FleetIndex } from '../../fleet/fleet-index.ts'
import type { FleetPath, ObjectId } from '../../fleet/ids.ts'
import type { Intent } from '../../fleet/intents.ts'
import { roleOf } from '../../fleet/paths.ts'
import { violationProblems } from '../../fleet/rules/check.ts'
import type { ObjectReader } from '../contracts.ts'

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
  /** Rendered files that were touched. */
  readonly rendered: readonly ChangedFile[]
}

/** Reads the changed documents, applies what is valid to the index, and says what is wrong with the rest. */
export async function ingest(
  files: readonly ChangedFile[],
  index: FleetIndex,
  documents: Documents,
  reader: Pick<ObjectReader, 'blobs'>,
): Promise<IngestResult> {
  const problems = new Map<string, readonly Problem[]>()
  const texts = await readTexts(
    files.filter((file) => roleOf(file.path).role === 'intent'),
    reader,
  )
  const changes = readChanges(files, texts, index, documents, problems)
  const accepted: IntentChange[] = []
  for (const together of inOrder(changes)) {
    const found = violationProblems(index, together)
    if (found.length > 0) {
      addProblems(
        problems,
        found.map((problem) => located(problem, files, texts, documents)),
      )
      continue
    }
    index.apply(together)
    accepted.push(...together)
  }
  return { accepted, problems, rendered: files.filter((file) => roleOf(file.path).role === 'rendered') }
}

function readChanges(
  files: readonly ChangedFile[],
  texts: ReadonlyMap<ObjectId, string>,
  index: FleetIndex,
  documents: Documents,
  problems: Map<string, readonly Problem[]>,
): readonly IntentChange[] {
  const intents = files.filter((file) => roleOf(file.path).role === 'intent')
  const changes: IntentChange[] = []
  for (const file of intents) {
    const path = file.path as FleetPath
    problems.set(path, [])
    const before = index.intent(path)
    if (file.to === undefined) {
      if (before !== undefined) changes.push({ path, before, after: undefined })
      continue
    }
    const read =
      file.mode === '100644' || file.mode === '100755'
        ? documents.parseBulk(path, texts.get(file.to) ?? '')
        : { problems: [notAFile(path, file.mode)] }
    if (read.intent === undefined) problems.set(path, read.problems)
    else changes.push({ path, before, after: read.intent })
  }
  return changes
}

/** A rule knows which field of a document is wrong; the text knows on which line it stands. */
function located(
  problem: Problem,
  files: readonly ChangedFile[],
  texts: ReadonlyMap<ObjectId, string>,
  documents: Documents,
): Problem {
  const oid = files.find((file) => file.path === problem.path)?.to
  const text = oid === undefined ? undefined : texts.get(oid)
  if (text === undefined || problem.pointer === undefined) return problem
  return { ...problem, ...documents.locate(text, problem.pointer) }
}

async function readTexts(
  files: readonly ChangedFile[],
  reader: Pick<ObjectReader, 'blobs'>,
): Promise<ReadonlyMap<ObjectId, string>> {
  const texts = new Map<ObjectId, string>()
  const wanted = new Set(
    files.flatMap((file) =>
      file.to === undefined || file.mode?.startsWith('100') !== true ? [] : [file.to],
    ),
  )
  const decoder = new TextDecoder()
  await reader.blobs([...wanted], (oid, content) => texts.set(oid, decoder.decode(content)))
  return texts
}

function notAFile(path: string, mode: string | undefined): Problem {
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

/** Changes that only make sense together (a move, a deletion with its tombstone, a request that was placed). */
function inOrder(changes: readonly IntentChange[]): readonly (readonly IntentChange[])[] {
  const groups = new Map<string, IntentChange[]>()
  for (const change of changes) {
    const key = togetherKey(change)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [change])
    else group.push(change)
  }
  return [...groups.values()].sort((a, b) => rank(a) - rank(b))
}

function togetherKey(change: IntentChange): string {
  const intent = change.after ?? change.before
  const id = intent === undefined ? undefined : installationIdOf(intent)
  return id ?? change.path
}

function installationIdOf(intent: Intent): string | undefined {
  if (intent.kind !== 'Installation' && intent.kind !== 'InstallationRequest' && intent.kind !== 'Tombstone')
    return undefined
  return intent.metadata.id
}

/** What others refer to comes first and goes last. */
const RANKS = {
  Fleet: 0,
  Cluster: 1,
  Group: 2,
  SharedDatabase: 3,
  Tombstone: 4,
  Installation: 5,
  InstallationRequest: 6,
} as const

function rank(together: readonly IntentChange[]): number {
  const ranks = together.map(({ before, after }) => {
    const intent = after ?? before
    if (intent === undefined) return 0
    return after === undefined && intent.kind !== 'Installation' && intent.kind !== 'InstallationRequest'
      ? 20 - RANKS[intent.kind]
      : RANKS[intent.kind]
  })
  return Math.max(...ranks)
}

function addProblems(problems: Map<string, readonly Problem[]>, found: readonly Problem[]): void {
  for (const problem of found) problems.set(problem.path, [...(problems.get(problem.path) ?? []), problem])
}
