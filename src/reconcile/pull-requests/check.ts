/** What is said of one pull request: the check on its head, and the one comment. The same is never said twice. */
import { createHash } from 'node:crypto'
import type { CheckReport, Forge, PullRequest } from '../../ports/forge.ts'
import type { ForgeContact } from './forge-contact.ts'

/** Name of the check, which branch protection can require. */
export const CHECK_NAME = 'fleetwright/plan'
const COMMENT_KEY = 'plan'

/** What a plan says, in words. */
export interface ReviewWords extends Pick<CheckReport, 'title' | 'summary' | 'annotations' | 'url'> {
  readonly result: 'success' | 'failure'
  /** Markdown. */
  readonly comment: string
}

/** Digests of what was said last. After a restart they are not known, and saying it again changes nothing on the forge. */
export interface Said {
  report: string | undefined
  comment: string | undefined
}

export interface Speaker {
  readonly forge: Pick<Forge, 'report' | 'comment'>
  readonly contact: Pick<ForgeContact, 'ask'>
}

const PENDING = {
  result: 'pending',
  title: 'Fleetwright works out what this would do',
  summary: 'The result follows here and in a comment.',
  annotations: [],
} as const

/** When there is no plan because Fleetwright itself failed: the pull request is not to be merged unseen. */
export const FAILED: ReviewWords = {
  result: 'failure',
  title: 'Fleetwright could not check this',
  summary: 'Something unexpected went wrong; the log of the server says what. It is tried again by itself.',
  annotations: [],
  comment:
    '**Fleetwright could not check this.** Something unexpected went wrong; the log of the server says what. It is tried again by itself.',
}

/** @throws FleetError what the forge says */
export async function sayPending(speaker: Speaker, pull: PullRequest, said: Said): Promise<void> {
  await sayReport(speaker, { ...about(pull), ...PENDING }, { said })
}

export interface Before {
  readonly said: Said
  /** Part of the texts that makes none of them new. */
  readonly noNews?: string
}

/** @throws FleetError what the forge says */
export async function sayWords(
  speaker: Speaker,
  pull: PullRequest,
  { comment, ...words }: ReviewWords,
  { said, noNews }: Before,
): Promise<void> {
  await sayReport(speaker, { ...about(pull), ...words }, { said, noNews })
  const digest = digestOf(comment, noNews)
  if (said.comment === digest) return
  await speaker.contact.ask(() => speaker.forge.comment(pull.number, COMMENT_KEY, comment))
  said.comment = digest
}

async function sayReport(
  { forge, contact }: Speaker,
  report: CheckReport,
  { said, noNews }: Before,
): Promise<void> {
  const digest = digestOf(JSON.stringify(report), noNews)
  if (said.report === digest) return
  await contact.ask(() => forge.report(report))
  said.report = digest
}

function about({ number, head }: PullRequest): Pick<CheckReport, 'number' | 'commit' | 'name'> {
  return { number, commit: head, name: CHECK_NAME }
}

export function digestOf(text: string, noNews?: string): string {
  const told = noNews === undefined ? text : text.replaceAll(noNews, '')
  return createHash('sha256').update(told).digest('base64')
}
