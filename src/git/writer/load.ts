/** The fleet at a commit, read whole: at start, and never again. */
import type { Documents } from '../../fleet/documents.ts'
import { FleetError } from '../../fleet/errors.ts'
import type { IntentChange } from '../../fleet/fleet.ts'
import { FleetIndex } from '../../fleet/fleet-index.ts'
import type { FleetPath, ObjectId } from '../../fleet/ids.ts'
import { FLEET_PATH } from '../../fleet/paths.ts'
import { admit, type Refused } from '../../fleet/rules/admit.ts'
import { violationProblems } from '../../fleet/rules/check.ts'
import type { FleetHistory } from '../../ports/writer.ts'
import type { ObjectReader } from '../contracts.ts'
import { type ChangedFile, type IngestResult, outcomeOf, readChanges } from './ingest.ts'

/** Versions of a held document that are tried, newest first. */
const VERSIONS_LOOKED_AT = 20

export interface LoadedFleet extends Pick<IngestResult, 'problems' | 'held'> {
  readonly index: FleetIndex
}

/**
 * A document that is not valid counts as it last was when it was valid, as it does while the process runs.
 * @param history where earlier versions are; without it what is not valid does not count
 * @throws FleetError `invalid-document` when fleet.yaml itself is not valid: without it nothing can be decided
 */
export async function loadFleet(
  tree: ObjectId,
  reader: ObjectReader,
  documents: Documents,
  history?: FleetHistory,
): Promise<LoadedFleet> {
  const files: readonly ChangedFile[] = (await reader.files(tree)).map((file) => ({
    path: file.path,
    from: undefined,
    to: file.oid,
    mode: file.mode,
  }))
  const settingsFile = files.find((file) => file.path === FLEET_PATH)
  if (settingsFile?.to === undefined)
    throw new FleetError('invalid-document', `${FLEET_PATH} is missing; restore it from an earlier commit`)
  const index = new FleetIndex(await readSettings(settingsFile.to, reader, documents))
  const read = await readChanges(
    files.filter((file) => file !== settingsFile),
    index,
    documents,
    reader,
  )
  const unread = [...read.problems].flatMap(([path, found]) => (found.length > 0 ? [path as FleetPath] : []))
  const earlier = await Promise.all(unread.map((path) => earlierVersions(path, documents, history)))
  const { refused } = admit(index, [...read.changes, ...earlier.flatMap((versions) => versions.slice(0, 1))])
  const still = await settleRefused(index, refused, documents, history)
  return { index, ...outcomeOf(read, still, documents) }
}

async function readSettings(
  oid: ObjectId,
  reader: ObjectReader,
  documents: Documents,
): Promise<ConstructorParameters<typeof FleetIndex>[0]> {
  const text = Buffer.from(await reader.blob(oid)).toString('utf8')
  const { intent, problems } = documents.parse(FLEET_PATH, text)
  if (intent?.kind === 'Fleet') return intent
  const lines = problems.map((p) => `${p.path}:${p.line}:${p.column}: ${p.detail}`)
  throw new FleetError('invalid-document', lines.join('\n'))
}

/** What the rules refuse counts as it was before; then what only waited for that is looked at once more. */
async function settleRefused(
  index: FleetIndex,
  refused: readonly Refused[],
  documents: Documents,
  history: FleetHistory | undefined,
): Promise<readonly Refused[]> {
  const still: Refused[] = []
  for (const group of refused) {
    const problems = violationProblems(index, group.changes)
    if (problems.length === 0) {
      index.apply(group.changes)
      continue
    }
    still.push({ changes: group.changes, problems })
    for (const { path } of group.changes) {
      const versions = await earlierVersions(path, documents, history)
      const valid = versions.find((version) => violationProblems(index, [version]).length === 0)
      if (valid !== undefined) index.apply([valid])
    }
  }
  return still
}

/** Versions of a document that can be read, newest first. */
async function earlierVersions(
  path: FleetPath,
  documents: Documents,
  history: FleetHistory | undefined,
): Promise<readonly IntentChange[]> {
  const versions: IntentChange[] = []
  for (const entry of (await history?.log({ paths: [path], limit: VERSIONS_LOOKED_AT })) ?? []) {
    const text = await history?.fileAt(entry.commit, path)
    const { intent } = text === undefined ? { intent: undefined } : documents.parse(path, text)
    if (intent !== undefined) versions.push({ path, before: undefined, after: intent })
  }
  return versions
}
