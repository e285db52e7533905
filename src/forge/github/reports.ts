/** A check on GitHub: a check run when Fleetwright is an App, a commit status and a review when it is a user. */
import type { CheckReport } from '../../ports/forge.ts'
import type { GitHubApp } from './app.ts'
import { reportCheckRun } from './check-runs.ts'
import type { GitHubRepository } from './repository.ts'
import { reportReview } from './reviews.ts'

export async function reportCheck(
  repository: GitHubRepository,
  app: GitHubApp | undefined,
  check: CheckReport,
): Promise<void> {
  if (app === undefined) await reportReview(repository, check)
  else await reportCheckRun(repository, app.appId, check)
}
