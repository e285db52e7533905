/**
 * The forge that the team's fleet repository lives on: its pull requests (GitLab: merge requests), what is said on them, and
 * the hooks it sends. `src/forge/{gitea,github,gitlab}` implement it, one contract suite for all.
 *
 * Everything is level-triggered: a hook only says where to look, what counts is read from the forge. Reports and comments are
 * written by their whole text, so saying the same again changes nothing.
 */
import type { ObjectId, RefName } from '../fleet/ids.ts'
import type { Annotation } from '../fleet/review/report.ts'

export type { Annotation }

export type ForgeKind = 'gitea' | 'github' | 'gitlab'

/** `fleetwright/window/<commit>`: what Fleetwright writes to a protected main through pull requests of its own. */
export const WINDOW_BRANCHES = 'fleetwright/window/'

export interface PullRequest {
  readonly number: number
  /** For people. */
  readonly url: string
  readonly title: string
  readonly author: { readonly login: string; readonly name: string }
  readonly state: 'open' | 'merged' | 'closed'
  readonly isDraft: boolean
  /** Branch it comes from; in a fork when `isFork`. */
  readonly branch: string
  readonly isFork: boolean
  readonly head: ObjectId
  /** Where the fleet repository itself has the head, a moment after a push: `refs/pull/7/head`, `refs/merge-requests/7/head`. */
  readonly headRef: RefName
  /** Branch it goes to. */
  readonly base: string
  /** Commit of the base branch by which it was merged (merge, squash or the last one of a rebase). */
  readonly mergedAs?: ObjectId
  /** Milliseconds since 1970. */
  readonly updatedAt: number
}

export interface NewPullRequest {
  /** Was pushed before. */
  readonly branch: string
  readonly base: string
  readonly title: string
  readonly body: string
}

export interface CheckReport {
  readonly number: number
  /** Head that was checked. */
  readonly commit: ObjectId
  /** `fleetwright/plan` */
  readonly name: string
  readonly result: 'pending' | 'success' | 'failure'
  /** One line; shortened to what the forge takes. */
  readonly title: string
  /** Markdown; not shown where a check has a line only, so a comment has to say it too. */
  readonly summary: string
  /** For people. */
  readonly url?: string
  /** Shown on their lines as the forge can; an earlier report's ones do not stay beside them. */
  readonly annotations: readonly Annotation[]
}

/** Who Fleetwright is on the forge, and what it may do there. */
export interface ForgeAccess {
  readonly login: string
  readonly canPush: boolean
  readonly canReport: boolean
  /** Whether main is protected against direct pushes, and whether Fleetwright may pass by that. */
  readonly main: 'open' | 'protected-with-bypass' | 'protected'
  /** Id of the repository on the forge: another one under the same name is another repository. */
  readonly repository: string
}

/**
 * `as-usual`: as the repository merges by default. `keep-commits`: so that main contains the head itself, by a fast-forward where
 * the forge offers that, else by a merge commit; never by a squash or a rebase.
 */
export type MergeHow = 'as-usual' | 'keep-commits'

export type Permission = 'none' | 'read' | 'write' | 'admin'

/** Every method: @throws FleetError `forge-unavailable`, `forge-denied` (token), `forge-refused`; `data.retryAfter` in ms when told */
export interface Forge {
  readonly kind: ForgeKind
  /** Of the repository, for people. */
  readonly url: string
  access(): Promise<ForgeAccess>
  /** Open ones that go to `base`, every page of them. */
  openPullRequests(base: string): Promise<readonly PullRequest[]>
  /** Merged and closed ones that changed since then, newest first. */
  endedPullRequests(base: string, since: number): Promise<readonly PullRequest[]>
  /** Undefined: there is none of this number. */
  pullRequest(number: number): Promise<PullRequest | undefined>
  report(check: CheckReport): Promise<void>
  /** One comment a key, kept up to date in place; the key is hidden in its text. Of Fleetwright's own comments only. */
  comment(number: number, key: string, markdown: string): Promise<void>
  /** The one there is already for this branch, or a new one. */
  open(request: NewPullRequest): Promise<PullRequest>
  /** Nothing to do when it has ended. */
  close(number: number): Promise<void>
  /** @returns true: it is merged with this head, now or before; false: not allowed (yet): checks, reviews, a moved head */
  merge(number: number, head: ObjectId, how?: MergeHow): Promise<boolean>
  /** Nothing to do when it is gone. */
  deleteBranch(branch: string): Promise<void>
  permission(login: string): Promise<Permission>
  /** Who belongs to a team (`team` or `organisation/team`), by login; undefined: there is no such team. */
  teamMembers(team: string): Promise<ReadonlySet<string> | undefined>
  stop(): Promise<void>
}

export type HookEvent =
  | { readonly event: 'pull-request'; readonly number: number }
  /** Somebody pushed; a branch or another ref. */
  | { readonly event: 'push'; readonly ref: string }
  | { readonly event: 'ping' }
  /** Of no interest. */
  | { readonly event: 'other' }

export interface Hook {
  /** Of this delivery, as the forge numbers them; of its content when the forge does not. */
  readonly delivery: string
  /** Full name of the repository, as the forge writes it. */
  readonly repository: string | undefined
  readonly content: HookEvent
}

/** Reads a hook as its forge sends it. Pure. @throws FleetError `unauthenticated` (signature), `invalid-request` */
export type ReadHook = (request: {
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: Uint8Array
  readonly secret: string
}) => Hook
