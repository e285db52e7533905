/** GitLab: gitlab.com and self-managed. Signed in with a token of a user, a project or a group. */
import type { Clock } from '../../ports/clock.ts'
import type { Forge } from '../../ports/forge.ts'
import { fieldsOf } from '../answers.ts'
import type { ForgeFetchLimits } from '../fetch.ts'
import { knownByToken, type TokenSource } from '../token.ts'
import { accessOf } from './access.ts'
import { createGitLabClient, type GitLabClient } from './client.ts'
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
import { type GitLabProject, type GitLabUser, parseProjectPath } from './repository.ts'

export interface GitLabSettings {
  /** For people: `https://gitlab.com`, `https://example.com/gitlab`; the API is below it. */
  readonly server: string
  /** With all its groups: `acme/platform/fleet` */
  readonly repository: string
  readonly token: TokenSource
  readonly clock: Clock
  readonly limits?: ForgeFetchLimits
}

/** @throws FleetError `invalid-configuration` */
export function createGitLabForge(settings: GitLabSettings): Forge {
  const { server, token, clock, limits } = settings
  const path = parseProjectPath(settings.repository)
  const client = createGitLabClient({ server, token, clock, ...(limits === undefined ? {} : { limits }) })
  const project: GitLabProject = { client, path, self: knownByToken(token, () => userOf(client)) }
  return {
    kind: 'gitlab',
    url: `${server.replace(/\/+$/, '')}/${path}`,
    access: () => accessOf(project),
    openPullRequests: (base) => openPullRequests(project, base),
    endedPullRequests: (base, since) => endedPullRequests(project, base, since),
    pullRequest: (number) => pullRequest(project, number),
    report: (check) => reportCheck(project, check),
    comment: (number, key, markdown) => writeComment(project, number, key, markdown),
    open: (request) => openPullRequest(project, request),
    close: (number) => closePullRequest(project, number),
    merge: (number, head, how) => mergePullRequest(project, number, head, how),
    deleteBranch: (branch) => deleteBranch(project, branch),
    permission: (login) => permissionOf(project, login),
    teamMembers: (team) => membersOf(project, team),
    async stop() {
      client.stop()
    },
  }
}

async function userOf(client: GitLabClient): Promise<GitLabUser> {
  const asked = { what: 'who Fleetwright is', right: 'scope api' }
  const user = fieldsOf(await client.call(asked, ({ Users }) => Users.showCurrentUser()), 'user')
  return { id: user.number('id'), login: user.text('username') }
}
