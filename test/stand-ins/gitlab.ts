/**
 * GitLab's API before a forge in memory, as test/forge/descriptions/gitlab.json says it. What schemas do not say is played
 * here: pages, roles, transitions of statuses, which positions are in the diff.
 */
import { readFile } from 'node:fs/promises'
import type { ObjectId } from '../../src/fleet/ids.ts'
import { git } from '../../src/git/child-process.ts'
import type { Permission, PullRequest } from '../../src/ports/forge.ts'
import type { ForgeSight } from '../support/forge-world.ts'
import type { MemoryForge } from '../support/memory-forge.ts'
import {
  type Answer,
  type ApiDescription,
  type Call,
  type DescribedApi,
  startDescribedApi,
} from './described-api.ts'

const DESCRIPTION = new URL('../forge/descriptions/gitlab.json', import.meta.url)
export const PROJECT = 'acme/platform/fleet'
const PROJECT_ID = 7001
const FORK_ID = 7002
const SELF = 'fleetwright'
const SELF_ID = 1

interface Note {
  readonly id: number
  readonly author: string
  body: string
  readonly position?: Readonly<Record<string, unknown>>
}

interface Discussion {
  readonly id: string
  readonly isIndividual: boolean
  readonly notes: Note[]
}

interface Status {
  readonly id: number
  readonly sha: string
  readonly name: string
  status: string
  description: string | null
  target_url: string | null
}

export interface GitLabStandIn extends DescribedApi {
  readonly sight: ForgeSight
  readonly tokens: Set<string>
  /** Of a merge request, in the order of their arrival. */
  readonly discussions: Map<number, Discussion[]>
  say(number: number, author: string, body: string): void
  protect(how: 'not' | 'for-all' | 'with-bypass'): void
  /** The next calls of the operation are answered so. */
  fail(operation: string, answer: Answer, times?: number): void
}

export interface GitLabStandInOptions {
  readonly memory: MemoryForge
  /** Bare; what `memory` works on. */
  readonly directory: string
  /** Logins by full path. */
  readonly groups?: Readonly<Record<string, readonly string[]>>
  /** Items of one page at most. */
  readonly pageSize?: number
}

interface State extends GitLabStandInOptions {
  readonly discussions: Map<number, Discussion[]>
  readonly statuses: Status[]
  protection: 'not' | 'for-all' | 'with-bypass'
  nextId: number
}

type Handler = (call: Call) => Answer | Promise<Answer>

const NOT_FOUND: Answer = { status: 404, body: { message: '404 Not found' } }

export async function startGitLabStandIn(options: GitLabStandInOptions): Promise<GitLabStandIn> {
  const description: ApiDescription = JSON.parse(await readFile(DESCRIPTION, 'utf8'))
  const faults: { readonly operation: string; readonly answer: Answer; left: number }[] = []
  const tokens = new Set<string>()
  const state: State = {
    ...options,
    ...{ discussions: new Map(), statuses: [], protection: 'not', nextId: 100 },
  }
  const api = await startDescribedApi({
    description,
    prefix: '/api/v4',
    handlers: {
      ...project(state),
      ...people(state),
      ...mergeRequests(state),
      ...talk(state),
      ...statuses(state),
    },
    first(call) {
      if (!tokens.has(String(call.headers['private-token'])))
        return { status: 401, body: { message: '401 Unauthorized' } }
      const id = call.path.id
      const isKnown = id === undefined || id === PROJECT || call.operation.startsWith('GET /groups/')
      if (!isKnown) return { status: 404, body: { message: '404 Project Not Found' } }
      const fault = faults.find(({ operation, left }) => operation === call.operation && left > 0)
      if (fault === undefined) return undefined
      fault.left -= 1
      return fault.answer
    },
  })
  return {
    ...api,
    tokens,
    discussions: state.discussions,
    sight: createSight(state),
    say: (number, author, body) => void discuss(state, number, { author, body }, true),
    protect(how) {
      state.protection = how
    },
    fail: (operation, answer, times = 1) => void faults.push({ operation, answer, left: times }),
  }
}

function userOf(login: string): unknown {
  return { id: idOf(login), username: login, name: login, state: 'active' }
}

function idOf(login: string): number {
  if (login === SELF) return SELF_ID
  return 1000 + [...login].reduce((sum, letter) => sum + letter.charCodeAt(0), 0)
}

/** Pages as GitLab has them: the next one is told by a link. */
function page(
  { pageSize = 100 }: State,
  { query, operation, headers }: Call,
  all: readonly unknown[],
): Answer {
  const size = Math.min(pageSize, Number(query.get('per_page') ?? 20))
  const number = Number(query.get('page') ?? 1)
  const next = new URLSearchParams(query)
  next.set('page', String(number + 1))
  const link = `<http://${headers.host}/api/v4/${operation.slice('GET /'.length)}?${next}>; rel="next"`
  return {
    status: 200,
    body: all.slice((number - 1) * size, number * size),
    headers: number * size < all.length ? { link } : {},
  }
}

function project(state: State): Record<string, Handler> {
  const { memory } = state
  const branchOf = ({ path }: Call): Promise<ObjectId | undefined> =>
    memory.sight.tip(`refs/heads/${path.branch}`)
  return {
    'GET /user': () => ({ status: 200, body: userOf(SELF) }),
    'GET /projects/{id}': () => ({ status: 200, body: { id: PROJECT_ID, path_with_namespace: PROJECT } }),
    'GET /projects/{id}/repository/branches/{branch}': async (call) => {
      const commit = await branchOf(call)
      if (commit === undefined) return NOT_FOUND
      const isProtected = state.protection !== 'not'
      return {
        status: 200,
        body: {
          ...{ name: call.path.branch, commit: { id: commit }, protected: isProtected },
          can_push: state.protection !== 'for-all',
        },
      }
    },
    'DELETE /projects/{id}/repository/branches/{branch}': async (call) => {
      if ((await branchOf(call)) === undefined) return NOT_FOUND
      await memory.deleteBranch(String(call.path.branch))
      return { status: 204 }
    },
  }
}

const LEVELS: Readonly<Record<Permission, number>> = { none: 10, read: 20, write: 30, admin: 40 }

function people(state: State): Record<string, Handler> {
  const memberOf = async (login: string): Promise<unknown> => ({
    ...{ id: idOf(login), username: login, name: login, state: 'active' },
    access_level: LEVELS[await state.memory.permission(login)],
  })
  return {
    'GET /projects/{id}/members/all': async (call) => {
      const part = call.query.get('query') ?? ''
      const logins = [...state.memory.permissions.keys()].filter((login) => login.includes(part))
      return page(state, call, await Promise.all(logins.map(memberOf)))
    },
    'GET /projects/{id}/members/all/{user_id}': async ({ path }) => {
      const logins = [...state.memory.permissions.keys()]
      const login = logins.find((login) => idOf(login) === Number(path.user_id))
      return login === undefined ? NOT_FOUND : { status: 200, body: await memberOf(login) }
    },
    'GET /groups/{id}/members/all': async (call) => {
      const logins = state.groups?.[call.path.id ?? '']
      if (logins === undefined) return NOT_FOUND
      return page(state, call, await Promise.all(logins.map(memberOf)))
    },
  }
}

async function given({ memory }: State, { path }: Call): Promise<PullRequest | undefined> {
  return await memory.pullRequest(Number(path.merge_request_iid ?? path.noteable_id))
}

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

const MERGE_REQUESTS = '/projects/{id}/merge_requests'
const ONE = `${MERGE_REQUESTS}/{merge_request_iid}`

function mergeRequests(state: State): Record<string, Handler> {
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

async function diffsOf({ directory }: State, { base, head }: PullRequest): Promise<readonly Diff[]> {
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

function discuss(state: State, number: number, note: Omit<Note, 'id'>, isIndividual: boolean): Discussion {
  const discussion = { id: `d${state.nextId++}`, isIndividual, notes: [{ id: state.nextId++, ...note }] }
  state.discussions.set(number, [...(state.discussions.get(number) ?? []), discussion])
  return discussion
}

function noteBody({ id, author, body, position }: Note): unknown {
  return { id, body, author: userOf(author), ...(position === undefined ? {} : { position }) }
}

const NOTES = `${MERGE_REQUESTS}/{noteable_id}/notes`
const THREADS = `${MERGE_REQUESTS}/{noteable_id}/discussions`

function talk(state: State): Record<string, Handler> {
  const { discussions } = state
  const numberOf = ({ path }: Call): number => Number(path.noteable_id)
  const notesOf = (number: number): readonly Note[] =>
    (discussions.get(number) ?? []).flatMap(({ notes }) => notes)
  const remove: Handler = (call) => {
    const number = numberOf(call)
    const id = Number(call.path.note_id)
    const isOwn = notesOf(number).some((note) => note.id === id && note.author === SELF)
    if (!isOwn) return NOT_FOUND
    const those = discussions.get(number) ?? []
    for (const { notes } of those) notes.splice(0, notes.length, ...notes.filter((note) => note.id !== id))
    discussions.set(
      number,
      those.filter(({ notes }) => notes.length > 0),
    )
    return { status: 204 }
  }
  return {
    [`GET ${NOTES}`]: (call) => page(state, call, notesOf(numberOf(call)).map(noteBody)),
    [`POST ${NOTES}`]: async (call) => {
      if ((await given(state, call)) === undefined) return NOT_FOUND
      const body = String(call.body.body)
      if (body.length > 1_000_000)
        return { status: 400, body: { message: '400 Bad request - note is too long' } }
      const { notes } = discuss(state, numberOf(call), { author: SELF, body }, true)
      return { status: 201, body: notes.map(noteBody)[0] }
    },
    [`PUT ${NOTES}/{note_id}`]: (call) => {
      const note = notesOf(numberOf(call)).find(({ id }) => id === Number(call.path.note_id))
      if (note === undefined || note.author !== SELF) return NOT_FOUND
      note.body = String(call.body.body)
      return { status: 200, body: noteBody(note) }
    },
    [`DELETE ${NOTES}/{note_id}`]: remove,
    [`GET ${THREADS}`]: (call) => {
      const those = (discussions.get(numberOf(call)) ?? []).map(({ id, isIndividual, notes }) => ({
        ...{ id, individual_note: isIndividual, notes: notes.map(noteBody) },
      }))
      return page(state, call, those)
    },
    [`POST ${THREADS}`]: (call) => startThread(state, call),
    [`DELETE ${THREADS}/{discussion_id}/notes/{note_id}`]: remove,
  }
}

async function startThread(state: State, call: Call): Promise<Answer> {
  const found = await given(state, call)
  if (found === undefined) return NOT_FOUND
  const position = { ...(call.body.position as Record<string, unknown>) }
  const file = (await diffsOf(state, found)).find(({ new_path }) => new_path === position.new_path)
  const isOfHead = position.head_sha === found.head
  if (!isOfHead || !isInDiff(file?.diff ?? '', position))
    return { status: 400, body: { message: '400 Bad request - Note {:line_code=>["can\'t be blank"]}' } }
  const note = { author: SELF, body: String(call.body.body), position }
  const { id, notes } = discuss(state, found.number, note, false)
  return { status: 201, body: { id, individual_note: false, notes: notes.map(noteBody) } }
}

/** An added line has a new number only, an unchanged one both. */
function isInDiff(
  diff: string,
  { new_line: wanted, old_line: old }: Readonly<Record<string, unknown>>,
): boolean {
  let [before, after] = [0, 0]
  for (const line of diff.split('\n')) {
    const hunk = /^@@ -(\d+)\S* \+(\d+)/.exec(line)
    if (hunk !== null) [before, after] = [Number(hunk[1]), Number(hunk[2])]
    else if (line.startsWith('-')) before += 1
    else {
      if (after === wanted && line.startsWith('+')) return old === undefined
      if (after === wanted && line.startsWith(' ')) return old === before
      if (line.startsWith(' ')) before += 1
      after += 1
    }
  }
  return false
}

function statuses(state: State): Record<string, Handler> {
  const bodyOf = (status: Status): unknown => ({ ref: 'x', author: userOf(SELF), ...status })
  return {
    'GET /projects/{id}/repository/commits/{sha}/statuses': (call) => {
      const name = call.query.get('name')
      const all = state.statuses.filter((one) => one.sha === call.path.sha && one.name === (name ?? one.name))
      // Of each name the latest one, unless all are asked for.
      const latest = [...new Map(all.map((one) => [one.name, one])).values()]
      return page(state, call, latest.map(bodyOf))
    },
    'POST /projects/{id}/statuses/{sha}': ({ path, body }) => {
      const sha = path.sha ?? ''
      const name = String(body.name ?? body.context ?? 'default')
      const unfinished = state.statuses.find(
        (one) => one.sha === sha && one.name === name && one.status === 'pending',
      )
      if (unfinished !== undefined && body.state === 'pending')
        return { status: 400, body: { message: 'Cannot transition status via :enqueue from :pending' } }
      const content = {
        status: String(body.state),
        description: body.description === undefined ? null : String(body.description),
        target_url: body.target_url === undefined ? null : String(body.target_url),
      }
      if ((content.description ?? '').length > 255)
        return { status: 400, body: { message: 'Description is too long' } }
      const status = Object.assign(unfinished ?? { id: state.nextId++, sha, name }, content)
      if (unfinished === undefined) state.statuses.push(status)
      return { status: 201, body: bodyOf(status) }
    },
  }
}

function createSight(state: State): ForgeSight {
  const { memory, discussions, statuses } = state
  const of = (commit: ObjectId, name: string): readonly Status[] =>
    statuses.filter((one) => one.sha === commit && one.name === name)
  return {
    comments: async (number) =>
      (discussions.get(number) ?? [])
        .filter(({ isIndividual }) => isIndividual)
        .flatMap(({ notes }) => notes.map(({ author, body: text }) => ({ author, text }))),
    async annotations(number) {
      const notes = (discussions.get(number) ?? []).flatMap((discussion) => discussion.notes)
      return notes
        .filter(({ author }) => author === SELF)
        .map(({ body: text, position }) => ({
          ...{ path: String(position?.new_path ?? ''), line: Number(position?.new_line ?? 0), text },
        }))
    },
    async check(commit, name) {
      const status = of(commit, name).at(-1)
      if (status === undefined) return undefined
      return {
        result: status.status === 'failed' ? 'failure' : status.status,
        title: status.description ?? '',
      }
    },
    timesReported: async (commit, name) => of(commit, name).length,
    tip: (ref) => memory.sight.tip(ref.replace('refs/merge-requests/', 'refs/pull/')),
  }
}
