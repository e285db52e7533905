/** Pull requests as Gitea has them. */
import { FleetError } from '../../fleet/errors.ts'
import type { ObjectId, RefName } from '../../fleet/ids.ts'
import type { MergeHow, NewPullRequest, PullRequest } from '../../ports/forge.ts'
import { type Fields, fieldsOf, listOf } from '../answers.ts'
import type { Asked } from '../failures.ts'
import { cutTo, oneLine } from '../text.ts'
import { statusOf } from './client.ts'
import { type GiteaRepository, readRepository } from './repository.ts'

const LONGEST_BODY = 65_536
const LONGEST_TITLE = 255
/** Until a push is noticed everywhere. */
const NOTICED_MILLISECONDS = 1_000
const READ = 'read:repository'
const WRITE = 'write:repository'

/** A repository that nobody has pushed to yet has no pull requests: Gitea says 404. */
async function* pagesOf(repository: GiteaRepository, asked: Asked, query: string): AsyncIterable<unknown> {
  try {
    yield* repository.client.pages(asked, `${repository.path}/pulls?${query}`)
  } catch (error) {
    if (statusOf(error) !== 404 || !(await readRepository(repository)).boolean('empty')) throw error
  }
}

/** Oldest first, so that one that is opened meanwhile moves nothing to another page. */
export async function openPullRequests(
  repository: GiteaRepository,
  base: string,
): Promise<readonly PullRequest[]> {
  const found = new Map<number, PullRequest>()
  const query = `state=open&sort=oldest&base_branch=${encodeURIComponent(base)}`
  const asked = { what: 'for the open pull requests', right: READ }
  for await (const page of pagesOf(repository, asked, query))
    for (const one of listOf(page, 'pull requests').map(pullRequestOf)) found.set(one.number, one)
  return [...found.values()]
}

/** Times of Gitea are whole seconds: one of the second in which `since` is may be later. */
export async function endedPullRequests(
  repository: GiteaRepository,
  base: string,
  since: number,
): Promise<readonly PullRequest[]> {
  const found = new Map<number, PullRequest>()
  const earliest = Math.floor(since / 1000) * 1000
  const query = `state=closed&sort=recentupdate&base_branch=${encodeURIComponent(base)}`
  const asked = { what: 'for the ended pull requests', right: READ }
  for await (const page of pagesOf(repository, asked, query)) {
    const all = listOf(page, 'pull requests').map(pullRequestOf)
    const recent = all.filter(({ updatedAt }) => updatedAt >= earliest)
    for (const one of recent) found.set(one.number, one)
    if (recent.length < all.length) break
  }
  return [...found.values()]
}

export async function readPullRequest(
  repository: GiteaRepository,
  number: number,
): Promise<PullRequest | undefined> {
  const { client, path } = repository
  try {
    const asked = { what: `for pull request ${number}`, right: READ }
    const data = await client.call(asked, 'GET', `${path}/pulls/${number}`)
    return pullRequestOf(fieldsOf(data, `pull request ${number}`))
  } catch (error) {
    if (statusOf(error) !== 404) throw error
    // The repository may be gone altogether.
    await readRepository(repository)
    return undefined
  }
}

/** @throws FleetError `forge-refused` when the branch is not there */
export async function openPullRequest(
  repository: GiteaRepository,
  request: NewPullRequest,
): Promise<PullRequest> {
  const { client, path } = repository
  const { branch: head, base, title, body } = request
  try {
    const asked = { what: `to open a pull request for ${head}`, right: WRITE }
    const content = { head, base, title: oneLine(title, LONGEST_TITLE), body: cutTo(body, LONGEST_BODY) }
    return pullRequestOf(
      fieldsOf(await client.call(asked, 'POST', `${path}/pulls`, content), 'new pull request'),
    )
  } catch (error) {
    if (statusOf(error) === 404 && (await hasBranch(repository, head)))
      throw new FleetError(
        'forge-unavailable',
        `Gitea has the branch ${head}, but does not know it yet.`,
        { retryAfter: NOTICED_MILLISECONDS },
        { cause: error },
      )
    // There is one already.
    const other = statusOf(error) === 409 ? await findOpen(repository, request) : undefined
    if (other === undefined) throw error
    return other
  }
}

/** As git has it: a pushed branch is there a moment before Gitea opens pull requests for it. */
async function hasBranch({ client, path }: GiteaRepository, branch: string): Promise<boolean> {
  const asked = { what: `for the branch ${branch}`, right: READ }
  const refs = await client
    .call(asked, 'GET', `${path}/git/refs/heads/${encodedPath(branch)}`)
    .catch((error) => {
      if (statusOf(error) === 404) return []
      throw error
    })
  return listOf(refs, 'refs').some((ref) => ref.text('ref') === `refs/heads/${branch}`)
}

function encodedPath(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/')
}

async function findOpen(
  repository: GiteaRepository,
  { branch, base }: NewPullRequest,
): Promise<PullRequest | undefined> {
  const all = await openPullRequests(repository, base)
  return all.find((one) => one.branch === branch && !one.isFork)
}

export async function closePullRequest(repository: GiteaRepository, number: number): Promise<void> {
  const found = await readPullRequest(repository, number)
  if (found !== undefined && found.state !== 'open') return
  const { client, path } = repository
  const asked = { what: `to close pull request ${number}`, right: WRITE }
  await client.call(asked, 'PATCH', `${path}/pulls/${number}`, { state: 'closed' })
}

/** Not mergeable (yet): checks, reviews, conflicts; or the head has moved, or it was closed (404). */
const NOT_NOW = new Set([404, 405, 409])

async function mergeStyle(repository: GiteaRepository, how: MergeHow): Promise<string> {
  const { optional } = await readRepository(repository)
  if (how === 'as-usual') return optional.text('default_merge_style') ?? 'merge'
  return optional.boolean('allow_fast_forward_only_merge') === true ? 'fast-forward-only' : 'merge'
}

export async function mergePullRequest(
  repository: GiteaRepository,
  number: number,
  head: ObjectId,
  how: MergeHow = 'as-usual',
): Promise<boolean> {
  const { client, path } = repository
  const style = await mergeStyle(repository, how)
  try {
    const asked = { what: `to merge pull request ${number}`, right: WRITE }
    await client.call(asked, 'POST', `${path}/pulls/${number}/merge`, { Do: style, head_commit_id: head })
    return true
  } catch (error) {
    if (!NOT_NOW.has(statusOf(error) ?? 0)) throw error
    // The answer of an earlier call may have been lost: it is merged already.
    const found = await readPullRequest(repository, number)
    return found?.state === 'merged' && found.head === head
  }
}

export async function deleteBranch({ client, path }: GiteaRepository, branch: string): Promise<void> {
  try {
    const asked = { what: `to delete the branch ${branch}`, right: WRITE }
    await client.call(asked, 'DELETE', `${path}/branches/${encodedPath(branch)}`)
  } catch (error) {
    if (statusOf(error) !== 404) throw error
  }
}

function pullRequestOf(answer: Fields): PullRequest {
  const number = answer.number('number')
  const head = answer.fields('head')
  const base = answer.fields('base')
  const user = answer.optional.fields('user')
  const login = user?.text('login') ?? 'ghost'
  const name = user?.optional.text('full_name') ?? ''
  const isMerged = answer.optional.boolean('merged') ?? false
  const mergedAs = isMerged ? answer.optional.objectId('merge_commit_sha') : undefined
  // `ref` is the ref of the pull request once the branch is gone; one that was pushed to `refs/for` never had a branch.
  const branch = head.text('label') === '' ? head.text('ref') : head.text('label')
  return {
    number,
    url: answer.text('html_url'),
    title: answer.text('title'),
    author: { login, name: name === '' ? login : name },
    state: isMerged ? 'merged' : answer.text('state') === 'open' ? 'open' : 'closed',
    isDraft: answer.optional.boolean('draft') ?? false,
    branch,
    // -1: the fork is gone.
    isFork: head.number('repo_id') !== base.number('repo_id'),
    head: head.objectId('sha'),
    headRef: `refs/pull/${number}/head` as RefName,
    base: base.text('ref'),
    ...(mergedAs === undefined ? {} : { mergedAs }),
    updatedAt: answer.time('updated_at'),
  }
}
