import type { FleetError } from '../fleet/errors.ts'
import type { FileChange, Problem } from '../fleet/files.ts'
import type { Fleet, IntentChange } from '../fleet/fleet.ts'
import type { ObjectId } from '../fleet/ids.ts'
import type { ReviewBranches } from './change-reviews.ts'
import type { RequestContext, Transaction } from '../fleet/transaction.ts'

export interface Committed<Value> {
  readonly value: Value
  /** Undefined when there was nothing to commit. */
  readonly commit: ObjectId | undefined
  readonly files: readonly string[]
}

export interface Plan<Value> {
  readonly value: Value
  readonly subject: string
  readonly body: string | undefined
  readonly files: readonly { readonly path: string; readonly change: 'added' | 'changed' | 'removed' }[]
  /** Unified diff of all files against the head it was planned on. */
  readonly diff: string
  readonly base: ObjectId
}

/** The one door to the fleet repository. Serialised: every change goes through here. */
export interface FleetWriter extends ReviewBranches {
  /** The fleet at the last revision that is on the remote. Valid until the next await. */
  readonly fleet: Fleet
  /** Tip of main on the remote, as last known. */
  readonly head: ObjectId
  /**
   * Resolves when the change's commit is on the remote.
   * @throws FleetError the refusal, or `remote-unavailable`, `remote-refused`, `stale-lease`, `writer-busy`, `writer-closed`
   */
  submit<Value>(transaction: Transaction<Value>, context: RequestContext): Promise<Committed<Value>>
  /** What `submit` would do now; writes nothing. @throws FleetError the refusal */
  plan<Value>(transaction: Transaction<Value>, context: RequestContext): Promise<Plan<Value>>
  /** What is wrong in documents, and with the home itself (path `.`). */
  problems(): readonly Problem[]
  readonly contact: HomeContact
  /** Looks for commits of others now. */
  poll(): Promise<void>
  /** Finds an earlier request by its idempotency key. */
  findByIdempotencyKey(key: string): EarlierRequest | undefined
  /** Called after each window and each ingested commit of others; returns the unsubscription. */
  onChange(listener: (change: HeadChange) => void): () => void
  /** Stops taking requests, finishes the window under way. */
  close(): Promise<void>
}

/** How it stands with the fleet repository. */
export interface HomeContact {
  /** When it last answered, milliseconds since 1970. */
  readonly at: number
  /** What keeps the writer from writing; goes when it is put right. */
  readonly trouble: FleetError | undefined
  /** How often one began; a short one is not missed by who asks seldom. */
  readonly troubles: number
}

export interface EarlierRequest {
  readonly commit: ObjectId
  readonly requestDigest: string | undefined
  readonly trailers: Readonly<Record<string, string>>
}

export interface HeadChange {
  readonly to: ObjectId
  readonly by: 'fleetwright' | 'others'
  readonly changes: readonly IntentChange[]
  /**
   * Files that were written, rendered ones included. Of commits of others first only their documents; their other files come with
   * the change after which the engines' refs have them.
   */
  readonly paths: readonly string[]
}

/** Intents of a change to the rendered files that follow from it. Pure; given to the writer by `main.ts`. */
export type RenderChanges = (
  /** The fleet after the changes. */
  fleet: Fleet,
  changes: readonly IntentChange[],
) => readonly FileChange[]

/** Reading of history, for people. */
export interface FleetHistory {
  /** Newest first. `path` limits to commits that touch it. */
  log(options: {
    readonly paths?: readonly string[]
    readonly limit: number
    /** Goes on after this commit. */
    readonly after?: ObjectId
    /** Starts with this commit; absent: the tip of main. */
    readonly from?: ObjectId
    /** Leaves out this commit and everything it contains. */
    readonly since?: ObjectId
    readonly diff?: boolean
  }): Promise<readonly HistoryEntry[]>
  /** Text of a file at a commit; undefined when it is not there. */
  fileAt(commit: ObjectId, path: string): Promise<string | undefined>
  /** The first parent of a commit; undefined for a root commit. @throws FleetError `not-found` */
  parentOf(commit: ObjectId): Promise<ObjectId | undefined>
  /** Whether main holds this commit, however long ago; false for one that nobody knows. */
  isOnMain(commit: ObjectId): Promise<boolean>
  /**
   * When main last gained or lost a text in files below these paths (git pathspecs), milliseconds since 1970; undefined: it
   * never had it.
   */
  lastChangeOf(text: string, paths: readonly string[]): Promise<number | undefined>
  /** Paths a commit changed against its first parent. @throws FleetError `not-found` */
  changedPaths(commit: ObjectId): Promise<readonly string[]>
}

export interface HistoryEntry {
  readonly commit: ObjectId
  readonly author: string
  readonly email: string
  readonly committer: string
  readonly at: string
  readonly subject: string
  readonly body: string
  readonly trailers: Readonly<Record<string, string>>
  readonly diff?: string
}
