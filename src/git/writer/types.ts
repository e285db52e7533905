import type { FileChange } from '../../fleet/files.ts'
import type { IntentChange } from '../../fleet/fleet.ts'
import type { ObjectId } from '../../fleet/ids.ts'
import type { Actor, CommitText, RequestContext, Transaction } from '../../fleet/transaction.ts'
import type { Clock, Randomness } from '../../ports/clock.ts'
import type { FindOrigin } from '../../ports/pull-requests.ts'
import type { Committed, FleetHistory, FleetWriter, RenderChanges } from '../../ports/writer.ts'
import type { RepositoryHome, SignCommit } from '../contracts.ts'
import type { ChangedFile } from './ingest.ts'
import type { PaceLimit } from './pace.ts'
import type { WindowBase } from './window.ts'

export interface WriterOptions {
  readonly home: RepositoryHome
  readonly history: FleetHistory
  readonly render: RenderChanges
  readonly clock: Clock
  readonly randomness: Randomness
  readonly committer: Actor
  /** Without it commits are not signed. */
  readonly sign?: SignCommit
  /** Seals branches of reviews; without it they are looked at as anybody's. */
  readonly reviewKey?: Uint8Array
  readonly observer: WriterObserver
  /** Files of the first commit when the repository has no fleet.yaml yet; must contain a valid fleet.yaml. */
  readonly initialFiles: readonly FileChange[]
  /** Whether requests that people commit are placed (`now`) or only given an id (`deferred`). */
  readonly placement: 'now' | 'deferred'
  /** Absent: commits do not say which pull request they follow from. */
  readonly findOrigin?: FindOrigin
  /** Most requests in one push, while pushes need not wait for their turn. */
  readonly windowLimit?: number
  /** Without it pushes follow each other at once. */
  readonly pace?: PaceLimit
  /** Most requests that may wait; more are refused with `writer-busy`. */
  readonly queueLimit?: number
  /** How long an unreachable home is tried again before the window is refused, milliseconds. */
  readonly patienceMilliseconds?: number
}

/** What the writer tells the world about itself; `metrics.ts` turns it into Prometheus series. */
export interface WriterObserver {
  queued(length: number): void
  window(result: {
    readonly commits: number
    readonly refused: number
    readonly milliseconds: number
    readonly bytes: number
  }): void
  race(): void
  /** A push is made that waited so long for its turn, milliseconds. */
  paced(milliseconds: number): void
  /** The home asked for a pause so long, milliseconds. */
  limited(milliseconds: number): void
  ingested(commits: number, problems: number): void
  failed(error: unknown): void
}

/** A request that waits for its window. */
export interface QueuedTransaction {
  readonly kind: 'transaction'
  readonly transaction: Transaction<unknown>
  readonly context: RequestContext
  /** The commit itself is the record, also when it changes no file. */
  readonly always?: true
  /** It records what became of this review; another replica may have recorded it first. */
  readonly review?: string
  readonly settle: Settle<Committed<unknown>>
}

/** Files that follow from commits of others. What they say is decided when their window is built. */
export interface QueuedFiles {
  readonly kind: 'files'
  readonly files: (base: WindowBase) => Promise<readonly FileChange[]>
  readonly text: CommitText
  readonly context: RequestContext
  readonly always?: true
  readonly review?: string
  readonly settle: Settle<Committed<unknown>>
}

export type WindowItem = QueuedTransaction | QueuedFiles

/** Work that needs the head to stand still, and does not move it. */
export interface QueuedLook {
  readonly look: Look<unknown>
  readonly settle: Settle<unknown>
}

/** Looks at the head; leaves the index as it was, also when it throws. */
export type Look<Value> = (head: StandingHead) => Promise<Value>

/** The head while nothing is built on it. */
export interface StandingHead extends WindowBase {
  readonly head: ObjectId
  /** Documents in git that do not count. */
  readonly heldFiles: readonly ChangedFile[]
}

/** The writer, for those who also work on the repository it writes. */
export interface RepositoryWriter extends FleetWriter {
  /** Before the requests that wait. @throws FleetError `writer-busy`, `writer-closed` */
  atHead<Value>(look: Look<Value>): Promise<Value>
}

export interface Settle<Value> {
  readonly resolve: (value: Value) => void
  readonly reject: (error: unknown) => void
}

/** An item that made it into the window. */
export interface BuiltItem {
  readonly item: WindowItem
  readonly value: unknown
  readonly changes: readonly IntentChange[]
  readonly commit: ObjectId | undefined
  readonly trailers: Readonly<Record<string, string>>
  readonly files: readonly string[]
}
