/** Which changes go in at once, and which become a pull request first. */

export interface ChangePolicy {
  /** Of changes that are asked for through the API. */
  readonly review?: ReviewPolicy
}

/** Absent ones are not reviewed. */
export interface ReviewPolicy {
  /** An installation is to be deleted, now or at a planned time. */
  readonly deletions?: boolean
  /** An installation gets a larger size. */
  readonly sizeUps?: boolean
  /** A group with members gets another version, image or environment. */
  readonly groupVersions?: boolean
  /** A cluster is to be deleted. */
  readonly clusterRemovals?: boolean
  /** One request touches more installations than this. */
  readonly moreThanInstallations?: number
  readonly exempt?: {
    /** Roles of tokens whose changes go in at once. */
    readonly roles?: readonly ('writer' | 'admin')[]
    /** Names of tokens whose changes go in at once. */
    readonly tokens?: readonly string[]
  }
  /** An open pull request is closed after this time; 168 (a week) when absent. */
  readonly expireHours?: number
}
