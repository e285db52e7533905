/** Opens a fleet repository for writing: first commit, load, repair, catch up with what happened meanwhile. */
import { createDocuments } from '../../fleet/documents.ts'
import { FleetError } from '../../fleet/errors.ts'
import type { FileChange } from '../../fleet/files.ts'
import type { IntentChange } from '../../fleet/fleet.ts'
import { FleetIndex } from '../../fleet/fleet-index.ts'
import type { ObjectId, RefName } from '../../fleet/ids.ts'
import { FLEET_PATH } from '../../fleet/paths.ts'
import type { NewObject } from '../contracts.ts'
import { commitObject, EMPTY_TREE, emptyTreeObject } from '../objects.ts'
import { createTreeEditor } from '../tree-editor.ts'
import { commitMessage, ownIdentity } from './commit-message.ts'
import { followUps } from './follow-up.ts'
import { Head, type Taken } from './head.ts'
import { IdempotencyMemory } from './idempotency.ts'
import { MAIN } from './projections.ts'
import { lastOwnCommit } from './recovery.ts'
import type { RepositoryWriter, WriterOptions } from './types.ts'
import { Writer } from './writer.ts'

const REMEMBERED_COMMITS = 20_000
const MOST_TRIES = 10
/** `clusters/<cluster>/installations/<shard>`: the way to every installation, some thousand trees in the largest fleets. */
const LEVELS_TO_SHARDS = 4

/**
 * @throws FleetError `remote-unavailable`, `remote-refused`, `invalid-document` (fleet.yaml), `repository-damaged`
 */
export async function createFleetWriter(options: WriterOptions): Promise<RepositoryWriter> {
  const { tips, main, own } = await openMain(options)
  const reviews = { committer: options.committer.name, key: options.reviewKey }
  const head = await Head.load(options.home, options.history, tips, own, reviews)
  await head.editor.readAhead(LEVELS_TO_SHARDS)
  const memory = new IdempotencyMemory()
  const entries = await options.history.log({ limit: REMEMBERED_COMMITS })
  for (const entry of [...entries].reverse()) {
    if (entry.committer === options.committer.name) memory.remember(entry.commit, entry.trailers)
    head.reviews.remember(entry.commit, entry.committer, entry)
  }
  const writer = new Writer(options, head, memory)
  const taken = own === main ? nothingTaken(main) : await takeMissed(head, { tips, main, own }, options)
  await head.reviews.follow(tips)
  // Before the writer begins: one push at a time.
  await repairProjections(head, options)
  const accepted = [...taken.accepted, ...unseen(head, taken)]
  writer.follow(await followUps(head, { ...taken, accepted }, options, (items) => writer.followLate(items)))
  return writer
}

/** What others did while no process ran. */
async function takeMissed(
  head: Head,
  { tips, main, own }: Awaited<ReturnType<typeof openMain>>,
  { history }: WriterOptions,
): Promise<Taken> {
  return await head.take(main, tips, await history.log({ limit: REMEMBERED_COMMITS, since: own }))
}

function nothingTaken(at: ObjectId): Taken {
  return { from: at, to: at, accepted: [], editedManifests: [], removed: [], completed: [], undone: [] }
}

/** Requests that were committed before and not placed yet when the process died. */
function unseen(head: Head, { accepted }: Taken): readonly IntentChange[] {
  const seen = new Set<string>(accepted.map(({ path }) => path))
  return [...head.committed.newRequests()].flatMap(([path, after]) =>
    seen.has(path) ? [] : [{ path, before: undefined, after }],
  )
}

async function openMain(
  options: WriterOptions,
): Promise<{ tips: ReadonlyMap<RefName, ObjectId>; main: ObjectId; own: ObjectId }> {
  for (let attempt = 0; attempt < MOST_TRIES; attempt += 1) {
    const tips = await options.home.fetch()
    const main = tips.get(MAIN)
    const own = main === undefined ? undefined : await lastOwnCommit(options.history, options.committer.name)
    // A fleet that was there once is never started anew: what was removed is restored.
    if (main !== undefined && own !== undefined) return { tips, main, own }
    const tree = main === undefined ? undefined : (await options.home.objects.commit(main)).tree
    const entries = tree === undefined ? [] : await options.home.objects.tree(tree)
    if (main !== undefined && entries.some((entry) => entry.name === FLEET_PATH))
      return { tips, main, own: main }
    await pushFirstCommit(options, main, tree)
  }
  throw new FleetError(
    'stale-lease',
    'Could not write the first commit: somebody else pushes to the fleet repository all the time',
  )
}

async function pushFirstCommit(
  options: WriterOptions,
  main: ObjectId | undefined,
  tree: ObjectId | undefined,
): Promise<void> {
  const { home, committer, clock, initialFiles, randomness } = options
  const editor = createTreeEditor(home.objects, tree ?? EMPTY_TREE)
  const objects: NewObject[] = [...(await editor.apply([...initialFiles, ...renderedOf(options)]))]
  if (tree === undefined) objects.push(emptyTreeObject())
  const message = commitMessage(
    { subject: 'Start the fleet', body: 'Settings of the fleet are in fleet.yaml.', trailers: {} },
    { requestId: Buffer.from(randomness.bytes(8)).toString('hex'), actor: committer, now: clock.now() },
  )
  const commit = commitObject({
    tree: editor.root,
    parents: main === undefined ? [] : [main],
    ...ownIdentity(options),
    message,
  })
  await home.push([{ ref: MAIN, expected: main, next: commit.oid }], [...objects, commit])
}

/** What follows from the first settings, so that what an engine is pointed at is there from the start. */
function renderedOf({ initialFiles, render }: WriterOptions): readonly FileChange[] {
  const text = initialFiles.find(({ path }) => path === FLEET_PATH)?.text
  const settings = text === undefined ? undefined : createDocuments().parse(FLEET_PATH, text).intent
  if (settings?.kind !== 'Fleet') return []
  const change = { path: FLEET_PATH, before: undefined, after: settings }
  return render(new FleetIndex(settings), [change])
}

/** After a crash between refs, or a person's push to main: each projection follows main again. */
async function repairProjections(head: Head, options: WriterOptions): Promise<void> {
  const repair = await head.repair(ownIdentity(options))
  if (repair.updates.length === 0) return
  const pushed = await options.home.push(repair.updates, repair.objects)
  if (pushed.outcome === 'stale') return // another replica repaired them first
  for (const [ref, tip] of repair.tips) head.projections.set(ref, tip)
}
