/** What handlers get: the parts (once, when their routes are made) and the context (with every request). */
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import type { Problem } from '../fleet/files.ts'
import type { FleetPath, Id, ObjectId } from '../fleet/ids.ts'
import type { Intent } from '../fleet/intents.ts'
import type { Actor, RequestContext, Transaction } from '../fleet/transaction.ts'
import type { ChangeReviews } from '../ports/change-reviews.ts'
import type { Clock, Randomness } from '../ports/clock.ts'
import type { Drifts } from '../ports/drifts.ts'
import type { HookReceiver, PullRequests } from '../ports/pull-requests.ts'
import type { Leases, Observations } from '../ports/observations.ts'
import type { Sights } from '../ports/sights.ts'
import type { FleetStore } from '../ports/store.ts'
import type { SecretBackend, SecretHolds } from '../ports/secrets.ts'
import type { TokenStore } from '../ports/tokens.ts'
import type { FleetHistory, FleetWriter } from '../ports/writer.ts'
import type { GitHandler } from './git-mount.ts'
import type { Answer, Role } from './routes.ts'
import type { Shape } from './shapes.ts'

/** Everything the API works with; `main.ts` picks the implementations. */
export interface Parts {
  readonly writer: FleetWriter
  readonly history: FleetHistory
  readonly observations: Observations
  readonly sights: Sights
  readonly drifts: Drifts
  readonly store: FleetStore
  /** Resolves when everything that happened is in the event log. */
  readonly settled: () => Promise<void>
  readonly leases: Leases
  readonly secrets: SecretBackend
  readonly secretHolds: SecretHolds
  readonly changeReviews: ChangeReviews
  /** Documents that are not valid, and what else is wrong in the fleet repository. */
  readonly problems: () => readonly Problem[]
  readonly pullRequests: PullRequests
  /** Absent without a forge. */
  readonly hooks?: HookReceiver
  readonly clock: Clock
  readonly randomness: Randomness
  readonly logger: Logger
  readonly registry: Registry
  readonly tokens: TokenStore
  readonly documents: DocumentReader
  /** Serves the embedded repository at `/fleet.git`; absent with a remote one. */
  readonly gitHandler?: GitHandler
  readonly options: ApiOptions
}

/** Text of an intent in the repository to the intent. @throws FleetError `invalid-document` */
export interface DocumentReader {
  parse(path: FleetPath, text: string): Intent
}

export interface ApiOptions {
  /** Of Fleetwright, for `/openapi.json`. */
  readonly version: string
  /** `deferred`: requests are committed, nothing is placed (`serve --loops none`). */
  readonly placement: 'now' | 'deferred'
  /** Bytes of a request's body. */
  readonly bodyLimit?: number
  readonly headersTimeoutMilliseconds?: number
  readonly requestTimeoutMilliseconds?: number
  /** What requests under way get when the server closes. */
  readonly graceMilliseconds?: number
  /** A head not confirmed by the remote for this long makes `/readyz` say no. */
  readonly staleAfterMilliseconds?: number
  /** Address of commit authors by token name; others are `name@fleetwright.invalid`. */
  readonly emails?: Readonly<Record<string, string>>
}

/** A value for the secret backend: stored before the commit, taken back when the commit is refused. */
export interface NewSecret {
  readonly key: string
  readonly value: string
}

/** One change of the fleet as a handler asks for it. */
export interface Change<Value> {
  readonly transaction: Transaction<Value>
  readonly secrets?: readonly NewSecret[]
  /** Keys of the secret backend that the change refers to again; they must be there still. */
  readonly restores?: readonly string[]
  /**
   * The answer once the commit is on the remote. Make it of the value: the fleet may have moved on.
   * `commit` is undefined when there was nothing to commit.
   */
  readonly answer: (value: Value, commit: ObjectId | undefined) => Answer
  /** For dry runs: where it would be placed and why. */
  readonly placement?: (value: Value) => unknown
}

export interface HandlerContext {
  readonly requestId: string
  readonly actor: Actor
  readonly role: Role
  /** When the request came in, milliseconds since 1970. */
  readonly now: number
  readonly query: URLSearchParams
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>
  /** The body as it came. */
  readonly bytes: Uint8Array
  readonly log: Logger
  /** `?dry_run=true` on a change: `submit` answers 200 with the plan and writes nothing. */
  readonly dryRun: boolean
  /** What transactions are told about the request; `submit` passes it on. */
  readonly request: RequestContext
  /** A path parameter. @throws RangeError when the route has none of that name */
  param(name: string): string
  /** A path parameter that is an id, `{id}` by default. */
  id(name?: string): Id
  /**
   * The body by a shape. Wire routes: as the original decodes (no body and `null` are `{}`, keys without regard to case,
   * unknown keys end up in a `Warning` header and the log). Own routes: strict.
   * @throws FleetError `invalid-json`, `invalid-request` with `errors[]`
   */
  decode<Value>(shape: Shape<Value>): Value
  /**
   * The one way to change the fleet: dry run, secrets, commit, and the `Fleetwright-Commit` header.
   * Checks that depend on the fleet belong into the transaction (it may run more than once).
   * @throws FleetError the refusal
   */
  submit<Value>(change: Change<Value>): Promise<Answer>
}
