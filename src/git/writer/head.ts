/**
 * The head the writer works on: the fleet at the last revision that is on the home, a second index that runs ahead while
 * windows are built, the trees, and the tips of the projections.
 */
import { createDocuments, type Documents } from '../../fleet/documents.ts'
import type { Problem } from '../../fleet/files.ts'
import type { IntentChange } from '../../fleet/fleet.ts'
import type { FleetIndex } from '../../fleet/fleet-index.ts'
import type { ObjectId, RefName } from '../../fleet/ids.ts'
import type { FleetHistory, HistoryEntry } from '../../ports/writer.ts'
import type { CommitIdentity, RefUpdate, RepositoryHome, TreeEditor } from '../contracts.ts'
import { createTreeEditor } from '../tree-editor.ts'
import { type ChangedFile, ingest, type IngestResult } from './ingest.ts'
import { loadFleet } from './load.ts'
import {
  allProjections,
  buildProjections,
  MAIN,
  type ProjectionTips,
  type ProjectionWindow,
  readProjectionTips,
  touchedProjections,
} from './projections.ts'
import { ReviewBranchIndex, type ReviewBranchOptions } from './review-branches.ts'
import { reviewCandidates } from './review-merges.ts'
import type { BuiltWindow } from './window.ts'

export interface Taken extends Pick<IngestResult, 'completed' | 'undone'> {
  readonly from: ObjectId
  readonly to: ObjectId
  readonly accepted: readonly IntentChange[]
  readonly editedManifests: readonly { readonly path: string; readonly to: ObjectId | undefined }[]
  /** Documents that were removed and must not be. */
  readonly removed: readonly { readonly path: string; readonly from: ObjectId | undefined }[]
}

export class Head {
  readonly documents: Documents = createDocuments()
  readonly problems = new Map<string, readonly Problem[]>()
  /** What is on the home. */
  committed: FleetIndex
  /** Runs ahead of it: what is being pushed, and what is being built on top of that. */
  ahead: FleetIndex
  editor: TreeEditor
  commit: ObjectId
  tree: ObjectId
  projections: ProjectionTips
  readonly reviews: ReviewBranchIndex
  /** Files that others changed, and that projections may not have yet. */
  #unprojected = new Set<string>()
  #justProjected: readonly string[] = []
  /** Documents that are in git and do not count, and the commit they were last looked at. */
  #held = new Map<string, ChangedFile>()
  #lookedAt: ObjectId
  readonly #home: RepositoryHome

  private constructor(
    home: RepositoryHome,
    commit: ObjectId,
    tree: ObjectId,
    committed: FleetIndex,
    ahead: FleetIndex,
    projections: ProjectionTips,
    reviews: Pick<ReviewBranchOptions, 'committer' | 'key'>,
  ) {
    this.#home = home
    this.commit = commit
    this.#lookedAt = commit
    this.tree = tree
    this.committed = committed
    this.ahead = ahead
    this.projections = projections
    this.editor = createTreeEditor(home.objects, tree)
    this.reviews = new ReviewBranchIndex({ objects: home.objects, documents: this.documents, ...reviews })
  }

  /** @throws FleetError `invalid-document`, `repository-damaged` */
  static async load(
    home: RepositoryHome,
    history: FleetHistory,
    tips: ReadonlyMap<RefName, ObjectId>,
    main: ObjectId,
    reviews: Pick<ReviewBranchOptions, 'committer' | 'key'>,
  ): Promise<Head> {
    const { tree } = await home.objects.commit(main)
    const documents = createDocuments()
    const loaded = await loadFleet(tree, home.objects, documents, history)
    const head = new Head(
      home,
      main,
      tree,
      loaded.index,
      loaded.index.clone(),
      await readProjectionTips(tips, home.objects),
      reviews,
    )
    for (const [path, found] of loaded.problems) if (found.length > 0) head.problems.set(path, found)
    for (const file of loaded.held) head.#held.set(file.path, file)
    // Some may have been merged and their branches removed since.
    await head.reviews.follow(new Map([...home.earlierTips, ...tips]))
    return head
  }

  /** Whether a document that is held may be valid by now, since other documents changed. */
  get mayRelease(): boolean {
    return this.#held.size > 0 && this.#lookedAt !== this.commit
  }

  /** Documents that are in git and do not count. */
  get heldFiles(): readonly ChangedFile[] {
    return [...this.#held.values()]
  }

  /**
   * Takes in commits of others up to `main`.
   * @param arrived these commits, newest first
   */
  async take(
    main: ObjectId,
    tips: ReadonlyMap<RefName, ObjectId>,
    arrived: readonly HistoryEntry[],
  ): Promise<Taken> {
    const { tree } = await this.#home.objects.commit(main)
    const from = this.commit
    const changed = await this.#home.objects.changedFiles(this.tree, tree)
    const paths = new Set(changed.map((file) => file.path))
    for (const path of paths) this.#unprojected.add(path)
    const again = [...this.#held.values()].filter((file) => !paths.has(file.path))
    const files = [...changed, ...again]
    const reviews = await this.#undecided(tips, arrived)
    const result = await ingest(files, this.ahead, this.documents, this.#home.objects, reviews)
    this.#held = new Map(result.held.map((file) => [file.path, file]))
    this.committed.apply(result.accepted)
    for (const [path, found] of result.problems) {
      if (found.length > 0) this.problems.set(path, found)
      else this.problems.delete(path)
    }
    this.commit = main
    this.#lookedAt = main
    this.tree = tree
    this.editor.reset(tree)
    await this.followProjections(tips)
    const { accepted, rendered, removed, completed, undone } = result
    return { from, to: main, accepted, editedManifests: rendered, removed, completed, undone }
  }

  /** Reviews that may be among what arrived, those whose branches went with it included. */
  async #undecided(
    tips: ReadonlyMap<RefName, ObjectId>,
    arrived: readonly HistoryEntry[],
  ): Promise<ReturnType<typeof reviewCandidates>> {
    const gone = await this.reviews.follow(tips)
    for (const entry of [...arrived].reverse()) this.reviews.remember(entry.commit, entry.committer, entry)
    const reviews = [...this.reviews.list(), ...gone].filter(
      ({ id }) => this.reviews.outcome(id) === undefined,
    )
    return reviewCandidates(reviews, arrived)
  }

  /** An intent of others that turned out not to be usable: as if it had been refused at once. */
  hold(change: IntentChange, problems: readonly Problem[]): void {
    const back = [{ path: change.path, before: change.after, after: change.before }]
    this.ahead.apply(back)
    this.committed.apply(back)
    this.problems.set(change.path, problems)
  }

  /** Another replica, or a person, may move them without moving main. */
  async followProjections(tips: ReadonlyMap<RefName, ObjectId>): Promise<void> {
    await this.reviews.follow(tips)
    const moved = new Map([...tips].filter(([ref, commit]) => this.projections.get(ref)?.commit !== commit))
    const read = await readProjectionTips(moved, this.#home.objects)
    const known = [...this.projections].filter(([ref, tip]) => tips.get(ref) === tip.commit)
    this.projections = new Map([...known, ...read])
  }

  /** Takes a window back that was not pushed. */
  undo(window: BuiltWindow): void {
    for (const inverse of [...window.inverses].reverse()) this.ahead.apply(inverse)
    this.editor.reset(window.from)
  }

  /** The window is on the home; another one may be built on it already. */
  advance(window: BuiltWindow, projections: ProjectionWindow): void {
    for (const item of window.items) this.committed.apply(item.changes)
    if (window.head !== undefined) this.commit = window.head
    // Not where the editor is: it may be in the next window already.
    this.tree = window.tree
    this.projected(projections)
  }

  /** The projections are on the home, and have what others changed. */
  projected({ tips }: ProjectionWindow): void {
    for (const [ref, tip] of tips) this.projections.set(ref, tip)
    this.#justProjected = [...this.#justProjected, ...this.#unprojected]
    this.#unprojected.clear()
  }

  get hasUnprojected(): boolean {
    return this.#unprojected.size > 0
  }

  /** Files of others that reached the projections since this was asked last. */
  takeProjected(): readonly string[] {
    const paths = this.#justProjected
    this.#justProjected = []
    return paths
  }

  /** What a built window moves besides main. */
  async project(window: Pick<BuiltWindow, 'paths'>, identity: CommitIdentity): Promise<ProjectionWindow> {
    return await buildProjections(
      touchedProjections(this.ahead, [...window.paths, ...this.#unprojected], this.projections),
      this.editor,
      this.projections,
      identity,
    )
  }

  /** What brings every projection to where main is: nothing, unless a crash or a person came between. */
  async repair(identity: CommitIdentity): Promise<ProjectionWindow> {
    return await buildProjections(allProjections(this.ahead), this.editor, this.projections, identity)
  }

  mainUpdate(next: ObjectId): RefUpdate {
    return { ref: MAIN, expected: this.commit, next }
  }
}
