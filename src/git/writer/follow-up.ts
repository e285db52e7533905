/** What follows from commits of others: rendered files, requests to place, problems with their author. */
import { type FleetError, isFleetError } from '../../fleet/errors.ts'
import type { FileChange, Problem } from '../../fleet/files.ts'
import type { Fleet, IntentChange } from '../../fleet/fleet.ts'
import { type FleetPath, type Id, idFromBytes } from '../../fleet/ids.ts'
import type { CommitText, RequestContext } from '../../fleet/transaction.ts'
import { acceptRequest } from '../../fleet/transactions/requests.ts'
import type { Origin } from '../../ports/pull-requests.ts'
import type { Committed, HistoryEntry } from '../../ports/writer.ts'
import { blobId } from '../objects.ts'
import type { Head, Taken } from './head.ts'
import { isStranger, unitsOf } from './rendered-units.ts'
import { reviewItems } from './review-records.ts'
import { removalLines, removedUnits, restoredDocuments } from './restore.ts'
import type { Settle, WindowItem, WriterOptions } from './types.ts'

const MOST_LINES = 20

/**
 * Items for the next window. Cost follows what was changed.
 * @param later told of those that wait for the forge to say where they come from, which the writer does not
 */
export async function followUps(
  head: Head,
  taken: Taken,
  options: WriterOptions,
  later: (items: readonly WindowItem[]) => void,
): Promise<readonly WindowItem[]> {
  const accepted = renderable(head, taken, options)
  await attribute(head, options)
  const edits = await editedManifests(head, taken, options)
  const files = (fleet: Fleet): readonly FileChange[] => [
    ...options.render(fleet, [...present(fleet, accepted), ...removedUnits(fleet, taken)]),
    ...edits.restored(fleet),
  ]
  const changed = await changedOnly(head, files(head.committed))
  const items: WindowItem[] = []
  if (changed.length + taken.removed.length > 0) {
    const text = await textOf(head, { ...taken, accepted }, edits, changed.length, options)
    items.push(filesItem(head, files, text, taken, options))
  }
  items.push(...reviewItems(taken, options))
  for (const path of requestPaths(head, accepted)) {
    const entry = await lastCommit(options, path)
    if (entry === undefined || options.findOrigin === undefined)
      items.push(requestItem({ head, path, entry, origin: undefined }, options))
    else
      void options.findOrigin(entry.commit, path).then((origin) => {
        later([requestItem({ head, path, entry, origin }, options)])
      })
  }
  return items
}

/** What can be rendered of what was accepted; the rest is held. The rules leave little: an unknown template set. */
function renderable(head: Head, taken: Taken, options: WriterOptions): readonly IntentChange[] {
  if (renderProblem(head, taken.accepted, options) === undefined) return taken.accepted
  return taken.accepted.filter((change) => {
    const problem = renderProblem(head, [change], options)
    if (problem === undefined) return true
    const { path } = change
    head.hold(change, [{ path, line: 0, column: 0, code: problem.code, detail: problem.message }])
    return false
  })
}

function renderProblem(
  head: Head,
  changes: readonly IntentChange[],
  options: WriterOptions,
): FleetError | undefined {
  try {
    options.render(head.committed, changes)
    return undefined
  } catch (error) {
    if (isFleetError(error)) return error
    throw error
  }
}

function newId(options: WriterOptions): Id {
  return idFromBytes(options.randomness.bytes(26))
}

function requestPaths(head: Head, accepted: readonly IntentChange[]): readonly FleetPath[] {
  const fresh = head.committed.newRequests()
  return accepted.map((change) => change.path).filter((path) => fresh.has(path))
}

async function changedOnly(head: Head, files: readonly FileChange[]): Promise<readonly FileChange[]> {
  const changed: FileChange[] = []
  for (const file of files) {
    const present = await head.editor.at(file.path)
    const wanted = file.text === undefined ? undefined : blobId(file.text)
    if (present !== wanted) changed.push(file)
  }
  return changed
}

/** The same changes on a fleet that may have moved on: what they lead to now. */
function* present(fleet: Fleet, changes: readonly IntentChange[]): Iterable<IntentChange> {
  for (const { path, before, after } of changes) {
    const now = fleet.intent(path)
    if (now !== undefined) yield { path, before, after: now }
    // Who removed it since has removed its files too.
    else if (after === undefined) yield { path, before, after }
  }
}

interface Edits {
  readonly restored: (fleet: Fleet) => readonly FileChange[]
  readonly lines: readonly string[]
}

/** Rendered files that somebody edited: restored, or held and reported, as fleet.yaml says. */
async function editedManifests(head: Head, taken: Taken, options: WriterOptions): Promise<Edits> {
  const touched = new Map(taken.editedManifests.map((file) => [file.path, file]))
  const expected = (fleet: Fleet): readonly FileChange[] =>
    expectedFiles(fleet, taken.editedManifests, options)
  const wrong = await changedOnly(head, expected(head.committed))
  const wrongPaths = new Set<string>(wrong.map((file) => file.path))
  for (const path of touched.keys()) if (!wrongPaths.has(path)) head.problems.delete(path)
  if (head.committed.settings.spec.editedManifests === 'overwrite') {
    const lines = await Promise.all(
      wrong.slice(0, MOST_LINES).map(async (file) => {
        const entry = await lastCommit(options, file.path)
        return `Restores ${file.path}${entry === undefined ? '' : `, edited by ${entry.author} in ${entry.commit.slice(0, 12)}`}`
      }),
    )
    const paths = new Set(wrong.map((file) => file.path))
    return { restored: (fleet) => expected(fleet).filter((file) => paths.has(file.path)), lines }
  }
  for (const { path } of wrong) {
    const detail =
      'this rendered file was edited by hand; revert the edit and change the intent instead, or set spec.editedManifests to overwrite'
    head.problems.set(path, [
      await attributed({ path, line: 0, column: 0, code: 'edited-manifest', detail }, options),
    ])
  }
  return { restored: () => [], lines: [] }
}

/** How the touched files should be; one beside the rendered ones would be applied as well, so it should not be there. */
function expectedFiles(
  fleet: Fleet,
  touched: Taken['editedManifests'],
  options: WriterOptions,
): readonly FileChange[] {
  const paths = new Set(touched.map(({ path }) => path))
  const expected = options.render(fleet, [...unitsOf(fleet, paths)]).filter((file) => paths.has(file.path))
  const known = new Set<string>(expected.map(({ path }) => path))
  const extra = touched.filter(
    ({ path, to }) => to !== undefined && !known.has(path) && isStranger(fleet, path),
  )
  // Paths of files in the tree.
  return [...expected, ...extra.map(({ path }) => ({ path: path as FleetPath, text: undefined }))]
}

async function textOf(
  head: Head,
  taken: Taken,
  edits: Edits,
  changedFiles: number,
  { history }: WriterOptions,
): Promise<CommitText> {
  const changed = taken.accepted.map((change) => `Renders ${change.path}`)
  const lines = [...(await removalLines(head, taken, history, MOST_LINES)), ...edits.lines, ...changed]
  const rest = lines.length > MOST_LINES ? [`and ${lines.length - MOST_LINES} more`] : []
  const subject =
    taken.removed.length > 0
      ? `Restore ${count(taken.removed.length, 'document')} that must not be removed`
      : taken.accepted.length === 0
        ? `Restore ${count(changedFiles, 'rendered file')} edited by hand`
        : `Render ${count(taken.accepted.length, 'changed document')}`
  return {
    subject,
    body: [...lines.slice(0, MOST_LINES), ...rest].join('\n'),
    trailers: { Follows: taken.to },
  }
}

/** One commit with all files that follow. What they say is read from the fleet when the commit is made. */
function filesItem(
  head: Head,
  rendered: (fleet: Fleet) => readonly FileChange[],
  text: CommitText,
  taken: Taken,
  options: WriterOptions,
): WindowItem {
  return {
    kind: 'files',
    async files(base) {
      const files = [...(await restoredDocuments(base, taken)), ...rendered(base.index)]
      return [...new Map(files.map((file) => [file.path, file])).values()]
    },
    text,
    context: { requestId: newId(options), actor: options.committer, now: options.clock.now() },
    settle: {
      resolve: () => {
        for (const { path } of taken.removed) head.problems.delete(path)
      },
      reject: (error) => options.observer.failed(error),
    },
  }
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}

interface Asked {
  readonly head: Head
  readonly path: FleetPath
  readonly entry: HistoryEntry | undefined
  readonly origin: Origin | undefined
}

/** A request that a person committed: it gets an id and a place in a commit of its author's name. */
function requestItem({ head, path, entry, origin }: Asked, options: WriterOptions): WindowItem {
  const context: RequestContext = {
    requestId: newId(options),
    actor: entry === undefined ? options.committer : { name: entry.author, email: entry.email },
    now: options.clock.now(),
  }
  const ids = Array.from({ length: 16 }, () => newId(options))
  const settle: Settle<Committed<unknown>> = {
    resolve: () => head.problems.delete(path),
    reject(error) {
      if (!isFleetError(error)) return options.observer.failed(error)
      const details = error.data.errors?.map((e) => `${e.pointer}: ${e.detail}`) ?? []
      const problem: Problem = {
        path,
        line: 0,
        column: 0,
        code: error.code,
        detail: [error.message, ...details].join('; '),
      }
      head.problems.set(path, [{ ...problem, commit: entry?.commit, author: entry?.author }])
    },
  }
  return {
    kind: 'transaction',
    transaction: acceptRequest({
      ...{ path, ids, placement: options.placement },
      ...(origin === undefined ? {} : { origin }),
    }),
    context,
    settle,
  }
}

async function lastCommit(options: WriterOptions, path: string): Promise<HistoryEntry | undefined> {
  return (await options.history.log({ paths: [path], limit: 1 }))[0]
}

async function attributed(problem: Problem, options: WriterOptions): Promise<Problem> {
  const entry = await lastCommit(options, problem.path)
  return entry === undefined
    ? problem
    : { ...problem, commit: entry.commit, author: `${entry.author} <${entry.email}>` }
}

/** Says of each new problem who brought it in. */
async function attribute(head: Head, options: WriterOptions): Promise<void> {
  for (const [path, problems] of head.problems) {
    if (problems.every((problem) => problem.commit !== undefined)) continue
    head.problems.set(path, await Promise.all(problems.map((problem) => attributed(problem, options))))
  }
}
