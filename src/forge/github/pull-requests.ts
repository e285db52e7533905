/** Pull requests as GitHub has them. */
import { FleetError } from '../../fleet/errors.ts'
import type { RefName } from '../../fleet/ids.ts'
import type { MergeHow, NewPullRequest, PullRequest } from '../../ports/forge.ts'
import { type Fields, fieldsOf, listOf } from '../answers.ts'
import { cutTo } from '../text.ts'
import { statusOf } from './client.ts'
import type { GitHubRepository } from './repository.ts'

const PAGE = 100
const LONGEST_BODY = 65_536
const READ = 'Pull requests: read'
const WRITE = 'Pull requests: write'

export async function openPullRequests(
  { client, owner, repo }: GitHubRepository,
  base: string,
): Promise<readonly PullRequest[]> {
  const found: PullRequest[] = []
  const pages = client.pages({ what: 'for the open pull requests', right: READ }, (octokit) =>
    octokit.paginate.iterator(octokit.rest.pulls.list, { owner, repo, base, state: 'open', per_page: PAGE }),
  )
  for await (const page of pages) found.push(...listOf(page, 'pull requests').map(pullRequestOf))
  return found
}

export async function endedPullRequests(
  { client, owner, repo }: GitHubRepository,
  base: string,
  since: number,
): Promise<readonly PullRequest[]> {
  const found: PullRequest[] = []
  const pages = client.pages({ what: 'for the ended pull requests', right: READ }, (octokit) =>
    octokit.paginate.iterator(octokit.rest.pulls.list, {
      ...{ owner, repo, base, state: 'closed', per_page: PAGE },
      ...{ sort: 'updated', direction: 'desc' },
    }),
  )
  for await (const page of pages) {
    const all = listOf(page, 'pull requests').map(pullRequestOf)
    const recent = all.filter(({ updatedAt }) => updatedAt >= since)
    found.push(...recent)
    if (recent.length < all.length) break
  }
  return found
}

export async function pullRequest(
  { client, owner, repo }: GitHubRepository,
  number: number,
): Promise<PullRequest | undefined> {
  try {
    const asked = { what: `for pull request ${number}`, right: READ }
    const data = await client.call(asked, ({ rest }) => rest.pulls.get({ owner, repo, pull_number: number }))
    return pullRequestOf(fieldsOf(data, `pull request ${number}`))
  } catch (error) {
    if (statusOf(error) === 404) return undefined
    throw error
  }
}

export async function openPullRequest(
  repository: GitHubRepository,
  request: NewPullRequest,
): Promise<PullRequest> {
  const before = await findOpen(repository, request)
  if (before !== undefined) return before
  const { client, owner, repo } = repository
  const { branch: head, base, title, body } = request
  try {
    const asked = { what: `to open a pull request for ${head}`, right: WRITE }
    const data = await client.call(asked, ({ rest }) =>
      rest.pulls.create({ owner, repo, head, base, title, body: cutTo(body, LONGEST_BODY) }),
    )
    return pullRequestOf(fieldsOf(data, 'new pull request'))
  } catch (error) {
    // Somebody else may have opened it meanwhile.
    const other = statusOf(error) === 422 ? await findOpen(repository, request) : undefined
    if (other === undefined) throw error
    return other
  }
}

async function findOpen(
  { client, owner, repo }: GitHubRepository,
  { branch, base }: NewPullRequest,
): Promise<PullRequest | undefined> {
  const data = await client.call({ what: `for the pull request of ${branch}`, right: READ }, ({ rest }) =>
    rest.pulls.list({ owner, repo, base, head: `${owner}:${branch}`, state: 'open', per_page: PAGE }),
  )
  return listOf(data, 'pull requests')
    .map(pullRequestOf)
    .find((found) => found.branch === branch && !found.isFork)
}

export async function closePullRequest(repository: GitHubRepository, number: number): Promise<void> {
  const found = await pullRequest(repository, number)
  if (found !== undefined && found.state !== 'open') return
  const { client, owner, repo } = repository
  await client.call({ what: `to close pull request ${number}`, right: WRITE }, ({ rest }) =>
    rest.pulls.update({ owner, repo, pull_number: number, state: 'closed' }),
  )
}

/** Not mergeable (checks, reviews, conflicts), or the head has moved. */
const NOT_NOW = new Set([405, 409])

export async function mergePullRequest(
  repository: GitHubRepository,
  number: number,
  head: string,
  how: MergeHow = 'as-usual',
): Promise<boolean> {
  const { client, owner, repo } = repository
  const method = how === 'keep-commits' ? 'merge' : await mergeMethod(repository)
  try {
    const asked = { what: `to merge pull request ${number}`, right: 'Contents: write' }
    const data = await client.call(asked, ({ rest }) =>
      rest.pulls.merge({ owner, repo, pull_number: number, sha: head, merge_method: method }),
    )
    return fieldsOf(data, 'merge').boolean('merged')
  } catch (error) {
    if (!NOT_NOW.has(statusOf(error) ?? 0)) throw error
    // A way of merging that the settings of the repository rule out does not come with time.
    if (error instanceof FleetError && /not allowed on this repository/i.test(error.message)) throw error
    // A crash between the merge and its answer: it is merged already.
    const found = await pullRequest(repository, number)
    return found?.state === 'merged' && found.head === head
  }
}

/** The first one that the repository allows. GitHub tells it only to those who may push. */
async function mergeMethod({
  client,
  owner,
  repo,
}: GitHubRepository): Promise<'merge' | 'squash' | 'rebase'> {
  const data = await client.call({ what: 'how it merges', right: 'Metadata: read' }, ({ rest }) =>
    rest.repos.get({ owner, repo }),
  )
  const { optional } = fieldsOf(data, 'repository')
  if (optional.boolean('allow_merge_commit') !== false) return 'merge'
  return optional.boolean('allow_squash_merge') === false ? 'rebase' : 'squash'
}

export async function deleteBranch({ client, owner, repo }: GitHubRepository, branch: string): Promise<void> {
  try {
    await client.call({ what: `to delete the branch ${branch}`, right: 'Contents: write' }, ({ rest }) =>
      rest.git.deleteRef({ owner, repo, ref: `heads/${branch}` }),
    )
  } catch (error) {
    const isGone = error instanceof FleetError && /does not exist/i.test(error.message)
    if (statusOf(error) !== 404 && !(statusOf(error) === 422 && isGone)) throw error
  }
}

function pullRequestOf(answer: Fields): PullRequest {
  const number = answer.number('number')
  const head = answer.fields('head')
  const base = answer.fields('base')
  // The fork may be gone.
  const origin = head.optional.fields('repo')?.number('id')
  const author = answer.optional.fields('user')?.text('login') ?? 'ghost'
  const isMerged = answer.optional.text('merged_at') !== undefined
  const mergedAs = isMerged ? answer.optional.objectId('merge_commit_sha') : undefined
  const open = answer.text('state') === 'open'
  return {
    number,
    url: answer.text('html_url'),
    title: answer.text('title'),
    author: { login: author, name: answer.optional.fields('user')?.optional.text('name') ?? author },
    state: isMerged ? 'merged' : open ? 'open' : 'closed',
    isDraft: answer.optional.boolean('draft') ?? false,
    branch: head.text('ref'),
    isFork: origin !== base.fields('repo').number('id'),
    head: head.objectId('sha'),
    headRef: `refs/pull/${number}/head` as RefName,
    base: base.text('ref'),
    ...(mergedAs === undefined ? {} : { mergedAs }),
    updatedAt: answer.time('updated_at'),
  }
}
