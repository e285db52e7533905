/**
 * GitHub's API before a forge in memory, as its published description says it (test/forge/descriptions/github.json). What the
 * description does not say in schemas is played here: limits, pages, rights, lines that are not in the diff.
 */

import type { IncomingMessage, ServerResponse } from 'node:http'
import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { ObjectId } from '../../src/fleet/ids.ts'
import { git } from '../../src/git/child-process.ts'
import { createGitHttpHandler } from '../../src/git/http-server.ts'
import type { PullRequest } from '../../src/ports/forge.ts'
import type { ForgeSight, ShownAnnotation } from '../support/forge-world.ts'
import type { MemoryForge } from '../support/memory-forge.ts'
import {
  type Answer,
  type ApiDescription,
  type Call,
  type DescribedApi,
  startDescribedApi,
} from './described-api.ts'

export const DESCRIPTION = new URL('../forge/descriptions/github.json', import.meta.url)
export const OWNER = 'acme'
export const REPO = 'fleet'
export const APP_ID = 4711
export const INSTALLATION_ID = 815
const REPOSITORY_ID = 7001
const FORK_ID = 7002
/** In memory it is called so, whatever it logs in with. */
const SELF = 'fleetwright'

interface Comment {
  readonly id: number
  readonly author: string
  body: string
}

interface Review extends Comment {
  readonly comments: Comment[]
}

interface ReviewComment extends Comment {
  readonly path: string
  readonly line: number
}

interface CheckRun {
  readonly id: number
  readonly name: string
  readonly commit: string
  externalId: string
  status: string
  conclusion: string | null
  title: string
  summary: string
  readonly annotations: Record<string, unknown>[]
}

interface Status {
  readonly state: string
  readonly description: string
  readonly context: string
  readonly target_url: string | null
}

export interface GitHubStandIn extends DescribedApi {
  /** Base URL of the API. */
  readonly api: string
  readonly sight: ForgeSight
  readonly comments: Map<number, Comment[]>
  readonly checkRuns: readonly CheckRun[]
  /** Of users; more may be added, revoked ones taken out. */
  readonly tokens: Set<string>
  /** Given to the App until now. */
  readonly minted: string[]
  /** Takes tokens of the App back. */
  revoke(token: string): void
  protect(how: 'not' | 'for-all' | 'with-bypass'): void
  /** The next calls of the operation are answered so. */
  fail(operation: string, answer: Answer, times?: number): void
}

export interface GitHubStandInOptions {
  readonly memory: MemoryForge
  /** Bare; what `memory` works on. */
  readonly directory: string
  /** Of the App; without it Fleetwright is a user. */
  readonly appKey?: KeyObject
  readonly teams?: Readonly<Record<string, readonly string[]>>
  /** Items of one page at most. */
  readonly pageSize?: number
  readonly now?: () => number
}

interface State extends GitHubStandInOptions {
  readonly self: string
  readonly comments: Map<number, Comment[]>
  readonly reviews: Map<number, Review[]>
  readonly reviewComments: Map<number, ReviewComment[]>
  readonly checkRuns: CheckRun[]
  /** Newest last, of each commit. */
  readonly statuses: Map<string, Status[]>
  readonly tokens: Set<string>
  readonly minted: string[]
  protection: 'not' | 'for-all' | 'with-bypass'
  nextId: number
  url(): string
  time(): number
}

export async function startGitHubStandIn(options: GitHubStandInOptions): Promise<GitHubStandIn> {
  const description: ApiDescription = JSON.parse(await readFile(DESCRIPTION, 'utf8'))
  const faults: { readonly operation: string; readonly answer: Answer; left: number }[] = []
  let url = ''
  const state: State = {
    ...options,
    self: options.appKey === undefined ? SELF : `${SELF}[bot]`,
    ...{ comments: new Map(), reviews: new Map(), reviewComments: new Map(), checkRuns: [] },
    ...{ statuses: new Map(), tokens: new Set<string>(), minted: [], protection: 'not', nextId: 100 },
    url: () => url,
    time: options.now ?? Date.now,
  }
  const api = await startDescribedApi({
    description,
    prefix: '/api/v3',
    handlers: {
      ...signingIn(state),
      ...repository(state),
      ...pullRequests(state),
      ...talk(state),
      ...checks(state),
    },
    others: gitOverHttp(state),
    first(call) {
      const denied = authorize(state, call)
      if (denied !== undefined) return denied
      const fault = faults.find(({ operation, left }) => operation === call.operation && left > 0)
      if (fault === undefined) return undefined
      fault.left -= 1
      return fault.answer
    },
  })
  url = `${api.url}/api/v3`
  return {
    ...api,
    api: url,
    sight: createSight(state),
    comments: state.comments,
    checkRuns: state.checkRuns,
    tokens: state.tokens,
    minted: state.minted,
    revoke: (token) => void state.tokens.delete(token),
    protect(how) {
      state.protection = how
    },
    fail: (operation, answer, times = 1) => void faults.push({ operation, answer, left: times }),
  }
}

/** Clones and pushes with the same tokens. */
function gitOverHttp({
  directory,
  tokens,
}: State): (request: IncomingMessage, response: ServerResponse) => void {
  const handler = createGitHttpHandler(directory)
  return (request, response) => {
    const basic = (request.headers.authorization ?? '').replace(/^Basic /, '')
    const [user, token = ''] = Buffer.from(basic, 'base64').toString().split(':')
    if (user !== 'x-access-token' || !tokens.has(token))
      response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="GitHub"' }).end()
    else void handler(request, response, (request.url ?? '').replace(`/${OWNER}/${REPO}.git`, ''))
  }
}

const BAD_CREDENTIALS: Answer = { status: 401, body: { message: 'Bad credentials' } }

function authorize(state: State, { operation, headers }: Call): Answer | undefined {
  const [scheme, token = ''] = (headers.authorization ?? '').split(' ')
  if (scheme?.toLowerCase() !== 'bearer') return BAD_CREDENTIALS
  if (!/ \/app(\/|$)/.test(operation)) return state.tokens.has(token) ? undefined : BAD_CREDENTIALS
  return isSignedByApp(state, token)
    ? undefined
    : { status: 401, body: { message: 'A JSON web token could not be decoded' } }
}

/** RS256, of this App, not older than the ten minutes that GitHub allows. */
function isSignedByApp({ appKey, time }: State, jwt: string): boolean {
  const [head = '', payload = '', signature = ''] = jwt.split('.')
  if (appKey === undefined || signature === '') return false
  const { alg } = JSON.parse(Buffer.from(head, 'base64url').toString())
  const { iss, iat, exp } = JSON.parse(Buffer.from(payload, 'base64url').toString())
  const key = appKey.type === 'public' ? appKey : createPublicKey(appKey)
  const isSigned = verify(
    'sha256',
    Buffer.from(`${head}.${payload}`),
    key,
    Buffer.from(signature, 'base64url'),
  )
  const now = Date.now() / 1000
  return (
    alg === 'RS256' && isSigned && iss === APP_ID && iat <= now && exp > now && exp - iat <= 600 && time() > 0
  )
}

function signingIn(state: State): Record<string, (call: Call) => Answer> {
  return {
    'GET /app': () => ({ status: 200, body: { id: APP_ID, slug: SELF, name: 'Fleetwright' } }),
    'POST /app/installations/{installation_id}/access_tokens': ({ path }) => {
      if (path.installation_id !== String(INSTALLATION_ID))
        return { status: 404, body: { message: 'Not Found' } }
      const token = `ghs_${state.minted.length + 1}_of_the_installation`
      state.minted.push(token)
      state.tokens.add(token)
      return {
        status: 201,
        body: {
          token,
          expires_at: new Date(state.time() + 3_600_000).toISOString(),
          permissions: { contents: 'write', checks: 'write', pull_requests: 'write', metadata: 'read' },
          repository_selection: 'selected',
        },
      }
    },
    'GET /user': () => ({ status: 200, body: { login: state.self, type: 'User' } }),
  }
}

function repository(state: State): Record<string, (call: Call) => Answer | Promise<Answer>> {
  const { memory } = state
  return {
    'GET /repos/{owner}/{repo}': () => ({
      status: 200,
      body: {
        ...{ id: REPOSITORY_ID, name: REPO, full_name: `${OWNER}/${REPO}`, default_branch: 'main' },
        permissions: { admin: false, push: true, pull: true },
        allow_merge_commit: true,
      },
    }),
    'GET /repos/{owner}/{repo}/branches/{branch}': () => ({
      status: 200,
      body: { name: 'main', protected: state.protection !== 'not', protection: { enabled: false } },
    }),
    'GET /repos/{owner}/{repo}/branches/{branch}/protection': () => ({ status: 404, body: {} }),
    'GET /repos/{owner}/{repo}/rules/branches/{branch}': () => ({
      status: 200,
      body:
        state.protection === 'not'
          ? []
          : [
              { type: 'deletion', ruleset_id: 1 },
              { type: 'pull_request', ruleset_id: 1 },
            ],
    }),
    'GET /repos/{owner}/{repo}/rulesets/{ruleset_id}': () => ({
      status: 200,
      body: { current_user_can_bypass: state.protection === 'with-bypass' ? 'always' : 'never' },
    }),
    'GET /repos/{owner}/{repo}/collaborators/{username}/permission': async ({ path }) => {
      const login = path.username ?? ''
      if (!memory.permissions.has(login)) return { status: 404, body: { message: `${login} is not a user` } }
      return {
        status: 200,
        body: { permission: await memory.permission(login), role_name: 'x', user: { login } },
      }
    },
    'GET /orgs/{org}/teams/{team_slug}/members': ({ path, query }) => {
      const members = state.teams?.[`${path.org}/${path.team_slug}`]
      if (members === undefined) return { status: 404, body: { message: 'Not Found' } }
      return page(
        state,
        query,
        `/orgs/${path.org}/teams/${path.team_slug}/members`,
        members.map((login) => ({ login })),
      )
    },
    'DELETE /repos/{owner}/{repo}/git/refs/{ref}': async ({ path }) => {
      const branch = (path.ref ?? '').replace(/^heads\//, '')
      if ((await memory.sight.tip(`refs/heads/${branch}`)) === undefined)
        return { status: 422, body: { message: 'Reference does not exist' } }
      await memory.deleteBranch(branch)
      return { status: 204 }
    },
  }
}

/** Pages as GitHub has them: the next one is told by a link. */
function page(
  { pageSize = 100, url }: State,
  query: URLSearchParams,
  path: string,
  all: readonly unknown[],
): Answer {
  const size = Math.min(pageSize, Number(query.get('per_page') ?? 30))
  const number = Number(query.get('page') ?? 1)
  const next = new URLSearchParams(query)
  next.set('page', String(number + 1))
  const link = `<${url()}${path}?${next}>; rel="next"`
  return {
    status: 200,
    body: all.slice((number - 1) * size, number * size),
    headers: number * size < all.length ? { link } : {},
  }
}

const PULLS = `/repos/${OWNER}/${REPO}/pulls`

function pullRequests(state: State): Record<string, (call: Call) => Answer | Promise<Answer>> {
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

async function given(memory: MemoryForge, number: number): Promise<PullRequest> {
  const found = await memory.pullRequest(number)
  if (found === undefined) throw new Error(`there is no pull request ${number}`)
  return found
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
async function filesOf({ memory, directory }: State, number: number): Promise<readonly unknown[]> {
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

function talk(state: State): Record<string, (call: Call) => Answer | Promise<Answer>> {
  const { comments, reviews, reviewComments, self } = state
  const numberOf = ({ path }: Call): number => Number(path.issue_number ?? path.pull_number)
  const tooLong = (body: unknown): boolean => String(body).length > 65_536
  const refused: Answer = {
    status: 422,
    body: { message: 'Validation Failed', errors: ['body is too long'] },
  }
  const bodyOf = ({ id, author, body, ...rest }: Comment): unknown => ({
    ...{ id, body, user: { login: author }, ...rest },
  })
  return {
    'GET /repos/{owner}/{repo}/issues/{issue_number}/comments': (call) => {
      const number = numberOf(call)
      const those = (comments.get(number) ?? []).map(bodyOf)
      return page(state, call.query, `/repos/${OWNER}/${REPO}/issues/${number}/comments`, those)
    },
    'POST /repos/{owner}/{repo}/issues/{issue_number}/comments': async (call) => {
      if (tooLong(call.body.body)) return refused
      const number = numberOf(call)
      await given(state.memory, number)
      const comment = { id: state.nextId++, author: self, body: String(call.body.body) }
      comments.set(number, [...(comments.get(number) ?? []), comment])
      return { status: 201, body: bodyOf(comment) }
    },
    'PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}': ({ path, body }) => {
      if (tooLong(body.body)) return refused
      const comment = [...comments.values()].flat().find(({ id }) => id === Number(path.comment_id))
      if (comment === undefined) return { status: 404, body: { message: 'Not Found' } }
      if (comment.author !== self) return { status: 403, body: { message: 'Must have admin rights' } }
      comment.body = String(body.body)
      return { status: 200, body: bodyOf(comment) }
    },
    'GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews': (call) => {
      const number = numberOf(call)
      const those = (reviews.get(number) ?? []).map(({ comments: _, ...review }) => bodyOf(review))
      return page(state, call.query, `${PULLS}/${number}/reviews`, those)
    },
    'POST /repos/{owner}/{repo}/pulls/{pull_number}/reviews': (call) =>
      createReview(state, numberOf(call), call.body),
    'PUT /repos/{owner}/{repo}/pulls/{pull_number}/reviews/{review_id}': ({ path, body }) => {
      const review = [...reviews.values()].flat().find(({ id }) => id === Number(path.review_id))
      if (review === undefined) return { status: 422, body: { message: 'no such review' } }
      review.body = String(body.body)
      return { status: 200, body: { id: review.id, body: review.body } }
    },
    'GET /repos/{owner}/{repo}/pulls/{pull_number}/comments': (call) => {
      const number = numberOf(call)
      return page(
        state,
        call.query,
        `${PULLS}/${number}/comments`,
        (reviewComments.get(number) ?? []).map(bodyOf),
      )
    },
    'DELETE /repos/{owner}/{repo}/pulls/comments/{comment_id}': ({ path }) => {
      for (const [number, those] of reviewComments)
        reviewComments.set(
          number,
          those.filter(({ id }) => id !== Number(path.comment_id)),
        )
      return { status: 204 }
    },
  }
}

/** GitHub refuses the whole review for one comment on a line that the diff does not show. */
async function createReview(state: State, number: number, body: Call['body']): Promise<Answer> {
  const lines = new Map<string, string>()
  for (const file of await filesOf(state, number)) {
    const { filename, patch } = file as { filename: string; patch: string }
    lines.set(filename, patch)
  }
  const those = (body.comments ?? []) as { path: string; line: number; body: string }[]
  for (const { path, line } of those)
    if (!isShown(lines.get(path) ?? '', line))
      return {
        status: 422,
        body: {
          message: 'Unprocessable Entity',
          errors: ['Pull request review thread line must be part of the diff'],
        },
      }
  if (String(body.body).length > 65_536) return { status: 422, body: { message: 'body is too long' } }
  const review: Review = { id: state.nextId++, author: state.self, body: String(body.body), comments: [] }
  state.reviews.set(number, [...(state.reviews.get(number) ?? []), review])
  const added = those.map(({ path, line, body }) => ({
    id: state.nextId++,
    author: state.self,
    path,
    line,
    body,
  }))
  state.reviewComments.set(number, [...(state.reviewComments.get(number) ?? []), ...added])
  return { status: 200, body: { id: review.id, body: review.body, user: { login: state.self } } }
}

function isShown(patch: string, line: number): boolean {
  return [...patch.matchAll(/^@@ -\S+ \+(\d+)(?:,(\d+))? @@/gm)].some(([, start, count]) => {
    const first = Number(start)
    return line >= first && line < first + Number(count ?? 1)
  })
}

function checks(state: State): Record<string, (call: Call) => Answer | Promise<Answer>> {
  const { checkRuns, statuses } = state
  const onlyApps: Answer = {
    status: 403,
    body: { message: 'You must authenticate via a GitHub App.' },
    headers: { 'x-accepted-github-permissions': 'checks=write' },
  }
  const bodyOf = (run: CheckRun): unknown => ({
    ...{ id: run.id, name: run.name, head_sha: run.commit, external_id: run.externalId },
    ...{ status: run.status, conclusion: run.conclusion, started_at: null, completed_at: null },
    output: { title: run.title, summary: run.summary, text: null, annotations_count: run.annotations.length },
  })
  return {
    'GET /repos/{owner}/{repo}/commits/{ref}/check-runs': ({ path, query }) => {
      const those = checkRuns.filter(
        ({ commit, name }) => commit === path.ref && (query.get('check_name') ?? name) === name,
      )
      const latest = those.slice(-1)
      return { status: 200, body: { total_count: latest.length, check_runs: latest.map(bodyOf) } }
    },
    'POST /repos/{owner}/{repo}/check-runs': ({ body }) => {
      if (state.appKey === undefined) return onlyApps
      const run: CheckRun = {
        ...{ id: state.nextId++, name: String(body.name), commit: String(body.head_sha) },
        ...{ externalId: '', status: 'queued', conclusion: null, title: '', summary: '', annotations: [] },
      }
      checkRuns.push(run)
      change(run, body)
      return { status: 201, body: bodyOf(run) }
    },
    'PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}': ({ path, body }) => {
      if (state.appKey === undefined) return onlyApps
      const run = checkRuns.find(({ id }) => id === Number(path.check_run_id))
      if (run === undefined) return { status: 404, body: { message: 'Not Found' } }
      change(run, body)
      return { status: 200, body: bodyOf(run) }
    },
    'GET /repos/{owner}/{repo}/commits/{ref}/statuses': ({ path, query }) => {
      const ref = path.ref ?? ''
      const those = (statuses.get(ref) ?? []).toReversed()
      return page(state, query, `/repos/${OWNER}/${REPO}/commits/${ref}/statuses`, those)
    },
    'POST /repos/{owner}/{repo}/statuses/{sha}': ({ path, body }) => {
      const sha = path.sha ?? ''
      const { state: result, description, context, target_url: target = null } = body
      if (String(description).length > 140)
        return { status: 422, body: { message: 'description is too long' } }
      const status: Status = {
        ...{ state: String(result), description: String(description), context: String(context) },
        target_url: target === null ? null : String(target),
      }
      statuses.set(sha, [...(statuses.get(sha) ?? []), status])
      return { status: 201, body: status }
    },
  }
}

/** Annotations are added to those that are there. */
function change(run: CheckRun, body: Call['body']): void {
  const output = (body.output ?? {}) as {
    title?: string
    summary?: string
    annotations?: Record<string, unknown>[]
  }
  run.status = String(body.status ?? run.status)
  run.externalId = String(body.external_id ?? run.externalId)
  if (body.conclusion !== undefined) run.conclusion = String(body.conclusion)
  if (output.title !== undefined) run.title = output.title
  if (output.summary !== undefined) run.summary = output.summary
  run.annotations.push(...(output.annotations ?? []))
}

function createSight(state: State): ForgeSight {
  const { memory, comments, reviews, reviewComments, checkRuns, statuses, appKey } = state
  const runsOf = (commit: ObjectId, name: string): readonly CheckRun[] =>
    checkRuns.filter((run) => run.commit === commit && run.name === name)
  const statusesOf = (commit: ObjectId, name: string): readonly Status[] =>
    (statuses.get(commit) ?? []).filter(({ context }) => context === name)
  return {
    comments: async (number) =>
      (comments.get(number) ?? []).map(({ author, body: text }) => ({ author, text })),
    async annotations(number) {
      if (appKey !== undefined) return ofRuns(checkRuns, (await given(memory, number)).head)
      const onLines = (reviewComments.get(number) ?? []).map(({ path, line, body: text }) => ({
        path,
        line,
        text,
      }))
      // A review that was replaced cannot be deleted on GitHub; it is one line then.
      const inTexts = (reviews.get(number) ?? [])
        .filter(({ body }) => !body.endsWith('Replaced by a later check.'))
        .flatMap(({ body }) => [{ path: '', line: 0, text: body }])
      return [...onLines, ...inTexts]
    },
    async check(commit, name) {
      const run = runsOf(commit, name).at(-1)
      if (run !== undefined) return { result: run.conclusion ?? 'pending', title: run.title }
      const status = statusesOf(commit, name).at(-1)
      return status && { result: status.state, title: status.description }
    },
    timesReported: async (commit, name) => runsOf(commit, name).length + statusesOf(commit, name).length,
    tip: (ref) => memory.sight.tip(ref),
  }
}

/** Of the newest run of each name. */
function ofRuns(runs: readonly CheckRun[], head: ObjectId): readonly ShownAnnotation[] {
  const newest = new Map(runs.filter(({ commit }) => commit === head).map((run) => [run.name, run]))
  return [...newest.values()].flatMap(({ annotations }) =>
    annotations.map(({ path, start_line: line, title, message }) => ({
      ...{ path: String(path), line: Number(line), text: `${title}\n${message}` },
    })),
  )
}
