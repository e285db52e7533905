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
import { commitMessage, identity } from './commit-message.ts'
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
  /** Root trees before it and after it. */
  readonly from: ObjectId
  readonly tree: ObjectId
  /** Everything that was asked for, in this order. */
  readonly asked: readonly WindowItem[]
  readonly items: readonly BuiltItem[]
  readonly refused: readonly { readonly item: WindowItem; readonly error: unknown }[]
  readonly objects: readonly NewObject[]
  readonly paths: ReadonlySet<string>
  /** Applied to the index, newest last, undo first: what takes the window back. */
  readonly inverses: readonly (readonly IntentChange[])[]
  /** Documents with a person's comments that it wrote, by blob. */
  readonly texts: ReadonlyMap<ObjectId, string>
  /** On the monotonic clock. */
  readonly startedAt: number
}

/** Builds a window item by item. It can be taken back at any time, also after an error. */
export class WindowBuilder {
  readonly #base: WindowBase
  readonly #options: Pick<WriterOptions, 'committer' | 'clock' | 'sign'>
  readonly #from: ObjectId
  readonly #asked: WindowItem[] = []
  readonly #items: BuiltItem[] = []
  readonly #refused: { item: WindowItem; error: unknown }[] = []
  readonly #objects: NewObject[] = []
  readonly #paths = new Set<string>()
  readonly #inverses: (readonly IntentChange[])[] = []
  readonly #texts: TextsSeen
  readonly #startedAt: number
  #head: ObjectId | undefined

  /** @param below the window it is built on, when that one is not on the home yet */
  constructor(
    base: WindowBase,
    options: Pick<WriterOptions, 'committer' | 'clock' | 'sign'>,
    below?: BuiltWindow,
  ) {
    this.#base = base
    this.#options = options
    this.#from = base.editor.root
    this.#head = base.head
    this.#texts = { own: new Map(), below: below?.texts }
    this.#startedAt = options.clock.monotonic()
  }

  get size(): number {
    return this.#asked.length
  }

  window(): BuiltWindow {
    return {
      head: this.#head,
      from: this.#from,
      tree: this.#base.editor.root,
      asked: this.#asked,
      items: this.#items,
      refused: this.#refused,
      objects: this.#objects,
      paths: this.#paths,
      inverses: this.#inverses,
      texts: this.#texts.own,
      startedAt: this.#startedAt,
    }
  }

  /** @throws FleetError `repository-damaged` */
  async add(item: WindowItem): Promise<void> {
    const base = this.#base
    this.#asked.push(item)
    const prepared = item.kind === 'files' ? await prepareFiles(base, item) : prepare(base, item)
    if ('error' in prepared) {
      this.#refused.push({ item, error: prepared.error })
      return
    }
    const { value, changes, text } = prepared
    if (prepared.inverse.length > 0) this.#inverses.push(prepared.inverse)
    const written = [...(await intentTexts(base, prepared, this.#texts)), ...prepared.files]
    const before = base.editor.root
    const made = await base.editor.apply(written)
    if (base.editor.root === before && this.#head !== undefined && item.always !== true) {
      this.#items.push({ item, value, changes, commit: undefined, trailers: {}, files: [] })
      return
    }
    const commit = this.#commit(item, text)
    this.#objects.push(...made, commit)
    this.#head = commit.oid
    const files = written.map((file) => file.path)
    for (const path of files) this.#paths.add(path)
    this.#items.push({ item, value, changes, commit: commit.oid, trailers: text.trailers, files })
  }

  #commit({ context }: WindowItem, text: CommitText): NewObject {
    const { committer, clock, sign } = this.#options
    return commitObject({
      tree: this.#base.editor.root,
      parents: this.#head === undefined ? [] : [this.#head],
      author: identity(context.actor.name, context.actor.email, context.now),
      committer: identity(committer.name, committer.email, clock.now()),
      message: commitMessage(text, context),
      sign,
    })
  }
}

/** Edited documents that may not be readable from the repository yet. */
interface TextsSeen {
  readonly own: Map<ObjectId, string>
  readonly below: ReadonlyMap<ObjectId, string> | undefined
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
  texts: TextsSeen = { own: new Map(), below: undefined },
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
  texts: TextsSeen,
): Promise<string> {
  const present = before === undefined ? undefined : await base.editor.at(path)
  if (before === undefined || present === undefined) return canonical
  // The common case reads nothing: the file is exactly what we wrote.
  if (present === blobId(base.documents.emit(before))) return canonical
  const seen = texts.own.get(present) ?? texts.below?.get(present)
  const text = seen ?? Buffer.from(await base.reader.blob(present)).toString('utf8')
  const edited = base.documents.edit(text, before, after)
  texts.own.set(blobId(edited), edited)
  return edited
}
