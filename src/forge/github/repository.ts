/** A repository on GitHub and how it is asked. */
import { FleetError } from '../../fleet/errors.ts'
import type { GitHubClient } from './client.ts'

export interface GitHubRepository {
  readonly client: GitHubClient
  readonly owner: string
  readonly repo: string
  /** Who Fleetwright is there. */
  login(): Promise<string>
}

/** @param fullName `owner/name` @throws FleetError `invalid-configuration` */
export function parseFullName(fullName: string): { readonly owner: string; readonly repo: string } {
  const [owner, repo, ...rest] = fullName.split('/')
  if (rest.length === 0 && isName(owner) && isName(repo)) return { owner, repo }
  throw new FleetError(
    'invalid-configuration',
    `${fullName} is not a repository on GitHub; it is named owner/name.`,
  )
}

function isName(text: string | undefined): text is string {
  return text !== undefined && /^[A-Za-z0-9._-]{1,100}$/.test(text) && !/^\.+$/.test(text)
}
