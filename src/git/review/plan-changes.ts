/**
 * What would follow from changed files, decided as the writer decides on a commit of people: documents are admitted, new
 * requests are placed one after another, what follows is rendered. Everything happens on the index that is given, and
 * is taken back.
 */
import { isFleetError } from '../../fleet/errors.ts'
import type { FileChange, Problem } from '../../fleet/files.ts'
import type { IntentChange } from '../../fleet/fleet.ts'
import type { FleetIndex } from '../../fleet/fleet-index.ts'
import type { FleetPath, ObjectId } from '../../fleet/ids.ts'
import type { Intent } from '../../fleet/intents.ts'
import { roleOf } from '../../fleet/paths.ts'
import { concernsOf } from '../../fleet/review/concerns.ts'
import { impactOf } from '../../fleet/review/impact.ts'
import type { Impact } from '../../fleet/review/plan.ts'
import { type PolicyAuthor, policyProblems } from '../../fleet/review/policy.ts'
import { admit } from '../../fleet/rules/admit.ts'
import type { CommitText } from '../../fleet/transaction.ts'
import type { OpenReview } from '../../ports/change-reviews.ts'
import type { Clock, Randomness } from '../../ports/clock.ts'
import { blobId } from '../objects.ts'
import { type ChangedFile, outcomeOf, type ReadChanges, readChanges } from '../writer/ingest.ts'
import { isStranger, unitsOf } from '../writer/rendered-units.ts'
import { judgeReviewMerges } from '../writer/review-merges.ts'
import type { WindowBase } from '../writer/window.ts'
import { type AcceptedRequests, acceptRequests } from './accept-requests.ts'

export interface PlanOptions {
  readonly clock: Clock
  readonly randomness: Randomness
  readonly placement: 'now' | 'deferred'
  /** Documents of the base that do not count; a change may be what they wait for. */
  readonly held: readonly ChangedFile[]
  /** Undefined: rules of the change policy about people are not looked at. */
  readonly author: PolicyAuthor | undefined
  /** What was asked for, when this is the branch of a review. */
  readonly review?: OpenReview
}

/** Changed files against the base. */
export interface ChangeSet {
  readonly files: readonly ChangedFile[]
  /** Of the files as they would be; undefined: too large to be read. */
  readonly contents: ReadonlyMap<ObjectId, Uint8Array | undefined>
}

export interface PlannedFile {
  readonly path: string
  /** Blob of the base. */
  readonly before: ObjectId | undefined
  readonly after: string | undefined
}

export interface PlannedChanges {
  readonly problems: readonly Problem[]
  readonly warnings: readonly Problem[]
  readonly placements: readonly CommitText[]
  /** The changes themselves, and what would be committed after them; in order of their paths. */
  readonly files: readonly PlannedFile[]
  /** Names of installations of which files change, by id. */
  readonly names: ReadonlyMap<string, string>
  readonly impact: Impact
  readonly concerns: readonly string[]
}

/** By path; undefined: removed. */
export type Texts = ReadonlyMap<string, string | undefined>

export async function planChanges(
  base: WindowBase,
  changes: ChangeSet,
  options: PlanOptions,
): Promise<PlannedChanges> {
  const { index, documents } = base
  const read = await readChanges(allFiles(changes, options), index, documents, blobsOf(changes, base.reader))
  const own = ownTexts(changes)
  const paths = new Set(changes.files.map(({ path }) => path))
  const undo = new Undo(index, read.changes)
  try {
    const concerns = concernsOf(index, read.changes, paths)
    const policy = policyProblems(index, {
      changes: read.changes.filter(({ path }) => paths.has(path)),
      paths,
      author: options.author,
    })
    const outdated = outdatedProblems(index, read, options.review)
    const { accepted, refused } = admit(index, read.changes)
    const { problems } = outcomeOf(read, refused, documents)
    const rendered = render(base, accepted)
    const requests = await acceptRequests(base, { accepted, own, problems, undo }, options)
    const expected = renderedAgain(base, own.keys())
    const all = [...accepted, ...requests.changes]
    return {
      problems: [
        ...ofFiles(changes, problems),
        ...policy.map((problem) => placed(problem, read, base)),
        ...outdated,
        ...rendered.problems,
        ...requests.problems,
        ...editedFiles(index, own, expected),
      ],
      warnings: requests.warnings,
      placements: requests.texts,
      files: await plannedFiles(base, own, [...expected, ...rendered.files], requests),
      names: namesIn(index, all, own),
      impact: impactOf(all, index),
      concerns,
    }
  } finally {
    undo.run()
  }
}

/** Why the merge of a review would be put back. */
function outdatedProblems(
  index: FleetIndex,
  read: ReadChanges,
  review: OpenReview | undefined,
): readonly Problem[] {
  if (review === undefined) return []
  const [path = '.'] = review.changes.map((change) => change.path)
  return judgeReviewMerges(index, read, [{ review, isNamed: true }]).undone.map(({ reason }) => ({
    ...{ path, line: 0, column: 0, code: 'review-outdated' },
    detail: `merging this would be taken back: ${reason}; close it, and send the request again`,
  }))
}

/** Takes changes of an index back, whatever came of them. */
export class Undo {
  readonly #index: FleetIndex
  readonly #before = new Map<FleetPath, Intent | undefined>()

  constructor(index: FleetIndex, changes: readonly IntentChange[]) {
    this.#index = index
    for (const { path } of changes) this.#before.set(path, index.intent(path))
  }

  /** @param inverse what takes changes back that were applied since */
  add(inverse: readonly IntentChange[]): void {
    for (const { path, after } of inverse) if (!this.#before.has(path)) this.#before.set(path, after)
  }

  run(): void {
    const changes: IntentChange[] = []
    for (const [path, after] of this.#before) {
      const before = this.#index.intent(path)
      if (before !== after) changes.push({ path, before, after })
    }
    this.#index.apply(changes)
  }
}

function allFiles({ files }: ChangeSet, { held }: PlanOptions): readonly ChangedFile[] {
  const paths = new Set(files.map(({ path }) => path))
  return [...files, ...held.filter(({ path }) => !paths.has(path))]
}

/** Documents that are held are read from the base. */
function blobsOf({ contents }: ChangeSet, reader: WindowBase['reader']): Parameters<typeof readChanges>[3] {
  return {
    async blobs(oids, mostBytes, visit) {
      for (const oid of oids) {
        const content = contents.get(oid)
        if (contents.has(oid))
          visit(oid, content === undefined || content.length > mostBytes ? undefined : content)
      }
      const others = oids.filter((oid) => !contents.has(oid))
      await reader.blobs(others, mostBytes, visit)
    },
  }
}

/** What is not read is nobody's text: it differs from everything. */
function ownTexts({ files, contents }: ChangeSet): Texts {
  const texts = new Map<string, string | undefined>()
  for (const { path, to } of files) {
    const content = to === undefined ? undefined : contents.get(to)
    if (to === undefined) texts.set(path, undefined)
    else if (content !== undefined) texts.set(path, Buffer.from(content).toString('utf8'))
    else if (roleOf(path).role === 'rendered') texts.set(path, '')
  }
  return texts
}

/** Documents that were held before are not of these files. */
function ofFiles(
  { files }: ChangeSet,
  problems: ReadonlyMap<string, readonly Problem[]>,
): readonly Problem[] {
  return files.flatMap(({ path }) => problems.get(path) ?? [])
}

function placed(problem: Problem, read: ReadChanges, { documents }: WindowBase): Problem {
  const oid = read.files.get(problem.path)?.to
  const text = oid === undefined ? undefined : read.texts.get(oid)
  if (text === undefined || problem.pointer === undefined) return problem
  return { ...problem, ...documents.locate(text, problem.pointer) }
}

interface Rendered {
  readonly files: readonly FileChange[]
  readonly problems: readonly Problem[]
}

/** What can be rendered; the rest is told. */
function render(base: WindowBase, changes: readonly IntentChange[]): Rendered {
  const whole = tryRender(base, changes)
  if (whole.problems.length === 0) return whole
  const parts = changes.map((change) => tryRender(base, [change]))
  return { files: parts.flatMap(({ files }) => files), problems: parts.flatMap(({ problems }) => problems) }
}

function tryRender({ index, render: renderChanges }: WindowBase, changes: readonly IntentChange[]): Rendered {
  try {
    return { files: renderChanges(index, changes), problems: [] }
  } catch (error) {
    if (!isFleetError(error)) throw error
    const path = changes[0]?.path ?? ''
    return { files: [], problems: [{ path, line: 0, column: 0, code: error.code, detail: error.message }] }
  }
}

/** Files that were touched by hand, as they should be. */
function renderedAgain(base: WindowBase, paths: Iterable<string>): readonly FileChange[] {
  const touched = new Set(paths)
  const { files } = render(base, [...unitsOf(base.index, touched)])
  return files.filter(({ path }) => touched.has(path))
}

function editedFiles(index: FleetIndex, own: Texts, expected: readonly FileChange[]): readonly Problem[] {
  const texts = new Map<string, string | undefined>(expected.map(({ path, text }) => [path, text]))
  return [...own].flatMap(([path, text]) => {
    if (roleOf(path).role !== 'rendered') return []
    const isWrong = texts.has(path) ? texts.get(path) !== text : text !== undefined && isStranger(index, path)
    return isWrong ? [editedProblem(path)] : []
  })
}

function editedProblem(path: string): Problem {
  const detail =
    'this rendered file is not what its document renders to; run fleetwright render, or leave it as it was'
  return { path, line: 0, column: 0, code: 'edited-manifest', detail }
}

async function plannedFiles(
  { editor }: WindowBase,
  own: Texts,
  rendered: readonly FileChange[],
  requests: AcceptedRequests,
): Promise<readonly PlannedFile[]> {
  const texts = new Map(own)
  for (const { path, text } of [...rendered, ...requests.files]) texts.set(path, text)
  const files: PlannedFile[] = []
  for (const [path, after] of texts) {
    const before = await editor.at(path)
    if (before !== (after === undefined ? undefined : blobId(after))) files.push({ path, before, after })
  }
  return files.sort((a, b) => (a.path < b.path ? -1 : 1))
}

function namesIn(
  index: FleetIndex,
  changes: readonly IntentChange[],
  own: Texts,
): ReadonlyMap<string, string> {
  const names = new Map<string, string>()
  for (const { before, after } of changes) {
    const intent = after ?? before
    if (intent?.kind === 'Installation') names.set(intent.metadata.id, intent.metadata.name)
  }
  for (const path of own.keys()) {
    const role = roleOf(path)
    const name =
      role.role === 'rendered' && role.id !== undefined
        ? index.installation(role.id)?.metadata.name
        : undefined
    if (role.role === 'rendered' && role.id !== undefined && name !== undefined) names.set(role.id, name)
  }
  return names
}
