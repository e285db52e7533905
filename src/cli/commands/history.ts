/** `fleetwright history [name]`: who changed what, from the server. */
import { type Command, InvalidArgumentError } from 'commander'
import { type ApiClient, createApiClient, type HistoryCommit } from '../api-client.ts'
import { changedFiles } from '../../fleet/review/changed-files.ts'
import { showDiff, showFiles } from '../changed-files.ts'
import { readToken } from '../client-token.ts'
import {
  addSettings,
  type CommandContext,
  type ExitCode,
  type Options,
  readSettings,
} from '../command-context.ts'
import { findObject } from '../find-object.ts'

interface HistoryOptions extends Options {
  readonly limit: number
  readonly patch?: boolean
  readonly json?: boolean
}

const MOST = 100

export function addHistory(
  program: Command,
  context: CommandContext,
  finish: (code: ExitCode) => void,
): void {
  const command = program
    .command('history')
    .description('commits of the fleet, or of one installation, cluster or group, newest first')
    .argument('[name]', 'name or id of an installation, cluster or group')
    .option('--limit <number>', `most commits, up to ${MOST}`, limitOf, 20)
    .option('--patch', 'with the lines that differ')
    .option('--json', 'as JSON')
  addSettings(command, ['server', 'token-file'])
  command.action(async (name: string | undefined, options: HistoryOptions) => {
    finish(await history(context, name, options))
  })
}

function limitOf(text: string): number {
  const limit = Number(text)
  if (Number.isInteger(limit) && limit >= 1 && limit <= MOST) return limit
  throw new InvalidArgumentError(`It must be 1 to ${MOST}.`)
}

async function history(
  context: CommandContext,
  name: string | undefined,
  options: HistoryOptions,
): Promise<ExitCode> {
  const { terminal } = context
  const settings = await readSettings(context, options)
  const api: ApiClient = createApiClient({ url: settings.server, token: await readToken(settings) })
  const object = name === undefined ? {} : await findObject(api, name)
  const commits = await api.history({ ...object, limit: options.limit, diff: true })
  if (options.json === true) terminal.json({ commits })
  else for (const commit of commits) show(context, commit, options.patch === true)
  return 0
}

function show({ terminal }: CommandContext, commit: HistoryCommit, patch: boolean): void {
  const { bold, dim, yellow } = terminal.colors
  const { actor, at, subject, body, diff = '' } = commit
  terminal.line(`${yellow(commit.commit.slice(0, 12))}  ${dim(at)}  ${actor.name}`)
  terminal.line(`  ${bold(subject)}`)
  for (const line of body.split('\n')) if (line !== '') terminal.line(`  ${line}`)
  if (patch) showDiff(terminal, diff)
  else showFiles(terminal, changedFiles(diff), '    ')
  terminal.line()
}
