/** Pull requests as Fleetwright sees them, for answers and for what follows from a merge. */
import type { Problem } from '../fleet/files.ts'
import type { FleetPath, ObjectId } from '../fleet/ids.ts'
import type { ForgeKind, PullRequest } from './forge.ts'

export interface CheckedPullRequest {
  readonly pull: PullRequest
  /** Of its head; `pending` while it was not checked yet. */
  readonly result: 'pending' | 'success' | 'failure'
  /** Head that the result belongs to. */
  readonly checkedHead: ObjectId | undefined
  /** Revision of main it was planned on. */
  readonly plannedOn: ObjectId | undefined
  readonly problems: number
  readonly warnings: number
  /** Milliseconds since 1970. */
  readonly checkedAt: number | undefined
}

export interface PullRequests {
  /** Where people find the repository on the forge; undefined: no forge is configured, and no pull request is looked at. */
  readonly repository: string | undefined
  /** Open ones, highest number first. */
  list(): readonly CheckedPullRequest[]
  /** What keeps Fleetwright from hearing or saying something. */
  problems(): readonly Problem[]
}

/** The pull request that a commit of main comes from. */
export interface Origin {
  readonly number: number
  readonly url: string
  readonly title: string
}

/**
 * Finds it. Undefined: from none, or it cannot be told now. Answers within a moment, whatever the forge does; never fails.
 * @param path the document that the commit brought in
 */
export type FindOrigin = (commit: ObjectId, path: FleetPath) => Promise<Origin | undefined>

/** Without a forge. */
export const NO_PULL_REQUESTS: PullRequests = { repository: undefined, list: () => [], problems: () => [] }

/** Takes hooks of the forge. */
export interface HookReceiver {
  readonly kind: ForgeKind
  /**
   * What the hook tells of is looked at afterwards; a delivery that came before costs nothing.
   * @throws FleetError `unauthenticated` (signature), `forbidden` (another repository), `invalid-request`, `too-many-requests`
   */
  receive(request: {
    /** Names in lower case. */
    readonly headers: Readonly<Record<string, string | undefined>>
    readonly body: Uint8Array
  }): Promise<void>
}
