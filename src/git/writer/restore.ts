/** Documents that somebody removed although they must not go: they come back as they were in the next commit. */
import { isDeepStrictEqual } from 'node:util'
import type { FileChange } from '../../fleet/files.ts'
import type { Fleet, IntentChange } from '../../fleet/fleet.ts'
import type { FleetPath } from '../../fleet/ids.ts'
import type { FleetHistory } from '../../ports/writer.ts'
import type { Head, Taken } from './head.ts'
import type { WindowBase } from './window.ts'

/** What each line of the commit says of a restored document; at most `limit` of them. */
export async function removalLines(
  head: Head,
  { removed }: Taken,
  history: FleetHistory,
  limit: number,
): Promise<readonly string[]> {
  return await Promise.all(
    removed.slice(0, limit).map(async ({ path }) => {
      const entry = (await history.log({ paths: [path], limit: 1 }))[0]
      const who = entry === undefined ? '' : `, removed by ${entry.author} in ${entry.commit.slice(0, 12)}`
      const why = head.problems.get(path)?.[0]?.detail
      return `Restores ${path}${who}${why === undefined ? '' : `: ${why}`}`
    }),
  )
}

/** The documents that are still missing, with the comments they had. */
export async function restoredDocuments(
  base: WindowBase,
  { removed }: Taken,
): Promise<readonly FileChange[]> {
  const files: FileChange[] = []
  for (const { path, from } of removed) {
    const intent = base.index.intent(path as FleetPath)
    if (intent === undefined || (await base.editor.at(path)) !== undefined) continue
    const was = from === undefined ? '' : Buffer.from(await base.reader.blob(from)).toString('utf8')
    const same = isDeepStrictEqual(base.documents.parse(path as FleetPath, was).intent, intent)
    files.push({ path: path as FleetPath, text: same ? was : base.documents.emit(intent) })
  }
  return files
}

/** Changes that make the renderer print what belongs to removed documents again. */
export function removedUnits(fleet: Fleet, { removed }: Taken): readonly IntentChange[] {
  return removed.flatMap(({ path }) => {
    const intent = fleet.intent(path as FleetPath)
    return intent === undefined ? [] : [{ path: path as FleetPath, before: intent, after: intent }]
  })
}
