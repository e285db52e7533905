/** `fleetwright status [name]`: the fleet, or one installation, as the server sees it. */
import type { Command } from 'commander'
import type { Problem } from '../../fleet/files.ts'
import { FleetError } from '../../fleet/errors.ts'
import { type ApiClient, createApiClient, type FleetStatus } from '../api-client.ts'
import { problemLines } from '../checkout.ts'
import { readToken } from '../client-token.ts'
import {
  addSettings,
  type CommandContext,
  type ExitCode,
  type Options,
  readSettings,
} from '../command-context.ts'
import { counted } from '../../fleet/counted.ts'
import { findObject } from '../find-object.ts'
import { shortened } from '../shortened.ts'
import type { Terminal } from '../terminal.ts'

export function addStatus(program: Command, context: CommandContext, finish: (code: ExitCode) => void): void {
  const command = program
    .command('status')
    .description('the fleet, or one installation, as the server sees it')
    .argument('[installation]', 'name or id of an installation')
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExit codes: 0 fine; 1 something failed, waits or is not valid; 2 wrong use.')
  addSettings(command, ['server', 'token-file'])
  command.action(async (name: string | undefined, options: Options) => {
    const settings = await readSettings(context, options)
    const api = createApiClient({ url: settings.server, token: await readToken(settings) })
    const show = { terminal: context.terminal, asJson: options.json === true }
    finish(name === undefined ? await showFleet(api, show) : await showInstallation(api, name, show))
  })
}

interface Show {
  readonly terminal: Terminal
  readonly asJson: boolean
}

/** States that somebody must look at. */
const WRONG = /-failed$|^creation-no-compatible-clusters$/

async function showFleet(api: ApiClient, { terminal, asJson }: Show): Promise<ExitCode> {
  const status = await api.status()
  const { json } = await api.request('GET', '/api/fleet/problems')
  // The shape that the server's own OpenAPI document promises.
  const { problems } = json as { readonly problems: readonly Problem[] }
  const { json: listed } = await api.request('GET', '/api/fleet/reviews')
  const { reviews } = listed as { readonly reviews: readonly Review[] }
  const seen = await askContacts(api)
  if (asJson) terminal.json({ ...status, problems, reviews, contact: seen })
  else printFleet(terminal, { status, problems, reviews, seen })
  const wrong = Object.keys(status.installations.states).some((state) => WRONG.test(state))
  return wrong || problems.length > 0 || status.waitingTotal > 0 ? 1 : 0
}

/** What `GET /api/fleet/clusters` says of one. */
interface Contact {
  readonly connected: boolean
  readonly fresh?: boolean
  readonly observedAt: string | null
  readonly problem?: { readonly detail: string; readonly since: string }
}

interface Contacts {
  readonly control: Contact | null
  readonly clusters: readonly (Contact & { readonly name: string })[]
}

async function askContacts(api: ApiClient): Promise<Contacts> {
  const { json } = await api.request('GET', '/api/fleet/clusters')
  // The shape that the server's own OpenAPI document promises.
  return json as Contacts
}

interface Overview {
  readonly status: FleetStatus
  readonly problems: readonly Problem[]
  readonly reviews: readonly Review[]
  readonly seen: Contacts
}

function printFleet(terminal: Terminal, { status, problems, reviews, seen }: Overview): void {
  const { bold, dim, red, yellow } = terminal.colors
  const { fleet, engine, version, head, installations, clusters, groups, waiting, waitingTotal } = status
  terminal.line(
    `${bold(`Fleet ${fleet}`)}  ${dim(`${engine}, main ${head.slice(0, 12)}, Fleetwright ${version}`)}`,
  )
  terminal.line(`${counted(installations.total, 'installation')}`)
  for (const [state, number] of Object.entries(installations.states).sort(([a], [b]) => (a < b ? -1 : 1)))
    terminal.line(`  ${String(number).padStart(6)}  ${WRONG.test(state) ? red(state) : state}`)
  printHealth(terminal, status)
  section(terminal, clusters.length, 'cluster')
  table(
    terminal,
    clusters.map(({ name, state, installations: used, limit, allowInstallations }) => [
      name,
      `${used} of ${limit} installations`,
      state,
      allowInstallations ? '' : 'takes no new ones',
      contactText(seen.clusters.find((one) => one.name === name)),
    ]),
  )
  for (const { name, problem } of seen.clusters)
    if (problem !== undefined) terminal.line(shortened(`    ${name}: ${problem.detail}`, terminal.columns))
  section(terminal, groups.length, 'group')
  table(
    terminal,
    groups.map(({ name, version: runs, installations: members }) => [
      name,
      counted(members, 'installation'),
      runs,
    ]),
  )
  if (waitingTotal > 0)
    terminal.line(yellow(`${counted(waitingTotal, 'installation')} waiting for a cluster`))
  table(
    terminal,
    waiting.map(({ name, reason }) => [name, reason]),
  )
  if (reviews.length > 0) terminal.line(`${counted(reviews.length, 'change')} awaiting review`)
  for (const review of reviews) terminal.line(shortened(`  ${reviewText(review)}`, terminal.columns))
  if (problems.length > 0) terminal.line(red(counted(problems.length, 'problem')))
  for (const line of problemLines(problems)) terminal.line(`  ${line}`)
}

function printHealth(terminal: Terminal, { installations, drift }: FleetStatus): void {
  const { red, yellow } = terminal.colors
  const { healths, stuck, total } = installations
  if (total === 0) return
  terminal.line('Health')
  for (const [health, number] of Object.entries(healths).sort(([a], [b]) => (a < b ? -1 : 1)))
    terminal.line(`  ${String(number).padStart(6)}  ${health === 'degraded' ? red(health) : health}`)
  if (stuck > 0)
    terminal.line(red(`${counted(stuck, 'installation')} stuck: past the deadline of the operation`))
  if (drift > 0)
    terminal.line(yellow(`${counted(drift, 'installation')} with drift; fleetwright drift shows it`))
}

/** How far what is shown of a cluster can be believed. */
function contactText(contact: Contact | undefined): string {
  if (contact === undefined) return 'not watched'
  if (contact.connected) return contact.fresh === false ? 'in contact, still reading' : 'in contact'
  return contact.observedAt === null ? 'never answered' : `stale since ${contact.observedAt}`
}

function section(terminal: Terminal, number: number, noun: string): void {
  terminal.line(counted(number, noun))
}

function table(terminal: Terminal, rows: readonly (readonly string[])[]): void {
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...rows.map((row) => (row[at] ?? '').length)))
  for (const row of rows)
    terminal.line(`  ${row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join('  ')}`.trimEnd())
}

/** What of the API's view of an installation is for people. */
interface InstallationView {
  readonly ID: string
  readonly Name: string
  readonly State: string
  readonly OwnerID: string
  readonly Version: string
  readonly Image: string
  readonly Size: string
  readonly Affinity: string
  readonly Database: string
  readonly Filestore: string
  readonly GroupID?: string | null
  readonly DNSRecords?: readonly { readonly DomainName: string }[]
}

/** A change that was asked for and counts once it is merged. */
interface Review {
  readonly subject: string
  readonly requestedBy: string
  readonly pullRequest: string | null
  readonly since: string
  readonly expires: string
}

function reviewText({ subject, requestedBy, pullRequest, since, expires }: Review): string {
  const where = pullRequest ?? '(pull request not open yet)'
  return `${where} ${subject}, asked for by ${requestedBy} ${since}, expires ${expires}`
}

/** How far it has come; what is not known is null. */
interface Truths {
  readonly reason: string
  readonly wayOut?: string
  readonly awaitingReview: readonly Review[]
  readonly requested: { readonly operation: string; readonly at: string }
  readonly committed: { readonly commit: string; readonly at: string } | null
  readonly synced: { readonly synced: boolean | null; readonly reason?: string; readonly at?: string | null }
  readonly live: { readonly live: boolean | null; readonly reason?: string; readonly at?: string | null }
  readonly working: { readonly health: string; readonly message?: string; readonly since?: string }
  readonly observation: {
    readonly stale: boolean
    readonly observedAt: string | null
    readonly problem?: { readonly detail: string }
  }
}

function truthRows(truths: Truths): readonly (readonly [string, string | undefined])[] {
  const { requested, committed, synced, live, working, observation } = truths
  const said = (
    yes: boolean | null,
    { reason, at }: { readonly reason?: string; readonly at?: string | null },
  ): string => [yes === null ? 'not known' : yes ? 'yes' : 'no', at, reason].filter(Boolean).join(', ')
  return [
    ...truths.awaitingReview.map((review) => ['Review', `awaiting review: ${reviewText(review)}`] as const),
    ['Reason', truths.reason],
    ['Way out', truths.wayOut],
    ['Requested', `${requested.operation}, ${requested.at}`],
    ['Committed', committed === null ? 'no' : `${committed.commit.slice(0, 12)}, ${committed.at}`],
    ['Synced', said(synced.synced, synced)],
    ['Live', said(live.live, live)],
    ['Working', [working.health, working.since, working.message].filter(Boolean).join(', ')],
    ['Seen', seenText(observation)],
  ]
}

/** Old knowledge is not shown as current. */
function seenText({ stale, observedAt, problem }: Truths['observation']): string {
  if (!stale) return observedAt ?? 'never'
  const last = observedAt === null ? 'never' : `stale, last at ${observedAt}`
  return problem === undefined ? last : `${last}: ${problem.detail}`
}

/** @throws FleetError `not-found` */
async function showInstallation(api: ApiClient, name: string, { terminal, asJson }: Show): Promise<ExitCode> {
  const found = await findObject(api, name)
  if (found.kind !== 'installation')
    throw new FleetError('not-found', `${name} is a ${found.kind}; status without a name shows it.`)
  const { json } = await api.request('GET', `/api/installation/${found.id}`)
  const fleet = await api.status()
  // The shapes that the wire contract and the server's OpenAPI document promise.
  const view = json as InstallationView
  const truths = (await api.lookUp(`/api/fleet/installations/${found.id}/status`)) as Truths | undefined
  const waiting = fleet.waiting.find(({ id }) => id === view.ID)
  if (asJson)
    terminal.json({
      ...view,
      status: truths ?? null,
      ...(waiting === undefined ? {} : { waitingFor: waiting.reason }),
    })
  else {
    const { bold, dim, red } = terminal.colors
    const group = fleet.groups.find(({ id }) => id === view.GroupID)?.name
    terminal.line(`${bold(`Installation ${view.Name}`)}  ${dim(view.ID)}`)
    const rows: readonly (readonly [string, string | undefined])[] = [
      ['State', WRONG.test(view.State) ? red(view.State) : view.State],
      ['Waits', waiting?.reason],
      ['Owner', view.OwnerID],
      ['Address', view.DNSRecords?.map(({ DomainName }) => DomainName).join(', ')],
      ['Runs', `${view.Image}:${view.Version}`],
      ['Size', `${view.Size}, ${view.Affinity}`],
      ['Database', view.Database],
      ['Files', view.Filestore],
      ['Group', group],
      ...(truths === undefined ? [] : truthRows(truths)),
    ]
    for (const [label, value] of rows)
      if (value !== undefined && value !== '')
        terminal.line(`  ${dim(label.padEnd(10))}${shortened(value, terminal.columns - 12)}`)
  }
  return WRONG.test(view.State) ? 1 : 0
}
