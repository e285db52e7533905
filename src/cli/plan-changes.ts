/** What would follow from changed files of a checkout: decided as the server decides on a commit of people. */
import type { Documents } from '../fleet/documents.ts'
import type { Problem } from '../fleet/files.ts'
import type { IntentChange } from '../fleet/fleet.ts'
import type { FleetIndex } from '../fleet/fleet-index.ts'
import type { ObjectId } from '../fleet/ids.ts'
import { clusterPath, installationPath, roleOf } from '../fleet/paths.ts'
import type { CommitText } from '../fleet/transaction.ts'
import type { ObjectReader } from '../git/contracts.ts'
import { createTreeEditor } from '../git/tree-editor.ts'
import { ingest } from '../git/writer/ingest.ts'
import { loadFleet } from '../git/writer/load.ts'
import type { Clock, Randomness } from '../ports/clock.ts'
import type { RenderChanges } from '../ports/writer.ts'
import type { FileDifference } from './differences.ts'
import type { Changes } from './git-checkout.ts'
import { decideRequest, refusalProblems } from './request-refusal.ts'

export interface PlanInput {
  readonly base: ObjectId
  readonly changes: Changes
  readonly reader: ObjectReader
  readonly documents: Documents
  readonly render: RenderChanges
  readonly clock: Clock
  readonly randomness: Randomness
}

export interface ChangePlan {
  /** The fleet as it would be. */
  readonly fleet: FleetIndex
  readonly problems: readonly Problem[]
  /** What the server would do with new requests: where they go, and why. Ids are made up. */
  readonly placements: readonly CommitText[]
  /** Against the base: the changes themselves, and what the server would commit after them. */
  readonly files: readonly FileDifference[]
}

/** @throws FleetError `invalid-document` when the base has no valid fleet.yaml */
export async function planChanges(input: PlanInput): Promise<ChangePlan> {
  const { reader, documents, changes } = input
  const { tree } = await reader.commit(input.base)
  const { index } = await loadFleet(tree, reader, documents)
  const result = await ingest(changes.files, index, documents, {
    async blobs(oids, mostBytes, visit) {
      for (const oid of oids) {
        const content = Buffer.from(await changes.text(oid))
        visit(oid, content.length > mostBytes ? undefined : content)
      }
    },
  })
  const own = await ownTexts(changes)
  const requests = acceptRequests(index, result.accepted, own, input)
  const committed = committedTexts(reader, tree)
  const texts = new Map([...own, ...(await requestTexts(requests.changes, own, committed, documents))])
  const touched = result.rendered.flatMap(({ path }) => unitOf(index, path))
  for (const { path, text } of input.render(index, [...result.accepted, ...requests.changes, ...touched]))
    texts.set(path, text)
  const edited = result.rendered.filter(({ path }) =>
    unitOf(index, path).length === 0 ? own.get(path) !== undefined : texts.get(path) !== own.get(path),
  )
  const files = await Promise.all(
    [...texts].map(async ([path, after]) => ({ path, before: await committed(path), after })),
  )
  return {
    fleet: index,
    problems: [
      ...[...result.problems.values()].flat(),
      ...requests.problems,
      ...edited.map(({ path }) => editedProblem(path)),
    ],
    placements: requests.texts,
    files: files.filter(({ before, after }) => before !== after).sort((a, b) => (a.path < b.path ? -1 : 1)),
  }
}

/** By path; undefined: removed. */
type Texts = ReadonlyMap<string, string | undefined>
type CommittedText = (path: string) => Promise<string | undefined>

async function ownTexts({ files, text }: Changes): Promise<Texts> {
  const entries = files.map(
    async ({ path, to }) => [path, to === undefined ? undefined : await text(to)] as const,
  )
  return new Map(await Promise.all(entries))
}

function committedTexts(reader: ObjectReader, tree: ObjectId): CommittedText {
  const editor = createTreeEditor(reader, tree)
  return async (path) => {
    const oid = await editor.at(path)
    return oid === undefined ? undefined : Buffer.from(await reader.blob(oid)).toString('utf8')
  }
}

async function requestTexts(
  changes: readonly IntentChange[],
  own: Texts,
  committed: CommittedText,
  documents: Documents,
): Promise<Texts> {
  const texts = new Map<string, string | undefined>()
  for (const { path, before, after } of changes) {
    const present = texts.get(path) ?? (own.has(path) ? own.get(path) : await committed(path))
    if (after === undefined) texts.set(path, undefined)
    else if (before === undefined || present === undefined) texts.set(path, documents.emit(after))
    else texts.set(path, documents.edit(present, before, after))
  }
  return texts
}

interface Accepted {
  readonly changes: readonly IntentChange[]
  readonly texts: readonly CommitText[]
  readonly problems: readonly Problem[]
}

/** One after the other, as the server does it: a later one sees where an earlier one went. */
function acceptRequests(
  index: FleetIndex,
  accepted: readonly IntentChange[],
  own: Texts,
  input: PlanInput,
): Accepted {
  const changes: IntentChange[] = []
  const texts: CommitText[] = []
  const problems: Problem[] = []
  const fresh = index.newRequests()
  for (const path of accepted.map((change) => change.path).filter((candidate) => fresh.has(candidate))) {
    const decided = decideRequest(index, path, input)
    if (decided.refused !== undefined) {
      problems.push(...refusalProblems(path, decided.refused, own.get(path) ?? '', input.documents))
      continue
    }
    index.apply(decided.result.changes)
    changes.push(...decided.result.changes)
    texts.push(decided.result.text)
  }
  return { changes, texts, problems }
}

/** A change that makes the renderer print again what a rendered file belongs to; none when it belongs to nothing. */
function unitOf(index: FleetIndex, path: string): readonly IntentChange[] {
  const role = roleOf(path)
  if (role.role !== 'rendered' || role.cluster === undefined) return []
  const document = role.id === undefined ? clusterPath(role.cluster) : installationPath(role.cluster, role.id)
  const after = index.intent(document)
  return after === undefined
    ? []
    : [{ path: document, before: role.id === undefined ? undefined : after, after }]
}

function editedProblem(path: string): Problem {
  const detail =
    'this rendered file is not what its document renders to; run fleetwright render, or leave it as it was'
  return { path, line: 0, column: 0, code: 'edited-manifest', detail }
}
