/** Planned files as people see them: by object, with what differs. */
import { objectDifferences } from '../../fleet/review/differences.ts'
import type { ObjectDifference } from '../../fleet/review/plan.ts'
import { roleOf } from '../../fleet/paths.ts'
import type { ObjectId } from '../../fleet/ids.ts'
import type { ObjectReader } from '../contracts.ts'
import type { PlannedFile } from './plan-changes.ts'

/** Files of which differences are worked out; a change of settings can touch a hundred thousand. */
const MOST_SHOWN = 1_000
/** Of what was there before; larger files are not Fleetwright's. */
const MOST_BYTES = 4 * 1024 * 1024

export interface DescribedFiles {
  readonly objects: readonly ObjectDifference[]
  /** How many files more there are. */
  readonly left: number
}

/** Documents first, when there are too many. */
export async function describeFiles(
  files: readonly PlannedFile[],
  names: ReadonlyMap<string, string>,
  reader: Pick<ObjectReader, 'blobs'>,
): Promise<DescribedFiles> {
  const isDocument = ({ path }: PlannedFile): boolean => roleOf(path).role === 'intent'
  const inOrder = [...files.filter(isDocument), ...files.filter((file) => !isDocument(file))]
  const shown = inOrder.slice(0, MOST_SHOWN)
  const texts = new Map<ObjectId, string>()
  const wanted = new Set(shown.flatMap(({ before }) => before ?? []))
  await reader.blobs([...wanted], MOST_BYTES, (oid, content) => {
    texts.set(oid, content === undefined ? '' : Buffer.from(content).toString('utf8'))
  })
  const differences = shown
    .map(({ path, before, after }) => ({
      path,
      before: before === undefined ? undefined : texts.get(before),
      after,
    }))
    .sort((a, b) => (a.path < b.path ? -1 : 1))
  return { objects: objectDifferences(differences, (id) => names.get(id)), left: files.length - shown.length }
}
