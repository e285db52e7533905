/** Plays the example portal requests through the server's own HTTP API and shows what comes of each. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createApiClient } from './api-client.ts'
import { changedFiles } from '../fleet/review/changed-files.ts'
import { showFiles } from './changed-files.ts'
import type { StopSignal } from './stop-signal.ts'
import type { Terminal } from './terminal.ts'

const FILE = join(import.meta.dirname, '../../examples/requests.json')
const MARGIN = '   '

interface ExampleRequest {
  readonly title: string
  readonly method: string
  readonly path: string
  readonly body: Readonly<Record<string, unknown>>
  /** Name under which later requests find the id of this answer. */
  readonly save?: string
}

/** @throws FleetError when an example request is refused: the example itself is wrong then */
export async function playExample(
  url: string,
  token: string,
  terminal: Terminal,
  stop: StopSignal,
): Promise<void> {
  // The project's own file; a test plays it.
  const requests = JSON.parse(await readFile(FILE, 'utf8')) as readonly ExampleRequest[]
  const api = createApiClient({ url, token })
  const saved = new Map<string, string>()
  const { bold, cyan, dim, green } = terminal.colors
  terminal.line(`The data directory is new: ${requests.length} example requests, and what comes of each.`)
  for (const [at, request] of requests.entries()) {
    if (stop.requested) return
    const path = request.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => saved.get(name) ?? name)
    terminal.line()
    terminal.line(bold(`${at + 1}. ${request.title}`))
    terminal.line(`${MARGIN}${cyan(request.method)} ${path}`)
    for (const line of bodyLines(request.body, terminal.columns)) terminal.line(dim(line))
    const { status, json, commit } = await api.request(request.method, path, request.body)
    const answer: { readonly ID?: string; readonly State?: string } = isObject(json) ? json : {}
    if (request.save !== undefined && answer.ID !== undefined) saved.set(request.save, answer.ID)
    const said = [answer.ID, answer.State].filter((part) => part !== undefined).join('  ')
    terminal.line(`${MARGIN}${green(`→ ${status}`)}  ${said}`.trimEnd())
    if (commit !== undefined) await showCommit(api, commit, terminal)
  }
}

async function showCommit(
  api: ReturnType<typeof createApiClient>,
  commit: string,
  terminal: Terminal,
): Promise<void> {
  const { bold, yellow } = terminal.colors
  const found = (await api.history({ limit: 10, diff: true })).find((entry) => entry.commit === commit)
  if (found === undefined) return
  terminal.line(`${MARGIN}${yellow(`commit ${commit.slice(0, 12)}`)}  ${bold(found.subject)}`)
  showFiles(terminal, changedFiles(found.diff ?? ''), `${MARGIN}  `)
}

/** JSON in as few lines as fit: `"key": value` pairs are kept together. */
function bodyLines(body: Readonly<Record<string, unknown>>, columns: number): readonly string[] {
  const pairs = Object.entries(body).map(([key, value]) => `"${key}": ${JSON.stringify(value)}`)
  const lines: string[] = []
  let line = `${MARGIN}{`
  for (const [at, pair] of pairs.entries()) {
    const text = at === pairs.length - 1 ? `${pair}}` : `${pair},`
    if (line.length > MARGIN.length + 1 && line.length + 1 + text.length > columns) {
      lines.push(line)
      line = `${MARGIN} ${text}`
    } else line += line.endsWith('{') ? text : ` ${text}`
  }
  return pairs.length === 0 ? [] : [...lines, line]
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
