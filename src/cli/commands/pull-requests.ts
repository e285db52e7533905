/** `fleetwright pull-requests`: the open ones, and what was said of each. */
import type { Command } from 'commander'
import { visible } from '../../fleet/review/markdown-text.ts'
import { createApiClient } from '../api-client.ts'
import { readToken } from '../client-token.ts'
import {
  addSettings,
  type CommandContext,
  type ExitCode,
  type Options,
  readSettings,
} from '../command-context.ts'
import { shortened } from '../shortened.ts'
import type { Terminal } from '../terminal.ts'

/** What `GET /api/fleet/pull-requests` answers. */
interface Answer {
  readonly repository: string | null
  readonly pullRequests: readonly ListedPullRequest[]
}

interface ListedPullRequest {
  readonly number: number
  readonly url: string
  readonly title: string
  readonly author: string
  readonly head: string
  readonly result: 'pending' | 'success' | 'failure'
  readonly plannedOn: string | null
  readonly problems: number
  readonly checkedAt: string | null
}

export function addPullRequests(
  program: Command,
  context: CommandContext,
  finish: (code: ExitCode) => void,
): void {
  const command = program
    .command('pull-requests')
    .description('open pull requests of the fleet repository, with the last verdict on each')
    .option('--json', 'as JSON')
  addSettings(command, ['server', 'token-file'])
  command.action(async (options: Options & { readonly json?: boolean }) => {
    const settings = await readSettings(context, options)
    const api = createApiClient({ url: settings.server, token: await readToken(settings) })
    const { json } = await api.request('GET', '/api/fleet/pull-requests')
    // The shape that the server's own OpenAPI document promises.
    const answer = json as Answer
    if (options.json === true) context.terminal.json(answer)
    else print(context.terminal, answer)
    finish(0)
  })
}

function print(terminal: Terminal, { repository, pullRequests }: Answer): void {
  const { dim } = terminal.colors
  if (repository === null)
    return terminal.line('The server looks at no pull requests: it has no forge (setting forge).')
  if (pullRequests.length === 0) return terminal.line('No pull request is open.')
  const width = Math.max(...pullRequests.map(({ number }) => String(number).length)) + 1
  for (const one of pullRequests) {
    const number = `#${one.number}`.padStart(width)
    const title = shortened(`${number}  ${verdict(one).padEnd(12)}  ${visible(one.title)}`, terminal.columns)
    terminal.line(title.replace(verdict(one), coloured(terminal, one)))
    const planned = one.plannedOn === null ? '' : ` on ${one.plannedOn.slice(0, 12)}`
    const checked = one.checkedAt === null ? 'not checked yet' : `checked${planned} at ${one.checkedAt}`
    terminal.line(dim(`${' '.repeat(width)}  ${visible(one.author)}, ${one.head.slice(0, 12)}, ${checked}`))
  }
}

function verdict({ result, problems }: ListedPullRequest): string {
  if (result !== 'failure') return result
  return problems === 0 ? 'failure' : `${problems} problem${problems === 1 ? '' : 's'}`
}

function coloured({ colors }: Terminal, one: ListedPullRequest): string {
  const { green, red, yellow } = colors
  return { pending: yellow, success: green, failure: red }[one.result](verdict(one))
}
