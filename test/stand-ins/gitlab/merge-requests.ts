/** Merge requests and their diffs. */
import { git } from '../../../src/git/child-process.ts'
import type { PullRequest } from '../../../src/ports/forge.ts'
import type { Answer, Call } from '../described-api.ts'
import {
  FORK_ID,
  given,
  type Handlers,
  MERGE_REQUESTS,
  NOT_FOUND,
  PROJECT_ID,
  page,
  type State,
  userOf,
} from './world.ts'

const STATES = { open: 'opened', merged: 'merged', closed: 'closed' } as const

async function mergeRequestBody(state: State, found: PullRequest): Promise<unknown> {
  return {
    iid: found.number,
    ...{ title: found.title, description: '', web_url: found.url, author: userOf(found.author.login) },
    ...{ state: STATES[found.state], draft: found.isDraft, sha: found.head },
    ...{ source_branch: found.branch, target_branch: found.base },
    source_project_id: found.isFork ? FORK_ID : PROJECT_ID,
    target_project_id: PROJECT_ID,
    merge_commit_sha: found.mergedAs ?? null,
    squash_commit_sha: null,
    updated_at: new Date(found.updatedAt).toISOString(),
    diff_refs: await diffRefs(state, found),
  }
}

async function diffRefs({ directory, memory }: State, { head, base }: PullRequest): Promise<unknown> {
  const start = await memory.sight.tip(`refs/heads/${base}`)
  const common = (await git(['merge-base', String(start), head], { directory })).toString('utf8').trim()
  return { base_sha: common, start_sha: start, head_sha: head }
}

const ONE = `${MERGE_REQUESTS}/{merge_request_iid}`

export function mergeRequests(state: State): Handlers {
  const { memory } = state
  const bodyOf = (found: PullRequest): Promise<unknown> => mergeRequestBody(state, found)
  const again = async (call: Call, status: number): Promise<Answer> => {
    const found = await given(state, call)
    return found === undefined ? NOT_FOUND : { status, body: await bodyOf(found) }
  }
  return {
    [`GET ${MERGE_REQUESTS}`]: async (call) =>
      page(state, call, await Promise.all((await listed(state, call)).map(bodyOf))),
    [`POST ${MERGE_REQUESTS}`]: async ({ body }) => {
      const request = {
        ...{ title: String(body.title), body: String(body.description) },
        ...{ branch: String(body.source_branch), base: String(body.target_branch) },
      }
      if ((await memory.sight.tip(`refs/heads/${request.branch}`)) === undefined)
        return {
          status: 400,
          body: { message: { base: [`Source branch "${request.branch}" does not exist`] } },
        }
      const open = await memory.openPullRequests(request.base)
      if (open.some((one) => one.branch === request.branch))
        return {
          status: 409,
          body: { message: ['Another open merge request already exists for this source branch'] },
        }
      return { status: 201, body: await bodyOf(await memory.open(request)) }
    },
    [`GET ${ONE}`]: (call) => again(call, 200),
    [`PUT ${ONE}`]: async (call) => {
      if (call.body.state_event === 'close') await memory.close(Number(call.path.merge_request_iid))
      return await again(call, 200)
    },
    [`PUT ${ONE}/merge`]: async (call) => {
      const found = await given(state, call)
      if (found === undefined) return NOT_FOUND
      if (found.state !== 'open' || found.isDraft)
        return { status: 405, body: { message: '405 Method Not Allowed' } }
      if (found.head !== call.body.sha)
        return { status: 409, body: { message: 'SHA does not match HEAD of source branch' } }
      await memory.merge(found.number, found.head)
      return await again(call, 200)
    },
    [`GET ${ONE}/diffs`]: async (call) => {
      const found = await given(state, call)
      return found === undefined ? NOT_FOUND : page(state, call, await diffsOf(state, found))
    },
  }
}

async function listed({ memory }: State, { query }: Call): Promise<readonly PullRequest[]> {
  const base = query.get('target_branch') ?? 'main'
  const wanted = query.get('state')
  const since = Date.parse(query.get('updated_after') ?? '1970-01-01T00:00:00Z')
  const all = [...(await memory.openPullRequests(base)), ...(await memory.endedPullRequests(base, 0))]
  return all.filter(
    ({ state, branch, updatedAt }) =>
      STATES[state] === wanted && branch === (query.get('source_branch') ?? branch) && updatedAt >= since,
  )
}

interface Diff {
  readonly old_path: string
  readonly new_path: string
  readonly diff: string
}

export async function diffsOf({ directory }: State, { base, head }: PullRequest): Promise<readonly Diff[]> {
  const range = `refs/heads/${base}...${head}`
  const run = async (args: readonly string[]): Promise<string> =>
    (await git(args, { directory })).toString('utf8')
  const names = (await run(['diff', '--name-only', '-z', range])).split('\0').filter((name) => name !== '')
  return await Promise.all(
    names.map(async (name) => {
      const text = await run(['diff', range, '--', name])
      return { old_path: name, new_path: name, diff: text.slice(text.indexOf('@@')) }
    }),
  )
}
