/** What a CI says of the pull request that it runs for. */
type Environment = Readonly<Record<string, string | undefined>>

/** Branch that the pull request goes to, by the variable that holds its name. */
const TARGET_BRANCH = [
  /** GitHub, and Gitea with its runners. */
  'GITHUB_BASE_REF',
  'CI_MERGE_REQUEST_TARGET_BRANCH_NAME',
  'BITBUCKET_PR_DESTINATION_BRANCH',
  'SYSTEM_PULLREQUEST_TARGETBRANCH',
  'BUILDKITE_PULL_REQUEST_BASE_BRANCH',
  /** Jenkins. */
  'CHANGE_TARGET',
  /** Woodpecker. */
  'CI_COMMIT_TARGET_BRANCH',
] as const

const BASE_COMMIT = 'CI_MERGE_REQUEST_DIFF_BASE_SHA'

/** Revisions to try as the base, best first; none outside of a pull request. */
export function basesOf(environment: Environment): readonly string[] {
  const branches = TARGET_BRANCH.flatMap((name) => {
    const branch = environment[name]?.replace(/^refs\/heads\//, '')
    return branch === undefined || branch === ''
      ? []
      : [`refs/remotes/origin/${branch}`, `refs/heads/${branch}`]
  })
  const commit = environment[BASE_COMMIT]
  return [...branches, ...(commit === undefined || commit === '' ? [] : [commit])]
}

/** Who started the run: most often the author. */
export function authorOf(environment: Environment): string | undefined {
  return environment.GITHUB_ACTOR || environment.GITLAB_USER_LOGIN || undefined
}
