/** A fleet repository as a folder on this disk, read without a server by the rules the server has for commits of people. */
import { join } from 'node:path'
import { createDocuments, type Documents } from '../fleet/documents.ts'
import { FleetError } from '../fleet/errors.ts'
import type { Problem } from '../fleet/files.ts'
import { FleetIndex } from '../fleet/fleet-index.ts'
import type { FleetPath, ObjectId } from '../fleet/ids.ts'
import { clusterPath, databasePath, FLEET_PATH, groupPath, roleOf } from '../fleet/paths.ts'
import { parseYaml } from '../fleet/yaml/parse.ts'
import { ingest } from '../git/writer/ingest.ts'
import type { CommandContext } from './command-context.ts'
import { refusalProblems, requestRefusal } from '../git/review/request-refusal.ts'
import {
  listWorkingFiles,
  readWorkingDocuments,
  type WorkingDocuments,
  type WorkingFile,
} from './working-files.ts'

export interface Checkout {
  readonly fleet: FleetIndex
  /** By path, line and column. */
  readonly problems: readonly Problem[]
  /** Documents that were read. */
  readonly count: number
  /** Rendered files that are there. */
  readonly rendered: readonly FleetPath[]
}

type Source = Pick<CommandContext, 'clock' | 'randomness' | 'terminal'>

/** @throws FleetError `invalid-configuration` when the folder is no fleet repository, `invalid-document` without a valid fleet.yaml */
export async function readCheckout(folder: string, source: Source): Promise<Checkout> {
  const documents = createDocuments()
  const listed = await listWorkingFiles(folder)
  const progress = source.terminal.progress('Reading documents')
  const { files, contents } = await readWorkingDocuments(folder, listed, progress)
  progress.end()
  const settings = files.find(({ path }) => path === FLEET_PATH)
  if (settings?.to === undefined)
    throw new FleetError(
      'invalid-configuration',
      `${join(folder, FLEET_PATH)} is missing; name the folder of a fleet repository, or make one with fleetwright init.`,
    )
  const text = Buffer.from(contents.get(settings.to) ?? '').toString('utf8')
  const read = documents.parse(FLEET_PATH, text)
  if (read.intent?.kind !== 'Fleet')
    throw new FleetError(
      'invalid-document',
      `without a valid fleet.yaml nothing else can be checked\n${problemLines(read.problems).join('\n')}`,
    )
  const fleet = new FleetIndex(read.intent)
  const others = files.filter((file) => file !== settings)
  const reader = readerOf(contents)
  const result = await ingest(others, fleet, documents, reader)
  const problems = [
    ...strayFiles(listed),
    ...withoutConsequences(result.problems, { files: others, contents }),
    ...requestProblems(fleet, documents, { contents, files: others }, source),
  ]
  return {
    fleet,
    problems: problems.sort(byPlace),
    count: files.filter((file) => roleOf(file.path).role === 'intent').length,
    // Paths of files that are there, relative and without `..`.
    rendered: listed.flatMap(({ path }) => (roleOf(path).role === 'rendered' ? [path as FleetPath] : [])),
  }
}

/** What `ingest` reads documents with. */
export function readerOf(contents: ReadonlyMap<ObjectId, Uint8Array>): Parameters<typeof ingest>[3] {
  return {
    async blobs(oids, mostBytes, visit) {
      for (const oid of oids) {
        const content = contents.get(oid)
        if (content !== undefined) visit(oid, content.length > mostBytes ? undefined : content)
      }
    },
  }
}

/** `file:line:column: what is wrong; what would be right`, as editors and CI read it. */
export function problemLines(problems: readonly Problem[]): readonly string[] {
  return problems.map(
    ({ path, line, column, detail }) => `${path}:${Math.max(line, 1)}:${Math.max(column, 1)}: ${detail}`,
  )
}

function byPlace(a: Problem, b: Problem): number {
  if (a.path !== b.path) return a.path < b.path ? -1 : 1
  return a.line - b.line || a.column - b.column
}

const MANAGED = /^(?:clusters|groups|databases|requests|control)\//

/** What looks like a document, and stands where nothing reads it. */
function strayFiles(files: readonly WorkingFile[]): readonly Problem[] {
  return files.flatMap(({ path, mode }) => {
    if (!MANAGED.test(`${path}/`) || roleOf(path).role !== 'other') return []
    const at = { path, line: 0, column: 0 }
    if (mode !== '100644')
      return [
        {
          ...at,
          code: 'not-a-file',
          detail: `${mode === '120000' ? 'a symbolic link' : 'a special file'} stands where folders and documents belong; commit plain files`,
        },
      ]
    if (!/\.ya?ml$/i.test(path)) return []
    const right = path.replace(/\.ya?ml$/i, '.yaml')
    const hint =
      roleOf(right).role === 'other'
        ? 'move it to where the layout has its kind, or out of here'
        : `name it ${right}`
    return [{ ...at, code: 'invalid-document', detail: `nothing reads this file; ${hint}` }]
  })
}

/** References to a document that is there and not valid: that is one problem, not a thousand. */
function withoutConsequences(
  problems: ReadonlyMap<string, readonly Problem[]>,
  { files, contents }: WorkingDocuments,
): readonly Problem[] {
  const isWrong = (path: string): boolean => (problems.get(path) ?? []).length > 0
  const oids = new Map(files.map(({ path, to }) => [path, to]))
  return [...problems.values()].flat().filter(({ path, pointer = '' }) => {
    const target = REFERENCES[pointer]
    const oid = oids.get(path)
    if (target === undefined || oid === undefined) return true
    const text = Buffer.from(contents.get(oid) ?? '').toString('utf8')
    const named = valueAt(parseYaml(path, text).value, pointer)
    return typeof named !== 'string' || !isWrong(target(named))
  })
}

/** Where documents name others. */
const REFERENCES: Readonly<Record<string, (name: string) => string>> = {
  '/spec/placement/cluster': clusterPath,
  '/spec/group': groupPath,
  '/spec/database/shared/database': databasePath,
}

function valueAt(value: unknown, pointer: string): unknown {
  const keys = pointer.split('/').slice(1)
  return keys.reduce(
    (at: unknown, key) =>
      typeof at === 'object' && at !== null
        ? Object.entries(at).find(([name]) => name === key)?.[1]
        : undefined,
    value,
  )
}

/** Requests of people that would be refused; the others are left as they are. */
function requestProblems(
  fleet: FleetIndex,
  documents: Documents,
  { contents, files }: WorkingDocuments,
  source: Source,
): readonly Problem[] {
  return [...fleet.newRequests().keys()].flatMap((path) => {
    const refused = requestRefusal(fleet, path, { ...source, placement: 'now' })
    if (refused === undefined) return []
    const oid = files.find((file) => file.path === path)?.to
    const text = Buffer.from((oid && contents.get(oid)) ?? '').toString('utf8')
    return refusalProblems(path, refused, text, documents)
  })
}
