/** Gitea and Forgejo. */
import type { Forge } from '../../ports/forge.ts'
import { accessOf } from './access.ts'
import { createGiteaClient, type GiteaClientSettings } from './client.ts'
import { writeComment } from './comments.ts'
import { membersOf, permissionOf } from './people.ts'
import {
  closePullRequest,
  deleteBranch,
  endedPullRequests,
  mergePullRequest,
  openPullRequest,
  openPullRequests,
  readPullRequest,
} from './pull-requests.ts'
import { reportCheck } from './reports.ts'
import { createGiteaRepository } from './repository.ts'

export interface GiteaSettings extends GiteaClientSettings {
  /** `owner/name` */
  readonly repository: string
}

/** @throws FleetError `invalid-configuration` */
export function createGiteaForge(settings: GiteaSettings): Forge {
  const client = createGiteaClient(settings)
  const repository = createGiteaRepository(client, settings.repository)
  return {
    kind: 'gitea',
    url: `${settings.server.replace(/\/+$/, '')}/${settings.repository}`,
    access: () => accessOf(repository),
    openPullRequests: (base) => openPullRequests(repository, base),
    endedPullRequests: (base, since) => endedPullRequests(repository, base, since),
    pullRequest: (number) => readPullRequest(repository, number),
    report: (check) => reportCheck(repository, check),
    comment: (number, key, markdown) => writeComment(repository, number, key, markdown),
    open: (request) => openPullRequest(repository, request),
    close: (number) => closePullRequest(repository, number),
    merge: (number, head, how) => mergePullRequest(repository, number, head, how),
    deleteBranch: (branch) => deleteBranch(repository, branch),
    permission: (login) => permissionOf(repository, login),
    teamMembers: (team) => membersOf(repository, team),
    stop: async () => client.stop(),
  }
}
