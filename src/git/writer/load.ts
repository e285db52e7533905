/** The fleet at a commit, read whole: at start, and never again. */
import type { Documents } from '../../fleet/documents.ts'
import { FleetError } from '../../fleet/errors.ts'
import { FleetIndex } from '../../fleet/fleet-index.ts'
import type { ObjectId } from '../../fleet/ids.ts'
import { FLEET_PATH } from '../../fleet/paths.ts'
import type { ObjectReader } from '../contracts.ts'
import { type ChangedFile, type IngestResult, ingest } from './ingest.ts'

export interface LoadedFleet extends IngestResult {
  readonly index: FleetIndex
}

/**
 * @throws FleetError `invalid-document` when fleet.yaml itself is not valid: without it nothing can be decided
 */
export async function loadFleet(
  tree: ObjectId,
  reader: ObjectReader,
  documents: Documents,
): Promise<LoadedFleet> {
  const files: readonly ChangedFile[] = (await reader.files(tree)).map((file) => ({
    path: file.path,
    from: undefined,
    to: file.oid,
    mode: file.mode,
  }))
  const settingsFile = files.find((file) => file.path === FLEET_PATH)
  if (settingsFile?.to === undefined)
    throw new FleetError('invalid-document', `${FLEET_PATH} is missing; run fleetwright init`)
  const text = Buffer.from(await reader.blob(settingsFile.to)).toString('utf8')
  const { intent, problems } = documents.parse(FLEET_PATH, text)
  if (intent?.kind !== 'Fleet') {
    const lines = problems.map((p) => `${p.path}:${p.line}:${p.column}: ${p.detail}`)
    throw new FleetError('invalid-document', lines.join('\n'))
  }
  const index = new FleetIndex(intent)
  const result = await ingest(
    files.filter((file) => file !== settingsFile),
    index,
    documents,
    reader,
  )
  return { index, ...result }
}
