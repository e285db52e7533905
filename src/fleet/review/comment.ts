/**
 * The one comment on a pull request, by its whole text: what is wrong, what goes, what changes for whom, then details.
 * Deletions stand in a `diff` block, whose `-` lines GitHub, GitLab and Gitea show in red, below a heading with a red mark,
 * which mails and plain text keep.
 */
import { counted } from '../counted.ts'
import { code, fenced, html, prose, shortened } from './markdown-text.ts'
import type { Affected, ClusterCapacity, Impact, ObjectDifference, ReviewPlan } from './plan.ts'
import { byPlace, countedProblems, isOfAll, placeOf } from './problem-order.ts'
import { type CommentOptions, statusLink } from './public-links.ts'
import { compose, type Section } from './sections.ts'

/** The smallest limit of the three is GitHub's: 65,536. */
const MOST_CHARACTERS = 60_000
/** For what stands outside of the sections. */
const FRAME_CHARACTERS = 2_000
const MOST_ROWS = 50
const MOST_DIFFS = 100
const DIFF = { lines: 120, columns: 300 }

export function commentOf(plan: ReviewPlan, options: CommentOptions = {}): string {
  const { text, shortened: isShortened } = compose(
    sectionsOf(plan, options),
    MOST_CHARACTERS - FRAME_CHARACTERS,
  )
  return frame(plan, [text, ...(isShortened ? [SHORTENED] : [])])
}

/** The same without differences and tables: for the page of a check. */
export function summaryOf(plan: ReviewPlan, options: CommentOptions = {}): string {
  const kept = sectionsOf(plan, options).filter(({ rank }) => rank <= RANKS.shared)
  const { text, shortened: isShortened } = compose(kept, MOST_CHARACTERS / 4)
  return frame(plan, [text, ...(isShortened ? [SHORTENED] : [])])
}

const SHORTENED =
  'Shortened: a comment has no room for all of it. `fleetwright plan --patch` shows everything.'

function frame(plan: ReviewPlan, parts: readonly string[]): string {
  const all = [`### ${verdictOf(plan)}`, changesInOneLine(plan.impact), ...parts, footer(plan)]
  return `${all.filter((part) => part !== '').join('\n\n')}\n`
}

export function verdictOf({ problems, warnings }: ReviewPlan): string {
  if (problems.length > 0) return `❌ Must not be merged: ${countedProblems(problems, 'problem')}`
  return warnings.length > 0
    ? `⚠️ Can be merged, with ${countedProblems(warnings, 'warning')}`
    : '✅ Can be merged'
}

/** `1 new, 2 change, 1 goes away; 120 members of 1 group`: numbers only. */
export function changesInOneLine({ added, changed, removed, waves, shared }: Impact): string {
  const parts = [
    ...(added.length > 0 ? [`${added.length} new`] : []),
    ...(changed.length > 0 ? [`${changed.length} ${changed.length === 1 ? 'changes' : 'change'}`] : []),
    ...(removed.length > 0 ? [`🔴 ${removed.length} ${removed.length === 1 ? 'goes' : 'go'} away`] : []),
    ...waves.map(({ members }) => `a group with ${counted(members, 'member')} changes`),
    ...shared.map(
      ({ kind, installations }) =>
        `${SHARED_WORDS[kind]} of ${counted(installations, 'installation')} change${kind === 'fleet' ? '' : 's'}`,
    ),
  ]
  const shown = parts.slice(0, 8)
  const more = parts.length > shown.length ? `, and ${parts.length - shown.length} more` : ''
  return parts.length === 0 ? 'Nothing changes for any installation.' : `${shown.join(', ')}${more}.`
}

const SHARED_WORDS = { cluster: 'a cluster', database: 'a shared database', fleet: 'settings' } as const

const RANKS = {
  problems: 0,
  removed: 1,
  warnings: 2,
  shared: 3,
  added: 4,
  changed: 5,
  placements: 6,
  clusters: 7,
  objects: 8,
} as const

function sectionsOf(plan: ReviewPlan, options: CommentOptions): readonly Section[] {
  const { impact } = plan
  return [
    list('Problems', RANKS.problems, problemLines(plan.problems)),
    list('🔴 Goes away', RANKS.removed, removedBlock(impact.removed), 1),
    list('For many at once', RANKS.shared, [...waveLines(impact), ...sharedLines(impact)]),
    list('Warnings', RANKS.warnings, problemLines(plan.warnings)),
    table('New', RANKS.added, ['Name', 'Cluster', 'What', 'Cost class'], impact.added.map(newRow)),
    table(
      'Changes',
      RANKS.changed,
      ['Name', 'Cluster', 'What its users notice', 'Cost class'],
      impact.changed.map((affected) => changedRow(affected, options)),
    ),
    list('Placement', RANKS.placements, plan.placements.map(placementItem)),
    table(
      'Capacity',
      RANKS.clusters,
      ['Cluster', 'Before', 'After', 'Limit'],
      impact.clusters.map(capacityRow),
    ),
    {
      heading: 'Differences',
      rank: RANKS.objects,
      blocks: true,
      items: plan.objects.map(differenceBlock),
      most: MOST_DIFFS,
    },
  ]
}

function list(heading: string, rank: number, items: readonly string[], most = MOST_ROWS): Section {
  return { heading, rank, items, most }
}

function table(heading: string, rank: number, columns: readonly string[], rows: readonly string[]): Section {
  const head = `| ${columns.join(' | ')} |\n|${'---|'.repeat(columns.length)}`
  return { heading, rank, head, items: rows, most: MOST_ROWS }
}

function problemLines(problems: ReviewPlan['problems']): readonly string[] {
  return problems.toSorted(byPlace).map((problem) => {
    const where = isOfAll(problem) ? 'All of it' : code(placeOf(problem), 300)
    return `- ${where}: ${prose(problem.detail)} (${code(problem.code, 60)})`
  })
}

/** One block, so that all of it is red; its lines are few. */
function removedBlock(removed: readonly Affected[]): readonly string[] {
  if (removed.length === 0) return []
  const lines = removed.map(({ kind, name, id, cluster, effect }) => {
    const where = cluster === undefined ? '' : ` on ${cluster}`
    return `- ${kind} ${shortened(name, 80)}${where} (${id}): ${oneLine(effect ?? 'goes away')}`
  })
  return [fenced('diff', lines.join('\n'), { lines: MOST_ROWS, columns: 400 })]
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ')
}

function waveLines({ waves }: Impact): readonly string[] {
  return waves.map(({ group, members, maxRolling, atOnce }) => {
    const who = `- Group ${code(group)}, ${counted(members, 'member')}`
    return atOnce
      ? `${who}: those that run the changed configuration get it at once, in one commit, and their pods are replaced. To roll it out, ${maxRolling} at a time, raise \`spec.sequence\` and keep the present configuration in \`spec.previous\`.`
      : `${who}: they run what they have until the new configuration is rolled out to them, ${maxRolling} at a time at most; then their pods are replaced.`
  })
}

function sharedLines({ shared }: Impact): readonly string[] {
  return shared.map(({ kind, name, installations, effect }) => {
    const where =
      kind === 'fleet'
        ? 'Settings of the fleet'
        : `${kind === 'cluster' ? 'Cluster' : 'Database'} ${code(name)}`
    return `- ${where}, ${counted(installations, 'installation')}: ${prose(effect)}`
  })
}

function newRow({ kind, name, cluster, effect, costAfter }: Affected): string {
  return row([
    nameCell(kind, code(name)),
    cluster === undefined ? '' : code(cluster),
    prose(effect ?? ''),
    costAfter ?? '',
  ])
}

function changedRow(
  { kind, id, name, cluster, effect, costBefore, costAfter }: Affected,
  options: CommentOptions,
): string {
  const linked = kind === 'installation' ? statusLink(code(name), id, options) : code(name)
  const cost =
    costBefore === costAfter || costBefore === undefined
      ? (costAfter ?? '')
      : `${costBefore} → ${costAfter ?? 'none'}`
  return row([
    nameCell(kind, linked),
    cluster === undefined ? '' : code(cluster),
    effect === undefined ? 'nothing' : prose(effect),
    cost,
  ])
}

function nameCell(kind: Affected['kind'], name: string): string {
  return kind === 'installation' ? name : `${kind} ${name}`
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`
}

function capacityRow({ cluster, before, after, limit, limitBefore }: ClusterCapacity): string {
  const most = limitBefore === undefined ? String(limit) : `${limitBefore} → ${limit}`
  const full = after > limit ? ' 🔴 over its limit' : after === limit ? ' full' : ''
  return row([code(cluster), String(before), `${after}${full}`, most])
}

function placementItem({ subject, body }: ReviewPlan['placements'][number]): string {
  const reasons = (body ?? '')
    .split('\n')
    .filter((text) => text.trim() !== '')
    .slice(0, 12)
  return [`- ${prose(subject)}`, ...reasons.map((text) => `  - ${prose(text, 400)}`)].join('\n')
}

function differenceBlock({ kind, name, cluster, change, files, fields, diff }: ObjectDifference): string {
  const where = cluster === undefined ? '' : ` on <code>${html(cluster)}</code>`
  const added = files.reduce((sum, file) => sum + file.added, 0)
  const removed = files.reduce((sum, file) => sum + file.removed, 0)
  const mark = change === 'removed' ? '🔴 ' : ''
  const size = `${counted(files.length, 'file')}, +${added} −${removed}`
  const shown = fields
    .slice(0, 10)
    .map(({ field, before, after }) => `- ${code(field)}: ${value(before)} → ${value(after)}`)
  const more = fields.length > shown.length ? [`- and ${fields.length - shown.length} more fields`] : []
  return [
    `<details><summary>${mark}${kind} <code>${html(name)}</code>${where}, ${change} (${size})</summary>`,
    ...(shown.length === 0 ? [] : [[...shown, ...more].join('\n')]),
    fenced('diff', diff, DIFF),
    '</details>',
  ].join('\n\n')
}

function value(of: ObjectDifference['fields'][number]['before']): string {
  if (of === undefined) return '(none)'
  return code(typeof of === 'string' ? of : JSON.stringify(of), 100)
}

function footer({ base, head }: ReviewPlan): string {
  const what = head === undefined ? 'files that are not committed' : `\`${head}\``
  return `---\n\nPlanned for ${what} on main at \`${base}\`.`
}
