/** What pull requests of reviewed changes say. Markdown; nothing in it is anybody's input without being made plain. */
import { code, fenced, prose } from '../fleet/review/markdown-text.ts'
import type { OpenReview } from '../ports/change-reviews.ts'
import type { FleetWriter } from '../ports/writer.ts'

/** The id is in it, since squashes keep the title when they keep nothing else. */
export function titleWords({ subject, id }: OpenReview): string {
  return `${oneLine(subject).slice(0, 150)} (review ${id})`
}

export function bodyWords({ id, actor, subject, body, requestId }: OpenReview, expiresAt: Date): string {
  return [
    `**${prose(subject)}** was asked for through the API by ${code(actor)}.`,
    ...(body === '' ? [] : [fenced('text', body, { lines: 60, columns: 300 })]),
    '**Merge** carries it out, as merge commit, squash or rebase. **Close** cancels it.',
    `When the object was changed meanwhile, or this branch was, the merge is taken back, and a comment says why. Without either it is closed on ${expiresAt.toISOString()}.`,
    `Review ${id}, request ${requestId}`,
  ].join('\n\n')
}

export function outcomeWords({
  outcome,
  commit,
  reason,
}: NonNullable<ReturnType<FleetWriter['reviewOutcome']>>): string {
  if (outcome === 'completed') return `The request is carried out, by ${commit}.`
  return `**This does not count, and was taken back** by ${commit}. Nothing else was touched.\n\n${prose(reason)}`
}

export function closedWords(): string {
  return 'The request is cancelled. Nothing was changed.'
}

export function expiredWords(since: Date): string {
  return `Nobody merged this in time (since ${since.toISOString()}). The request is cancelled. Nothing was changed.`
}

export function supersededWords({ id, actor }: OpenReview, url: string | undefined): string {
  return `A newer request by ${code(actor)} takes this one's place: ${url ?? `review ${id}`}. Nothing was changed.`
}

export function withoutEffectWords(): string {
  return 'This was merged, but main does not have what was asked for. The request is cancelled; send it again if it is still wanted.'
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim()
}
