/** `fleetwright drift`: where clusters differ from git, by field, with who wrote it. */
import type { Command } from 'commander'
import { FleetError } from '../../fleet/errors.ts'
import type { JsonValue } from '../../fleet/intents.ts'
import { type ApiClient, createApiClient } from '../api-client.ts'
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

interface DriftOptions extends Options {
  readonly cluster?: string
  readonly installation?: string
  readonly json?: boolean
}

/** What `GET /api/fleet/drift` lists. */
interface DriftEntry {
  readonly type: string
  readonly installation: string
  readonly name: string | null
  readonly cluster?: string
  readonly object?: { readonly kind: string; readonly name: string }
  readonly fields?: readonly DriftField[]
  readonly since?: string
  /** Of engines. */
  readonly unit?: string
  readonly message?: string | null
  /** Of files that were edited in git. */
  readonly path?: string
  readonly detail?: string
  readonly author?: string
}

interface DriftField {
  readonly path: string
  readonly wanted?: JsonValue
  readonly found?: JsonValue
  readonly manager?: { readonly name: string; readonly at?: string }
}

export function addDrift(program: Command, context: CommandContext, finish: (code: ExitCode) => void): void {
  const command = program
    .command('drift')
    .description('where clusters differ from git: field, wanted, found, who wrote it')
    .option('--cluster <name>', 'only this cluster')
    .option('--installation <name>', 'only this installation, by name or id')
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExit codes: 0 no drift; 1 there is drift, or something failed; 2 wrong use.')
  addSettings(command, ['server', 'token-file'])
  command.action(async (options: DriftOptions) => {
    const settings = await readSettings(context, options)
    const api = createApiClient({ url: settings.server, token: await readToken(settings) })
    const drift = await ask(api, options)
    if (options.json === true) context.terminal.json({ drift })
    else print(context.terminal, drift)
    finish(drift.length > 0 ? 1 : 0)
  })
}

/** @throws FleetError `not-found` when there is no such cluster or installation */
async function ask(api: ApiClient, { cluster, installation }: DriftOptions): Promise<readonly DriftEntry[]> {
  const query = new URLSearchParams()
  if (cluster !== undefined) query.set('cluster', cluster)
  if (installation !== undefined) query.set('installation', await idOf(api, installation))
  const { json } = await api.request('GET', `/api/fleet/drift?${query}`)
  // The shape that the server's own OpenAPI document promises.
  return (json as { readonly drift: readonly DriftEntry[] }).drift
}

async function idOf(api: ApiClient, name: string): Promise<string> {
  const found = await findObject(api, name)
  if (found.kind === 'installation') return found.id
  throw new FleetError('not-found', `${name} is a ${found.kind}; --installation takes an installation.`)
}

function print(terminal: Terminal, drift: readonly DriftEntry[]): void {
  const { green, yellow } = terminal.colors
  if (drift.length === 0) return terminal.line(green('No drift.'))
  for (const entry of drift) printEntry(terminal, entry)
  const installations = new Set(drift.map(({ installation }) => installation)).size
  terminal.line(
    yellow(
      `${counted(drift.length, 'difference')} in ${counted(installations, 'installation')}: clusters are not as git says.`,
    ),
  )
}

function printEntry(terminal: Terminal, entry: DriftEntry): void {
  const { bold, dim, yellow } = terminal.colors
  const { type, cluster, installation, name, object, since, fields = [] } = entry
  const what =
    object === undefined ? (entry.unit ?? entry.path ?? installation) : `${object.kind} ${object.name}`
  terminal.line(`${yellow(type)}  ${bold(what)}`)
  const place = cluster === undefined ? '' : ` on ${cluster}`
  terminal.line(
    dim(`  installation ${name ?? installation}${place}${since === undefined ? '' : `, since ${since}`}`),
  )
  for (const text of [entry.message, entry.detail, entry.author])
    if (typeof text === 'string' && text !== '') terminal.line(shortened(`  ${text}`, terminal.columns))
  for (const field of fields) printField(terminal, field)
}

/** Path, then both values on lines of their own: paths and values are too long for columns. */
function printField(terminal: Terminal, { path, wanted, found, manager }: DriftField): void {
  const { dim } = terminal.colors
  const { columns } = terminal
  terminal.line(shortened(`  ${path}`, columns))
  terminal.line(shortened(`    wanted  ${valueText(wanted, 'nothing')}`, columns))
  terminal.line(shortened(`    found   ${valueText(found, 'nothing')}`, columns))
  if (manager === undefined) return
  const at = manager.at === undefined ? '' : `, ${manager.at}`
  terminal.line(dim(shortened(`    by      ${manager.name}${at}`, columns)))
}

function valueText(value: JsonValue | undefined, absent: string): string {
  if (value === undefined) return absent
  return typeof value === 'string' ? value.replaceAll('\n', '\\n') : JSON.stringify(value)
}
