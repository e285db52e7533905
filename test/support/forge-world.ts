/** What people do on a forge and what they see there: the other side of the port, for tests of it and of what works with it. */
import type { ObjectId } from '../../src/fleet/ids.ts'
import type { Forge, Permission } from '../../src/ports/forge.ts'

/** Text of each path; undefined: the file goes. */
export type Files = Readonly<Record<string, string | undefined>>

export type MergeStyle = 'merge' | 'squash' | 'rebase'

export interface OpenedPullRequest {
  readonly number: number
  readonly head: ObjectId
}

export interface ForgePeople {
  /** Somebody who is not Fleetwright; opens pull requests and merges them. */
  readonly login: string
  /** Puts a commit on a new branch that starts at main, and opens a pull request. */
  openPullRequest(request: {
    readonly branch: string
    readonly title: string
    readonly files: Files
    /** `main` by default; another one exists already. */
    readonly base?: string
    readonly isDraft?: boolean
    readonly fromFork?: boolean
  }): Promise<OpenedPullRequest>
  /** One more commit on the branch of a pull request. @returns the head, which the forge knows */
  push(number: number, files: Files): Promise<ObjectId>
  /** @returns tip of main afterwards */
  merge(number: number, style: MergeStyle): Promise<ObjectId>
  closePullRequest(number: number): Promise<void>
  comment(number: number, text: string): Promise<void>
  /** A commit on a branch, which starts at main when it is not there. */
  commit(branch: string, files: Files): Promise<ObjectId>
  /** `bypass`: Fleetwright is on the list of those who may push all the same. */
  protectMain(how: 'not' | 'for-all' | 'with-bypass'): Promise<void>
  /** Takes what Fleetwright said on a pull request away. */
  deleteCommentsOfFleetwright(number: number): Promise<void>
}

/** An annotation as people see it; line 0: it is in a text and not on a line. */
export interface ShownAnnotation {
  readonly path: string
  readonly line: number
  readonly text: string
}

export interface ForgeSight {
  comments(number: number): Promise<readonly { readonly author: string; readonly text: string }[]>
  annotations(number: number): Promise<readonly ShownAnnotation[]>
  /** What is shown beside a commit under this name, the latest one. */
  check(
    commit: ObjectId,
    name: string,
  ): Promise<{ readonly result: string; readonly title: string } | undefined>
  /** How many times it was written. */
  timesReported(commit: ObjectId, name: string): Promise<number>
  tip(ref: string): Promise<ObjectId | undefined>
}

export interface ForgeWorld {
  readonly forge: Forge
  readonly people: ForgePeople
  readonly sight: ForgeSight
  /** Logins of each permission, the owner not among them, and a login that nobody has. */
  readonly permissions: readonly (readonly [login: string, permission: Permission])[]
  /** A team as it is written for `teamMembers`, and its members; undefined: the repository's owner has no teams. */
  readonly team: { readonly name: string; readonly members: readonly string[] } | undefined
  /** The same repository with a token that is not valid. */
  denied(): Promise<{ readonly forge: Forge; readonly token: string }>
  /** The same repository on a server that does not answer. */
  unreachable(): Promise<Forge>
  close(): Promise<void>
}
