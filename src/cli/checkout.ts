/** A fleet repository as a folder on this disk, read without a server. */
import { readdir, readFile } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { createDocuments } from '../fleet/documents.ts'
import { FleetError } from '../fleet/errors.ts'
import type { Problem } from '../fleet/files.ts'
import { FleetIndex } from '../fleet/fleet-index.ts'
import type { FleetPath } from '../fleet/ids.ts'
import type { Intent } from '../fleet/intents.ts'
import { FLEET_PATH, roleOf } from '../fleet/paths.ts'
import { violationProblems } from '../fleet/rules/check.ts'

export interface Checkout {
  readonly fleet: FleetIndex
  readonly problems: readonly Problem[]
  /** Documents that were read. */
  readonly count: number
  /** Rendered files that are there. */
  readonly rendered: readonly string[]
}

const ORDER = ['Cluster', 'Group', 'SharedDatabase', 'Tombstone', 'Installation', 'InstallationRequest']

/** @throws FleetError `invalid-document` without a valid fleet.yaml */
export async function readCheckout(folder: string): Promise<Checkout> {
  const documents = createDocuments()
  const paths = await filesOf(folder)
  const read = await Promise.all(
    paths
      .filter((path) => roleOf(path).role === 'intent')
      .map(async (path) => {
        const text = await readFile(join(folder, path), 'utf8')
        return { path, text, ...documents.parseBulk(path, text) }
      }),
  )
  const settings = read.find(({ path }) => path === FLEET_PATH)
  if (settings === undefined)
    throw new FleetError(
      'invalid-document',
      `${join(folder, FLEET_PATH)} is missing; name the folder of a fleet repository.`,
    )
  if (settings.intent?.kind !== 'Fleet')
    throw new FleetError(
      'invalid-document',
      settings.problems
        .map(({ path, line, column, detail }) => `${path}:${line}:${column}: ${detail}`)
        .join('\n'),
    )
  const fleet = new FleetIndex(settings.intent)
  const problems = [...read.flatMap((document) => document.problems)]
  const texts = new Map<string, string>(read.map(({ path, text }) => [path, text]))
  const intents = read.flatMap(({ path, intent }) =>
    intent === undefined || path === FLEET_PATH ? [] : [{ path, intent }],
  )
  for (const { path, intent } of intents.sort((a, b) => rank(a.intent) - rank(b.intent))) {
    const change = { path, before: undefined, after: intent }
    const found = violationProblems(fleet, [change])
    if (found.length === 0) fleet.apply([change])
    problems.push(
      ...found.map((problem) => ({
        ...problem,
        ...documents.locate(texts.get(problem.path) ?? '', problem.pointer ?? ''),
      })),
    )
  }
  return {
    fleet,
    problems,
    count: read.length,
    rendered: paths.filter((path) => roleOf(path).role === 'rendered'),
  }
}

function rank(intent: Intent): number {
  return ORDER.indexOf(intent.kind)
}

async function filesOf(folder: string): Promise<readonly FleetPath[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
  // Paths of files that are there, relative and without `..`.
  return paths.filter((path) => !path.startsWith('.git/')).sort() as unknown as readonly FleetPath[]
}
