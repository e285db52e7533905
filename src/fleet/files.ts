import type { FleetPath } from './ids.ts'

/** A file of the fleet repository that is written (`text`) or removed (undefined). */
export interface FileChange {
  readonly path: FleetPath
  readonly text: string | undefined
}

/** Something wrong in the repository that holds back only what it touches. Shown at `/api/fleet/problems`. */
export interface Problem {
  readonly path: string
  /** 1-based; 0 when the whole file is meant. */
  readonly line: number
  readonly column: number
  readonly code: string
  /** JSON pointer into the document, when one place is meant. */
  readonly pointer?: string
  /** What is wrong; what would be right. */
  readonly detail: string
  /** Commit that brought it in and its author, when known. */
  readonly commit?: string
  readonly author?: string
}
