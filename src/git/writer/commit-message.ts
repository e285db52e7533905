/** What commits of Fleetwright say: who made them, a subject people understand, a body, trailers that repair a crash. */
import type { CommitText, RequestContext } from '../../fleet/transaction.ts'
import type { CommitIdentity } from '../contracts.ts'
import type { WriterOptions } from './types.ts'

const SUBJECT_LIMIT = 120

/** One line, no control characters: a name in a request must not be able to forge a trailer. */
function oneLine(text: string): string {
  // biome-ignore format: the class reads better on one line
  return text.replace(/[\u0000-\u001f\u007f\u2028\u2029]+/g, ' ').trim()
}

function paragraphs(text: string): string {
  return text
    .split('\n')
    .map((line) => oneLine(line.replace(/^(\s*)/, (indent) => indent)))
    .join('\n')
    .trim()
}

/** Trailers every commit of a request has, in the order they are written. */
function requestTrailers(context: RequestContext): readonly (readonly [string, string | undefined])[] {
  return [
    ['Request-Id', context.requestId],
    ['Actor', `${context.actor.name} <${context.actor.email}>`],
    ['Idempotency-Key', context.idempotencyKey],
    ['Request-Digest', context.idempotencyKey === undefined ? undefined : context.requestDigest],
  ]
}

/** The whole message: subject, body, trailers in a last paragraph of their own (as `git interpret-trailers` reads them). */
export function commitMessage(text: CommitText, context: RequestContext): string {
  const subject = oneLine(text.subject).slice(0, SUBJECT_LIMIT)
  const trailers = [...Object.entries(text.trailers), ...requestTrailers(context)]
    .filter((entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== '')
    .map(([key, value]) => `${key}: ${oneLine(value)}`)
  const body = text.body === undefined || text.body.trim() === '' ? [] : [paragraphs(text.body)]
  return `${[subject, ...body, trailers.join('\n')].join('\n\n')}\n`
}

/** `Name <email> seconds +0000` as a commit has it. Characters that would end the name or address are taken out. */
export function identity(name: string, email: string, milliseconds: number): string {
  const clean = (text: string): string => oneLine(text).replace(/[<>]/g, '')
  return `${clean(name) || 'unknown'} <${clean(email)}> ${Math.floor(milliseconds / 1000)} +0000`
}

/** Of commits that nobody asked for. */
export function ownIdentity({
  committer: { name, email },
  clock,
  sign,
}: Pick<WriterOptions, 'committer' | 'clock' | 'sign'>): CommitIdentity {
  const line = identity(name, email, clock.now())
  return { author: line, committer: line, sign }
}

/** A message that `commitMessage` made, read back. */
export function parseTrailers(message: string): {
  readonly subject: string
  readonly body: string
  readonly trailers: Readonly<Record<string, string>>
} {
  const [subject = '', ...paragraphs] = message.trimEnd().split('\n\n')
  const lines = paragraphs.at(-1)?.split('\n') ?? []
  const pairs = lines.map((line) => /^([A-Za-z][A-Za-z-]*): (.*)$/.exec(line))
  if (pairs.length === 0 || pairs.includes(null))
    return { subject, body: paragraphs.join('\n\n'), trailers: {} }
  const trailers = Object.fromEntries(pairs.map((pair) => [pair?.[1] ?? '', pair?.[2] ?? '']))
  return { subject, body: paragraphs.slice(0, -1).join('\n\n'), trailers }
}
