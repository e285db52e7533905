/** GitHub: github.com, GitHub Enterprise Cloud and Server. Signed in as a GitHub App, or as a user by token. */
import type { Clock } from '../../ports/clock.ts'
import type { Forge } from '../../ports/forge.ts'
import { fieldsOf } from '../answers.ts'
import type { ForgeFetchLimits } from '../fetch.ts'
import { knownByToken, type TokenSource } from '../token.ts'
import { accessOf } from './access.ts'
import { apiOf } from './addresses.ts'
import type { GitHubApp } from './app.ts'
import { createGitHubClient, type GitHubClient } from './client.ts'
import { writeComment } from './comments.ts'
import { membersOf, permissionOf } from './people.ts'
import {
  closePullRequest,
  deleteBranch,
  endedPullRequests,
  mergePullRequest,
  openPullRequest,
  openPullRequests,
  pullRequest,
} from './pull-requests.ts'
import { reportCheck } from './reports.ts'
import { type GitHubRepository, parseFullName } from './repository.ts'

export interface GitHubSettings {
  /** For people: `https://github.com`, `https://github.example.com`. */
  readonly server: string
  /** Base URL of the API when it is elsewhere than usual. */
  readonly api?: string
  /** `owner/name` */
  readonly repository: string
  /** An App may be used for git too: its owner stops it. */
  readonly login: { readonly app: GitHubApp } | { readonly token: TokenSource }
  readonly clock: Clock
  readonly limits?: ForgeFetchLimits
}

/** @throws FleetError `invalid-configuration` */
export function createGitHubForge(settings: GitHubSettings): Forge {
  const { server, login, clock, limits, api = apiOf(server) } = settings
  const { owner, repo } = parseFullName(settings.repository)
  const app = 'app' in login ? login.app : undefined
  const token = 'app' in login ? login.app.token : login.token
  const client = createGitHubClient({ api, token, clock, ...(limits === undefined ? {} : { limits }) })
  const repository: GitHubRepository = {
    ...{ client, owner, repo },
    login: knownByToken(token, () => (app === undefined ? userLogin(client) : app.login())),
  }
  return {
    kind: 'github',
    url: `${new URL(server).origin}/${owner}/${repo}`,
    access: () => accessOf(repository, app),
    openPullRequests: (base) => openPullRequests(repository, base),
    endedPullRequests: (base, since) => endedPullRequests(repository, base, since),
    pullRequest: (number) => pullRequest(repository, number),
    report: (check) => reportCheck(repository, app, check),
    comment: (number, key, markdown) => writeComment(repository, number, key, markdown),
    open: (request) => openPullRequest(repository, request),
    close: (number) => closePullRequest(repository, number),
    merge: (number, head, how) => mergePullRequest(repository, number, head, how),
    deleteBranch: (branch) => deleteBranch(repository, branch),
    permission: (login) => permissionOf(repository, login),
    teamMembers: (team) => membersOf(repository, team),
    async stop() {
      client.stop()
    },
  }
}

async function userLogin(client: GitHubClient): Promise<string> {
  const asked = { what: 'who Fleetwright is', right: 'of a user' }
  return fieldsOf(await client.call(asked, ({ rest }) => rest.users.getAuthenticated()), 'user').text('login')
}
