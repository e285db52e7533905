/** Merge requests, which are GitLab's pull requests. */
import { FleetError } from '../../fleet/errors.ts'
import type { RefName } from '../../fleet/ids.ts'
import type { MergeHow, NewPullRequest, PullRequest } from '../../ports/forge.ts'
import { type Fields, fieldsOf, listOf } from '../answers.ts'
import { cutTo } from '../text.ts'
import { EVERY_PAGE, statusOf } from './client.ts'
import type { GitLabProject } from './repository.ts'

const LONGEST_DESCRIPTION = 1_000_000
const READ = 'scope api, role Reporter'
const WRITE = 'scope api, role Developer'

export async function openPullRequests(
  { client, path }: GitLabProject,
  base: string,
): Promise<readonly PullRequest[]> {
  const data = await client.call({ what: 'for the open merge requests', right: READ }, ({ MergeRequests }) =>
    MergeRequests.all({ projectId: path, state: 'opened', targetBranch: base, ...EVERY_PAGE }),
  )
  return pullRequestsOf(data)
}

export async function endedPullRequests(
  { client, path }: GitLabProject,
  base: string,
  since: number,
): Promise<readonly PullRequest[]> {
  const ended: PullRequest[] = []
  for (const state of ['merged', 'closed'] as const) {
    const data = await client.call(
      { what: `for the ${state} merge requests`, right: READ },
      ({ MergeRequests }) =>
        MergeRequests.all({
          ...{ projectId: path, state, targetBranch: base, updatedAfter: new Date(since).toISOString() },
          ...{ orderBy: 'updated_at', sort: 'desc', ...EVERY_PAGE },
        }),
    )
    ended.push(...pullRequestsOf(data))
  }
  return ended
    .filter(({ updatedAt }) => updatedAt >= since)
    .sort((one, other) => other.updatedAt - one.updatedAt)
}

export async function pullRequest(project: GitLabProject, number: number): Promise<PullRequest | undefined> {
  const answer = await mergeRequest(project, number)
  return answer === undefined ? undefined : pullRequestOf(answer)
}

/** As GitLab answers it. */
export async function mergeRequest(
  { client, path }: GitLabProject,
  number: number,
): Promise<Fields | undefined> {
  try {
    const data = await client.call(
      { what: `for merge request ${number}`, right: READ },
      ({ MergeRequests }) => MergeRequests.show(path, number),
    )
    return fieldsOf(data, `merge request ${number}`)
  } catch (error) {
    if (statusOf(error) === 404) return undefined
    throw error
  }
}

export async function openPullRequest(project: GitLabProject, request: NewPullRequest): Promise<PullRequest> {
  const before = await findOpen(project, request)
  if (before !== undefined) return before
  const { client, path } = project
  const { branch, base, title, body } = request
  try {
    const asked = { what: `to open a merge request for ${branch}`, right: WRITE }
    const data = await client.call(asked, ({ MergeRequests }) =>
      MergeRequests.create(path, branch, base, title, { description: cutTo(body, LONGEST_DESCRIPTION) }),
    )
    return pullRequestOf(fieldsOf(data, 'new merge request'))
  } catch (error) {
    // Somebody else may have opened it meanwhile.
    const other = statusOf(error) === 409 ? await findOpen(project, request) : undefined
    if (other === undefined) throw error
    return other
  }
}

async function findOpen(
  { client, path }: GitLabProject,
  { branch, base }: NewPullRequest,
): Promise<PullRequest | undefined> {
  const asked = { what: `for the merge request of ${branch}`, right: READ }
  const data = await client.call(asked, ({ MergeRequests }) =>
    MergeRequests.all({
      ...{ projectId: path, state: 'opened', sourceBranch: branch, targetBranch: base, ...EVERY_PAGE },
    }),
  )
  return pullRequestsOf(data).find((found) => found.branch === branch && !found.isFork)
}

export async function closePullRequest(project: GitLabProject, number: number): Promise<void> {
  const found = await pullRequest(project, number)
  if (found !== undefined && found.state !== 'open') return
  const { client, path } = project
  await client.call({ what: `to close merge request ${number}`, right: WRITE }, ({ MergeRequests }) =>
    MergeRequests.edit(path, number, { stateEvent: 'close' }),
  )
}

/** Not mergeable (pipelines, approvals, conflicts, a draft), or the head has moved. */
const NOT_NOW = new Set([405, 406, 409, 422])

export async function mergePullRequest(
  project: GitLabProject,
  number: number,
  head: string,
  how: MergeHow = 'as-usual',
): Promise<boolean> {
  const { client, path } = project
  // Whether it is a fast-forward is a setting of the project.
  const squash = how === 'keep-commits' ? { squash: false } : {}
  try {
    const asked = { what: `to merge merge request ${number}`, right: 'to merge into main' }
    const data = await client.call(asked, ({ MergeRequests }) =>
      MergeRequests.merge(path, number, { sha: head, ...squash }),
    )
    return fieldsOf(data, 'merge').text('state') === 'merged'
  } catch (error) {
    const status = statusOf(error) ?? 0
    // So GitLab answers a valid token whose user may not merge.
    if (status === 401 && (await project.self()) !== undefined)
      throw new FleetError(
        'forge-denied',
        `GitLab does not let Fleetwright merge merge request ${number}: it must be allowed to merge into its branch.`,
        { status },
      )
    if (!NOT_NOW.has(status)) throw error
    // A crash between the merge and its answer: it is merged already.
    const found = await pullRequest(project, number)
    return found?.state === 'merged' && found.head === head
  }
}

export async function deleteBranch({ client, path }: GitLabProject, branch: string): Promise<void> {
  try {
    await client.call({ what: `to delete the branch ${branch}`, right: WRITE }, ({ Branches }) =>
      Branches.remove(path, branch),
    )
  } catch (error) {
    if (statusOf(error) !== 404) throw error
  }
}

/** One without commits has no head, so there is nothing to check. */
function pullRequestsOf(data: unknown): readonly PullRequest[] {
  return listOf(data, 'merge requests')
    .filter(({ optional }) => optional.text('sha') !== undefined)
    .map(pullRequestOf)
}

function pullRequestOf(answer: Fields): PullRequest {
  const number = answer.number('iid')
  const author = answer.fields('author')
  const state = stateOf(answer.text('state'))
  const head = answer.objectId('sha')
  const { optional } = answer
  // Fast-forward: main is at the head itself, or at the commit that it was squashed to.
  const mergedAs = optional.objectId('merge_commit_sha') ?? optional.objectId('squash_commit_sha') ?? head
  return {
    number,
    url: answer.text('web_url'),
    title: answer.text('title'),
    author: { login: author.text('username'), name: author.text('name') },
    state,
    isDraft: optional.boolean('draft') ?? false,
    branch: answer.text('source_branch'),
    isFork: answer.optional.number('source_project_id') !== answer.number('target_project_id'),
    head,
    headRef: `refs/merge-requests/${number}/head` as RefName,
    base: answer.text('target_branch'),
    ...(state === 'merged' ? { mergedAs } : {}),
    updatedAt: answer.time('updated_at'),
  }
}

/** `locked`: it is being merged. */
function stateOf(state: string): PullRequest['state'] {
  if (state === 'merged' || state === 'closed') return state
  return 'open'
}
