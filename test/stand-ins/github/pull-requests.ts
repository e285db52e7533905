/** Pull requests and their files. */
import { git } from '../../../src/git/child-process.ts'
import type { PullRequest } from '../../../src/ports/forge.ts'
import {
  FORK_ID,
  given,
  type Handlers,
  OWNER,
  PULLS,
  page,
  REPO,
  REPOSITORY_ID,
  SELF,
  type State,
} from './world.ts'

export function pullRequests(state: State): Handlers {
  const { memory } = state
  const bodyOf = (found: PullRequest): unknown => pullRequestBody(state, found)
  return {
    'GET /repos/{owner}/{repo}/pulls': async ({ query }) => {
      const base = query.get('base') ?? 'main'
      const ended = query.get('state') === 'closed'
      const head = query.get('head')
      const all = ended ? await memory.endedPullRequests(base, 0) : await memory.openPullRequests(base)
      const those = all.filter((one) => head === null || (!one.isFork && head === `${OWNER}:${one.branch}`))
      return page(state, query, PULLS, those.map(bodyOf))
    },
    'POST /repos/{owner}/{repo}/pulls': async ({ body }) => {
      const { title, head: branch, base, body: text } = body
      const request = { title: String(title), branch: String(branch), base: String(base), body: String(text) }
      const open = await memory.openPullRequests(request.base)
      const isKnown = (await memory.sight.tip(`refs/heads/${request.branch}`)) !== undefined
      if (!isKnown || open.some((one) => one.branch === request.branch))
        return { status: 422, body: { message: 'Validation Failed', errors: [{ message: 'invalid' }] } }
      return { status: 201, body: bodyOf(await memory.open(request)) }
    },
    'GET /repos/{owner}/{repo}/pulls/{pull_number}': async ({ path }) => {
      const found = await memory.pullRequest(Number(path.pull_number))
      return found === undefined
        ? { status: 404, body: { message: 'Not Found' } }
        : { status: 200, body: bodyOf(found) }
    },
    'PATCH /repos/{owner}/{repo}/pulls/{pull_number}': async ({ path, body }) => {
      const number = Number(path.pull_number)
      if (body.state === 'closed') await memory.close(number)
      return { status: 200, body: bodyOf(await given(memory, number)) }
    },
    'PUT /repos/{owner}/{repo}/pulls/{pull_number}/merge': async ({ path, body }) => {
      const number = Number(path.pull_number)
      const found = await given(memory, number)
      if (found.state !== 'open') return { status: 405, body: { message: 'Pull Request is not mergeable' } }
      if (found.head !== body.sha) return { status: 409, body: { message: 'Head branch was modified.' } }
      await memory.merge(number, found.head)
      const { mergedAs } = await given(memory, number)
      return {
        status: 200,
        body: { merged: true, sha: mergedAs, message: 'Pull Request successfully merged' },
      }
    },
    'GET /repos/{owner}/{repo}/pulls/{pull_number}/files': async ({ path, query }) => {
      const number = Number(path.pull_number)
      return page(state, query, `${PULLS}/${number}/files`, await filesOf(state, number))
    },
  }
}

function nameOf({ self }: State, login: string): string {
  return login === SELF ? self : login
}

function pullRequestBody(state: State, found: PullRequest): unknown {
  const repo = { id: REPOSITORY_ID, name: REPO, full_name: `${OWNER}/${REPO}` }
  const isMerged = found.state === 'merged'
  return {
    number: found.number,
    title: found.title,
    html_url: found.url,
    user: { login: nameOf(state, found.author.login) },
    state: found.state === 'open' ? 'open' : 'closed',
    draft: found.isDraft,
    merged_at: isMerged ? new Date(found.updatedAt).toISOString() : null,
    // While it is open: a trial merge, which is on no branch.
    merge_commit_sha: isMerged ? found.mergedAs : 'f'.repeat(40),
    updated_at: new Date(found.updatedAt).toISOString(),
    // The author may have deleted the fork.
    head: { ref: found.branch, sha: found.head, repo: found.isFork ? { ...repo, id: FORK_ID } : repo },
    base: { ref: found.base, sha: '0'.repeat(40), repo },
  }
}

/** Of the pull request against where it branched off. */
export async function filesOf({ memory, directory }: State, number: number): Promise<readonly unknown[]> {
  const { head, base } = await given(memory, number)
  const range = `refs/heads/${base}...${head}`
  const run = async (args: readonly string[]): Promise<string> =>
    (await git(args, { directory })).toString('utf8')
  const names = (await run(['diff', '--name-only', '-z', range])).split('\0').filter((name) => name !== '')
  return await Promise.all(
    names.map(async (filename) => {
      const diff = await run(['diff', range, '--', filename])
      return { filename, status: 'modified', patch: diff.slice(diff.indexOf('@@')) }
    }),
  )
}
