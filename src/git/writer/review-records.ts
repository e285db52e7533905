/** The commits that say what became of merged reviews, and make it so: the record that the next start reads. */
import type { FileChange } from '../../fleet/files.ts'
import type { FleetPath } from '../../fleet/ids.ts'
import { completeReview, undoneText } from '../../fleet/reviewed-change.ts'
import type { RequestContext } from '../../fleet/transaction.ts'
import type { OpenReview } from '../../ports/change-reviews.ts'
import type { Taken } from './head.ts'
import type { UndoneReview } from './review-merges.ts'
import type { WindowItem, WriterOptions } from './types.ts'
import type { WindowBase } from './window.ts'

export function reviewItems({ completed, undone }: Taken, options: WriterOptions): readonly WindowItem[] {
  return [
    ...completed.map((review) => completion(review, options)),
    ...undone.map((one) => restoration(one, options)),
  ]
}

/** In the name of who asked, so that the request is found under its key. */
function completion(review: OpenReview, options: WriterOptions): WindowItem {
  const { idempotencyKey, requestDigest, requestId } = review
  const email = /<([^<>]*)>$/.exec(review.trailers.Actor ?? '')?.[1] ?? ''
  const context: RequestContext = {
    requestId,
    actor: { name: review.actor, email },
    now: options.clock.now(),
    ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
    ...(requestDigest === undefined ? {} : { requestDigest }),
  }
  return {
    kind: 'transaction',
    transaction: completeReview({ ...review, trailers: objectTrailers(review) }),
    context,
    always: true,
    review: review.id,
    settle: settled(options),
  }
}

/** What the commit is about; who asked is said by its context. */
function objectTrailers({ trailers }: OpenReview): Readonly<Record<string, string>> {
  const asked = ['Request-Id', 'Actor', 'Idempotency-Key', 'Request-Digest']
  return Object.fromEntries(Object.entries(trailers).filter(([name]) => !asked.includes(name)))
}

function restoration({ review, reason, files }: UndoneReview, options: WriterOptions): WindowItem {
  return {
    kind: 'files',
    files: (base) => asBefore(base, files),
    text: undoneText(review, reason),
    context: { requestId: review.requestId, actor: options.committer, now: options.clock.now() },
    always: true,
    review: review.id,
    settle: settled(options),
  }
}

/** What was changed again since stays as it is. */
async function asBefore(base: WindowBase, files: UndoneReview['files']): Promise<readonly FileChange[]> {
  const changes: FileChange[] = []
  for (const { path, from, to } of files) {
    if ((await base.editor.at(path)) !== to) continue
    const text = from === undefined ? undefined : Buffer.from(await base.reader.blob(from)).toString('utf8')
    // Paths of documents.
    changes.push({ path: path as FleetPath, text })
  }
  return changes
}

function settled({ observer }: WriterOptions): WindowItem['settle'] {
  return { resolve: () => undefined, reject: (error) => observer.failed(error) }
}
