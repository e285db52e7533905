/** How much a pull request may be. Larger changes of a fleet are made in several, or pushed by those who may push. */
export interface ReviewLimits {
  readonly files: number
  /** Folders that are looked into. */
  readonly folders: number
  /** Of all those folders, differing or not. */
  readonly entries: number
  readonly depth: number
  /** Of a whole path, in UTF-8. */
  readonly pathBytes: number
  readonly nameBytes: number
  /** One folder as git has it. */
  readonly folderBytes: number
  /** One file that is no document; documents have their own limit. */
  readonly fileBytes: number
  /** All files that are read. */
  readonly readBytes: number
  readonly commits: number
  /** What is fetched, packed. */
  readonly packBytes: number
  /** Of the processes that take in what is fetched. */
  readonly memoryBytes: number
  readonly milliseconds: number
}

export const REVIEW_LIMITS: ReviewLimits = {
  files: 2_000,
  folders: 10_000,
  entries: 200_000,
  depth: 16,
  pathBytes: 400,
  nameBytes: 200,
  folderBytes: 8 * 1024 * 1024,
  fileBytes: 2 * 1024 * 1024,
  readBytes: 32 * 1024 * 1024,
  commits: 1_000,
  packBytes: 64 * 1024 * 1024,
  memoryBytes: 1024 * 1024 * 1024,
  milliseconds: 60_000,
}
