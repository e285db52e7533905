/** What the author of a pull request is told after the merge: one comment, by its whole text, whenever something is new. */
import { counted } from '../counted.ts'
import type { Problem } from '../files.ts'
import { isId } from '../ids.ts'
import { code, link, prose } from './markdown-text.ts'
import { byPlace, placeOf } from './problem-order.ts'
import { type CommentOptions, statusLink } from './public-links.ts'
import { compose } from './sections.ts'

interface Named {
  readonly id: string
  readonly name: string
  readonly address: string
}

/** How far one request of the pull request has come. */
export type FollowUp =
  | (Named & { readonly step: 'accepted' })
  | (Named & { readonly step: 'placed'; readonly cluster: string; readonly reason: string })
  | (Named & { readonly step: 'waiting'; readonly reason: string })
  | (Named & {
      readonly step: 'live'
      readonly cluster: string
      readonly state: string
      readonly version: string
      /** From the merge on. */
      readonly milliseconds: number
    })
  | (Named & {
      readonly step: 'stuck' | 'failed'
      readonly cluster: string | undefined
      readonly state: string
      readonly reason: string
      /** What the author can do; absent: what always helps. */
      readonly wayOut?: string
    })
  /** Taken back: the request, or its installation before it was live. */
  | { readonly step: 'gone'; readonly path: string }
  | {
      readonly step: 'refused'
      /** Of the request. */
      readonly path: string
      readonly problems: readonly Problem[]
    }

const MOST_CHARACTERS = 60_000
const MOST_ITEMS = 100
const MOST_PROBLEMS = 10

/** @param all of one pull request, in the order of their files */
export function followUpComment(all: readonly FollowUp[], options: CommentOptions = {}): string {
  const items = all.map((one) => itemOf(one, options))
  const { text } = compose([{ heading: 'Workspaces', rank: 0, items, most: MOST_ITEMS }], MOST_CHARACTERS)
  return `### ${headline(all)}\n\n${text}\n`
}

function headline(all: readonly FollowUp[]): string {
  const count = (...steps: readonly FollowUp['step'][]): number =>
    all.filter(({ step }) => steps.includes(step)).length
  const live = count('live')
  const isAlone = all.length === 1
  const gone = count('gone')
  if (gone === all.length) return 'Taken back'
  const wrong = count('failed', 'refused')
  if (live === all.length) return isAlone ? '✅ The workspace is live' : `✅ All ${live} workspaces are live`
  const of = `${live} of ${counted(all.length, 'workspace')} ${live === 1 ? 'is' : 'are'} live`
  if (wrong > 0)
    return isAlone
      ? '❌ The workspace will not be live without help'
      : `❌ ${of}; ${counted(wrong, 'workspace')} will not be without help`
  const late = count('stuck', 'waiting')
  if (late > 0)
    return isAlone
      ? '⏳ The workspace will be live later'
      : `⏳ ${of}; ${counted(late, 'workspace')} will be later`
  return `⏳ ${isAlone ? 'The workspace is on its way' : of}`
}

function itemOf(one: FollowUp, options: CommentOptions): string {
  if (one.step === 'refused') return refusedItem(one)
  if (one.step === 'gone') return `- ${code(one.path)} was taken back: nothing of it is on main any more.`
  const { id, name, address } = one
  const who = `${code(name)} (${statusLink(code(id), id, options)})`
  switch (one.step) {
    case 'accepted':
      return `- 🕓 ${who} is accepted and will be at ${code(address)}.`
    case 'placed':
      return `- 🕓 ${who} is made on cluster ${code(one.cluster)}, and will be at ${code(address)}.\n  - Why there: ${prose(one.reason)}`
    case 'waiting':
      return `- ⏳ ${who} is accepted and waits for a cluster: ${prose(one.reason)}\n  - It is placed by itself as soon as a cluster fits; nothing has to be done in this pull request.`
    case 'live':
      return `- ✅ ${who} is live at ${linkedAddress(address)}: version ${code(one.version)} on cluster ${code(one.cluster)}, state ${code(one.state)}, ${durationOf(one.milliseconds)} after the merge.`
    default: {
      const where = one.cluster === undefined ? '' : ` on cluster ${code(one.cluster)}`
      const what = one.step === 'stuck' ? '⚠️' : '❌'
      const words = one.step === 'stuck' ? 'is stuck' : 'has failed'
      return `- ${what} ${who} ${words}${where}, state ${code(one.state)}: ${prose(one.reason)}\n  - ${wayOutOf(one, id)}`
    }
  }
}

function refusedItem({ path, problems }: Extract<FollowUp, { step: 'refused' }>): string {
  const shown = problems.toSorted(byPlace).slice(0, MOST_PROBLEMS)
  const more = problems.length > shown.length ? [`  - and ${problems.length - shown.length} more`] : []
  return [
    `- ❌ ${code(path)} is on main and cannot be carried out. Nothing else is held back by it.`,
    ...shown.map((problem) => `  - ${code(placeOf(problem), 300)}: ${prose(problem.detail)}`),
    ...more,
    '  - Correct or remove the file in another pull request.',
  ].join('\n')
}

function wayOutOf({ step, wayOut }: Extract<FollowUp, { step: 'stuck' | 'failed' }>, id: string): string {
  if (wayOut !== undefined) return `Way out: ${prose(wayOut)}`
  const look = `\`fleetwright status ${isId(id) ? id : '<id>'}\` shows each of its parts`
  return step === 'stuck'
    ? `It goes on by itself when the cause is gone. ${look}.`
    : `${look}. Correct the cause; it is looked at all the time, and this comment follows.`
}

/** Only what is a DNS name becomes a link. */
function linkedAddress(address: string): string {
  return /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/.test(address)
    ? link(code(address), `https://${address}`)
    : code(address)
}

/** `2 min 5 s`, whole seconds. */
function durationOf(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000))
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60)]
  if (hours > 0) return `${hours} h ${minutes} min`
  return minutes > 0 ? `${minutes} min ${seconds % 60} s` : `${seconds} s`
}
