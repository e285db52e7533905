/** Plays the example portal requests through the server's own HTTP API and shows what comes of each. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isObjectId } from '../fleet/ids.ts'
import type { FleetHistory } from '../ports/writer.ts'

const FILE = join(import.meta.dirname, '../../examples/requests.json')

interface ExampleRequest {
  readonly title: string
  readonly method: string
  readonly path: string
  readonly body: unknown
  /** Name under which later requests find the id of this answer. */
  readonly save?: string
}

export interface Printer {
  line(text?: string): void
  heading(text: string): void
  dim(text: string): void
}

/** @throws Error when an example request is refused: the example itself is wrong then */
export async function playExample(
  url: string,
  token: string,
  history: FleetHistory,
  print: Printer,
): Promise<void> {
  // The project's own file; a test plays it.
  const requests = JSON.parse(await readFile(FILE, 'utf8')) as readonly ExampleRequest[]
  const saved = new Map<string, string>()
  for (const [at, request] of requests.entries()) {
    const path = request.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => saved.get(name) ?? name)
    print.line()
    print.heading(`${at + 1}. ${request.title}`)
    print.line(`   ${request.method} ${path}`)
    print.dim(`   ${JSON.stringify(request.body)}`)
    const response = await fetch(`${url}${path}`, {
      method: request.method,
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
      body: JSON.stringify(request.body),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`the example request ${path} was answered ${response.status}: ${text}`)
    const answer: { readonly ID?: string; readonly State?: string } = text === '' ? {} : JSON.parse(text)
    if (request.save !== undefined && answer.ID !== undefined) saved.set(request.save, answer.ID)
    print.line(
      `   → ${[response.status, answer.ID, answer.State].filter((part) => part !== undefined).join(' ')}`,
    )
    await showCommit(response.headers.get('Fleetwright-Commit'), history, print)
  }
}

async function showCommit(commit: string | null, history: FleetHistory, print: Printer): Promise<void> {
  if (commit === null || !isObjectId(commit)) return
  const [subject] = (await history.log({ limit: 50 })).filter((entry) => entry.commit === commit)
  print.line(`   commit ${commit.slice(0, 12)} ${subject?.subject ?? ''}`)
  for (const path of await history.changedPaths(commit)) print.dim(`     ${path}`)
}
