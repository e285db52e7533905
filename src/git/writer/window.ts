/**
 * One window: transactions run one after another on the head in memory, each sees what the earlier ones did, each becomes
 * one commit. Nothing here touches the network.
 */
import type { Documents } from '../../fleet/documents.ts'
import { FleetError } from '../../fleet/errors.ts'
import type { FileChange } from '../../fleet/files.ts'
import type { IntentChange } from '../../fleet/fleet.ts'
import type { FleetIndex } from '../../fleet/fleet-index.ts'
import type { FleetPath, ObjectId } from '../../fleet/ids.ts'
import { refuseViolations } from '../../fleet/rules/check.ts'
import { type CommitText, transact } from '../../fleet/transaction.ts'
import type { RenderChanges } from '../../ports/writer.ts'
import type { NewObject, ObjectReader, TreeEditor } from '../contracts.ts'
import { blobId, commitObject } from '../objects.ts'
import { commitMessage, signature } from './commit-message.ts'
import type { BuiltItem, QueuedFiles, QueuedTransaction, WindowItem, WriterOptions } from './types.ts'

export interface WindowBase {
  readonly head: ObjectId | undefined
  readonly index: FleetIndex
  readonly editor: TreeEditor
  readonly documents: Documents
  readonly reader: ObjectReader
  readonly render: RenderChanges
  /** Paths of documents that are not valid at the moment: nothing may be written over them. */
  readonly held: ReadonlyMap<string, unknown>
}

export interface BuiltWindow {
  readonly head: ObjectId | undefined
  readonly items: readonly BuiltItem[]
  readonly refused: readonly { readonly item: WindowItem; readonly error: unknown }[]
  readonly objects: readonly NewObject[]
  readonly paths: ReadonlySet<string>
  /** Applied to the index, newest last, undo first: what takes the window back. */
  readonly inverses: readonly (readonly IntentChange[])[]
}

export async function buildWindow(
  base: WindowBase,
  items: readonly WindowItem[],
  options: Pick<WriterOptions, 'committer' | 'clock'>,
): Promise<BuiltWindow> {
  const built: BuiltItem[] = []
  const refused: { item: WindowItem; error: unknown }[] = []
  const objects: NewObject[] = []
  const paths = new Set<string>()
  const inverses: (readonly IntentChange[])[] = []
  const texts = new Map<ObjectId, string>()
  let head = base.head
  for (const item of items) {
    const prepared = item.kind === 'files' ? await prepareFiles(base, item) : prepare(base, item)
    if ('error' in prepared) {
      refused.push({ item, error: prepared.error })
      continue
    }
    if (prepared.inverse.length > 0) inverses.push(prepared.inverse)
    const intentFiles = await intentTexts(base, prepared, texts)
    const before = base.editor.root
    const made = await base.editor.apply([...intentFiles, ...prepared.files])
    if (base.editor.root === before && head !== undefined) {
      built.push({
        item,
        value: prepared.value,
        changes: prepared.changes,
        commit: undefined,
        trailers: {},
        files: [],
      })
      continue
    }
    const commit = commitObject({
      tree: base.editor.root,
      parents: head === undefined ? [] : [head],
      author: signature(item.context.actor.name, item.context.actor.email, item.context.now),
      committer: signature(options.committer.name, options.committer.email, options.clock.now()),
      message: commitMessage(prepared.text, item.context),
    })
    objects.push(...made, commit)
    head = commit.oid
    const files = [...intentFiles, ...prepared.files].map((file) => file.path)
    for (const path of files) paths.add(path)
    built.push({
      item,
      value: prepared.value,
      changes: prepared.changes,
      commit: commit.oid,
      trailers: prepared.text.trailers,
      files,
    })
  }
  return { head, items: built, refused, objects, paths, inverses }
}

export type Decidable = Omit<QueuedTransaction, 'settle'>

export interface Prepared {
  readonly value: unknown
  readonly changes: readonly IntentChange[]
  /** By path of what is written. */
  readonly canonical: ReadonlyMap<FleetPath, string>
  readonly inverse: readonly IntentChange[]
  readonly files: readonly FileChange[]
  readonly text: CommitText
}

/** Decides one item on the index; on a refusal, or when rendering fails, the index is as it was. */
export function prepare(base: WindowBase, item: Decidable): Prepared | { readonly error: unknown } {
  const outcome = transact(base.index, item.transaction, item.context)
  if (outcome.refused !== undefined) return { error: outcome.refused }
  const { changes, text, value } = outcome.result
  if (changes.length === 0) return { value, changes, canonical: new Map(), inverse: [], files: [], text }
  let canonical: ReadonlyMap<FleetPath, string>
  try {
    refuseHeld(base.held, changes)
    refuseViolations(base.index, changes)
    canonical = canonicalTexts(base.documents, changes)
  } catch (error) {
    return { error }
  }
  const inverse = base.index.apply(changes)
  try {
    return { value, changes, canonical, inverse, files: base.render(base.index, changes), text }
  } catch (error) {
    base.index.apply(inverse)
    return { error }
  }
}

async function prepareFiles(
  base: WindowBase,
  item: Omit<QueuedFiles, 'settle'>,
): Promise<Prepared | { readonly error: unknown }> {
  try {
    const files = await item.files(base)
    return { value: undefined, changes: [], canonical: new Map(), inverse: [], files, text: item.text }
  } catch (error) {
    return { error }
  }
}

/**
 * What changed intents say in their documents. Nothing is written that could not be read again.
 * @throws FleetError `invalid-request`
 */
function canonicalTexts(
  documents: Documents,
  changes: readonly IntentChange[],
): ReadonlyMap<FleetPath, string> {
  const texts = new Map<FleetPath, string>()
  for (const { path, after } of changes) {
    if (after === undefined) continue
    const text = documents.emit(after)
    const errors = documents.errors(path, after, text)
    if (errors.length > 0)
      throw new FleetError(
        'invalid-request',
        `The change would make ${path} invalid: ${errors[0]?.pointer ?? ''} ${errors[0]?.detail ?? ''}.`,
        { path, errors },
      )
    texts.set(path, text)
  }
  return texts
}

function refuseHeld(held: ReadonlyMap<string, unknown>, changes: readonly IntentChange[]): void {
  const path = changes.map((change) => change.path).find((candidate) => held.has(candidate))
  if (path === undefined) return
  throw new FleetError(
    'document-held',
    `${path} was edited in git and is not valid, so nothing is written over it; correct the document first (see /api/fleet/problems)`,
    { path },
  )
}

/** Texts of changed intents. What a person wrote in a document (comments, order) stays. */
export async function intentTexts(
  base: WindowBase,
  { changes, canonical }: Pick<Prepared, 'changes' | 'canonical'>,
  texts: Map<ObjectId, string>,
): Promise<readonly FileChange[]> {
  const files: FileChange[] = []
  for (const { path, before, after } of changes) {
    const text = canonical.get(path)
    if (text === undefined || after === undefined) files.push({ path, text: undefined })
    else files.push({ path, text: await textOf(base, path, before, after, text, texts) })
  }
  return files
}

async function textOf(
  base: WindowBase,
  path: FleetPath,
  before: IntentChange['before'],
  after: NonNullable<IntentChange['after']>,
  canonical: string,
  texts: Map<ObjectId, string>,
): Promise<string> {
  const present = before === undefined ? undefined : await base.editor.at(path)
  if (before === undefined || present === undefined) return canonical
  // The common case reads nothing: the file is exactly what we wrote.
  if (present === blobId(base.documents.emit(before))) return canonical
  const text = texts.get(present) ?? Buffer.from(await base.reader.blob(present)).toString('utf8')
  const edited = base.documents.edit(text, before, after)
  texts.set(blobId(edited), edited)
  return edited
}
