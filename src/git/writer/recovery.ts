/** What the log and the refs tell after a crash or a lost answer. */
import type { ObjectId } from '../../fleet/ids.ts'
import { isReviewCommit } from '../../fleet/reviewed-change.ts'
import type { FleetHistory } from '../../ports/writer.ts'
import type { ObjectReader } from '../contracts.ts'

/** Commits that are looked at; more cannot have come between a push and the look after it. */
const LOOK_BACK = 5_000

/** Whether `commit` is `tip` or one of its ancestors, looking back a bounded number of commits. */
export async function isAncestor(reader: ObjectReader, commit: ObjectId, tip: ObjectId): Promise<boolean> {
  const seen = new Set<ObjectId>([tip])
  let frontier: readonly ObjectId[] = [tip]
  while (frontier.length > 0 && seen.size < LOOK_BACK) {
    if (frontier.includes(commit)) return true
    const next: ObjectId[] = []
    for (const oid of frontier) {
      for (const parent of (await reader.commit(oid)).parents) {
        if (seen.has(parent)) continue
        seen.add(parent)
        next.push(parent)
      }
    }
    frontier = next
  }
  return false
}

/** The newest commit that this writer (any of its replicas) made on main (what was reviewed was merged by somebody): up to it everything has been taken in. */
export async function lastOwnCommit(history: FleetHistory, committer: string): Promise<ObjectId | undefined> {
  const entries = await history.log({ limit: LOOK_BACK })
  return entries.find(
    ({ committer: by, trailers }) =>
      by === committer && trailers['Request-Id'] !== undefined && !isReviewCommit(trailers),
  )?.commit
}
