/** Which changes go in at once, and which become a pull request first. */

export interface ChangePolicy {
  /** Of changes that are asked for through the API. */
  readonly review?: ReviewPolicy
  /** Of pull requests of people. */
  readonly pullRequests?: PullRequestPolicy
}

/** What a pull request may ask for, and who may ask for it. What is absent is not limited. */
export interface PullRequestPolicy {
  /** Registries, or folders of them, that images may come from: `docker.io/mattermost`. */
  readonly imageRegistries?: readonly string[]
  /** Name of a size; what is larger in any respect is refused. */
  readonly largestSize?: string
  /** Of the pods of one installation. */
  readonly mostReplicas?: number
  /** false: nothing is deleted by a pull request. */
  readonly deletions?: boolean
  readonly protectedGroups?: readonly {
    /** Patterns, in which `*` stands for anything. */
    readonly names: readonly string[]
    /** Who may change what members run: version, image, environment. */
    readonly versions?: People
    /** Who may bring in installations. */
    readonly members?: People
  }[]
  /** Who may touch what. Of those that match an object the last one counts; what none matches is everybody's. */
  readonly owners?: readonly (People & {
    /** `Other`: files that are no documents. */
    readonly kind: 'Fleet' | 'Cluster' | 'Group' | 'SharedDatabase' | 'Installation' | 'Other'
    /** Patterns of names, of paths for `Other`; absent: all. */
    readonly names?: readonly string[]
    /** Of installations: patterns of their owners; absent: all. */
    readonly installationOwners?: readonly string[]
  })[]
}

/** Nobody, when there are neither. */
export interface People {
  readonly logins?: readonly string[]
  /** `team`, or `organisation/team`. */
  readonly teams?: readonly string[]
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
