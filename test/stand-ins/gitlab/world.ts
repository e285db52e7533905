/** What the stand-in of GitLab keeps, and how its lists and users are. */
import type { PullRequest } from '../../../src/ports/forge.ts'
import type { MemoryForge } from '../../support/memory-forge.ts'
import type { Answer, Call } from '../described-api.ts'

export const PROJECT = 'acme/platform/fleet'
export const PROJECT_ID = 7001
export const FORK_ID = 7002
export const SELF = 'fleetwright'
export const SELF_ID = 1
export const MERGE_REQUESTS = '/projects/{id}/merge_requests'

export interface Note {
  readonly id: number
  readonly author: string
  body: string
  readonly position?: Readonly<Record<string, unknown>>
}

export interface Discussion {
  readonly id: string
  readonly isIndividual: boolean
  readonly notes: Note[]
}

export interface Status {
  readonly id: number
  readonly sha: string
  readonly name: string
  status: string
  description: string | null
  target_url: string | null
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

export interface State extends GitLabStandInOptions {
  readonly discussions: Map<number, Discussion[]>
  readonly statuses: Status[]
  protection: 'not' | 'for-all' | 'with-bypass'
  nextId: number
}

export type Handler = (call: Call) => Answer | Promise<Answer>

export const NOT_FOUND: Answer = { status: 404, body: { message: '404 Not found' } }

export type Handlers = Readonly<Record<string, Handler>>

export function userOf(login: string): unknown {
  return { id: idOf(login), username: login, name: login, state: 'active' }
}

export function idOf(login: string): number {
  if (login === SELF) return SELF_ID
  return 1000 + [...login].reduce((sum, letter) => sum + letter.charCodeAt(0), 0)
}

/** Pages as GitLab has them: the next one is told by a link. */
export function page(
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

export async function given({ memory }: State, { path }: Call): Promise<PullRequest | undefined> {
  return await memory.pullRequest(Number(path.merge_request_iid ?? path.noteable_id))
}

export function discuss(
  state: State,
  number: number,
  note: Omit<Note, 'id'>,
  isIndividual: boolean,
): Discussion {
  const discussion = { id: `d${state.nextId++}`, isIndividual, notes: [{ id: state.nextId++, ...note }] }
  state.discussions.set(number, [...(state.discussions.get(number) ?? []), discussion])
  return discussion
}
