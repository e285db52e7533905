/** What the parts of this folder promise each other; the writer sees only this. */
import type { FleetError } from '../fleet/errors.ts'
import type { FileChange } from '../fleet/files.ts'
import type { ObjectId, RefName } from '../fleet/ids.ts'

export interface RefUpdate {
  readonly ref: RefName
  /** The lease: the tip this update was made on; undefined: the ref must not exist. */
  readonly expected: ObjectId | undefined
  readonly next: ObjectId
}

export type ObjectType = 'blob' | 'tree' | 'commit'

/** An object that the remote does not have yet. `base`: a tree it can be sent as a delta against, with where they differ. */
export interface NewObject {
  readonly oid: ObjectId
  readonly type: ObjectType
  readonly content: Uint8Array
  readonly base?: { readonly oid: ObjectId; readonly content: Uint8Array; readonly instructions: Uint8Array }
}

export type PushOutcome =
  | { readonly outcome: 'accepted' }
  /** Another writer was first, nothing was written. */
  | { readonly outcome: 'stale'; readonly detail: string }

/**
 * A home of the fleet repository: `embedded/` (a bare repository on this disk, also any local path) or `remote/` (smart
 * HTTP or ssh, with a bare clone as cache). Same methods, one contract suite.
 */
export interface RepositoryHome {
  /** Bare repository on this disk that has every object of the tips last seen. */
  readonly gitDirectory: string
  /** As a process before this one saw them last; empty where nothing but this disk has them. */
  readonly earlierTips: ReadonlyMap<RefName, ObjectId>
  /** All refs below refs/heads, as the home has them now. @throws FleetError `remote-unavailable` */
  tips(): Promise<ReadonlyMap<RefName, ObjectId>>
  /** Brings the objects of the present tips to `gitDirectory`; returns those tips. Cheap when nothing moved. */
  fetch(): Promise<ReadonlyMap<RefName, ObjectId>>
  /**
   * All refs or none. Durable (fsync) when accepted.
   * @throws FleetError `remote-refused` (hook, protection: nothing written), `remote-unavailable` (not known whether it was
   * written: fetch and look before running again)
   */
  push(updates: readonly RefUpdate[], objects: readonly NewObject[]): Promise<PushOutcome>
  readonly objects: ObjectReader
  /** Where native git reads more of the home than its branches; undefined: everything is in `gitDirectory`. */
  readonly native: NativeAccess | undefined
  /** Packs many small packs together; never blocks a push for long. */
  maintain(): Promise<void>
  close(): Promise<void>
}

/** How native git gets to the home. */
export interface NativeAccess {
  readonly url: string
  /** Settings for one run of git: nothing secret is seen on a command line or in a file. */
  environment(): Promise<Readonly<Record<string, string>>>
  /** Words of git without anything secret. */
  redact(text: string): string
  /** What git's words mean when the other side, or the way to it, is to blame. */
  failure(words: string): FleetError | undefined
}

export interface TreeEntry {
  readonly mode: string
  readonly name: string
  readonly oid: ObjectId
}

export interface ObjectReader {
  /** @throws FleetError `repository-damaged` when it is missing */
  blob(oid: ObjectId): Promise<Uint8Array>
  tree(oid: ObjectId): Promise<readonly TreeEntry[]>
  commit(oid: ObjectId): Promise<{
    readonly tree: ObjectId
    readonly parents: readonly ObjectId[]
    readonly author: string
    readonly committer: string
    readonly message: string
  }>
  /**
   * Many blobs at once, in no order; for loading a fleet.
   * @param mostBytes of larger ones nothing is kept in memory, and the visitor gets undefined
   */
  blobs(
    oids: readonly ObjectId[],
    mostBytes: number,
    visit: (oid: ObjectId, content: Uint8Array | undefined) => void,
  ): Promise<void>
  /** All files below a tree with their blob ids, without reading blobs. */
  files(
    tree: ObjectId,
  ): Promise<readonly { readonly path: string; readonly mode: string; readonly oid: ObjectId }[]>
  /** Paths that differ between two trees (or commits). */
  changedFiles(
    from: ObjectId,
    to: ObjectId,
  ): Promise<
    readonly {
      readonly path: string
      readonly from: ObjectId | undefined
      readonly to: ObjectId | undefined
      readonly mode: string | undefined
    }[]
  >
}

/**
 * Edits trees in memory. Trees on the way to a changed file are read once and stay, so an edit reads nothing from disk
 * that was read before, and costs what it changes.
 */
export interface TreeEditor {
  readonly root: ObjectId
  /** Blob or tree id at a path; undefined when nothing is there. '' is the root. */
  at(path: string): Promise<ObjectId | undefined>
  /** Writes and removes files; folders that become empty go. Returns the objects made, deepest first, each tree once. */
  apply(changes: readonly FileChange[]): Promise<readonly NewObject[]>
  /** Reads the trees of so many levels below the root at once, so that no edit waits for one of them. */
  readAhead(levels: number): Promise<void>
  /** Goes back to a root it had before (after a lost race). */
  reset(root: ObjectId): void
}

export interface CommitInput {
  readonly tree: ObjectId
  readonly parents: readonly ObjectId[]
  /** `Name <email> seconds +0000` */
  readonly author: string
  readonly committer: string
  readonly message: string
  /** Undefined: it is not signed. */
  readonly sign: SignCommit | undefined
}

/** Signs the bytes of a commit that has no signature yet; the signature in its armor, with a newline at the end. */
export type SignCommit = (payload: Uint8Array) => string

/** Who made a commit. */
export type CommitIdentity = Pick<CommitInput, 'author' | 'committer' | 'sign'>
