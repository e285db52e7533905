/** What a pull request, or any set of changed files, would do to the fleet: the data that checks, comments and commands show. */
import type { Problem } from '../files.ts'
import type { ObjectId } from '../ids.ts'
import type { JsonValue } from '../intents.ts'
import type { CommitText } from '../transaction.ts'

export interface ReviewPlan {
  /** Revision of main it was decided on. */
  readonly base: ObjectId
  /** What was looked at; undefined: files that are not committed. */
  readonly head: ObjectId | undefined
  /** With one of them it must not be merged. */
  readonly problems: readonly Problem[]
  /** Worth a look, no reason to refuse. */
  readonly warnings: readonly Problem[]
  /** Where new requests would go, and why. Ids are made up. */
  readonly placements: readonly CommitText[]
  /** Documents and what is rendered of them, by object. */
  readonly objects: readonly ObjectDifference[]
  readonly impact: Impact
  /** What of main it hangs on, by `concernsOf`: a change of main that moves none of it does not change the verdict. */
  readonly concerns: readonly string[]
}

export interface ObjectDifference {
  readonly kind: 'fleet' | 'cluster' | 'group' | 'database' | 'installation' | 'request' | 'other'
  readonly name: string
  readonly id?: string
  readonly cluster?: string
  readonly change: 'added' | 'changed' | 'removed'
  readonly fields: readonly FieldDifference[]
  readonly files: readonly ChangedFile[]
  /** Unified. */
  readonly diff: string
}

export interface FieldDifference {
  /** For example `spec.version`. */
  readonly field: string
  readonly before?: JsonValue
  readonly after?: JsonValue
}

export interface ChangedFile {
  readonly path: string
  readonly change: 'added' | 'changed' | 'removed'
  readonly added: number
  readonly removed: number
}

/** For whom, and how much. */
export interface Impact {
  readonly added: readonly Affected[]
  readonly changed: readonly Affected[]
  /** Installations that go, and other objects that people would miss. */
  readonly removed: readonly Affected[]
  readonly clusters: readonly ClusterCapacity[]
  readonly waves: readonly Wave[]
  readonly shared: readonly SharedChange[]
}

/** An installation, or what installations share, and what the change means to the ones who use it. */
export interface Affected {
  readonly kind: 'installation' | 'cluster' | 'group' | 'database'
  readonly id: string
  readonly name: string
  readonly cluster: string | undefined
  readonly group: string | undefined
  /** Pods are replaced, data moves, it goes away; undefined: they will not notice. */
  readonly effect?: string
  readonly costBefore?: CostClass
  readonly costAfter?: CostClass
}

/** By what the size, the database and the file store need; no prices. */
export type CostClass = 'small' | 'medium' | 'large' | 'very large'

export interface ClusterCapacity {
  readonly cluster: string
  readonly before: number
  readonly after: number
  readonly limit: number
  /** When the change moves the limit. */
  readonly limitBefore?: number
}

/** Members of a group that a change of the group reaches, so many at a time. */
export interface Wave {
  readonly group: string
  readonly members: number
  readonly maxRolling: number
  /** The configuration changes without a new sequence: members that run it get it in one commit. */
  readonly atOnce: boolean
}

/** What a change of something that installations share means to them. */
export interface SharedChange {
  readonly kind: 'cluster' | 'database' | 'fleet'
  readonly name: string
  /** That share it, counted and not listed. */
  readonly installations: number
  readonly effect: string
}
