/** What the stand-in of GitHub keeps, and how its lists and numbers are. */
import type { KeyObject } from 'node:crypto'
import type { PullRequest } from '../../../src/ports/forge.ts'
import type { MemoryForge } from '../../support/memory-forge.ts'
import type { Answer, Call } from '../described-api.ts'

export const OWNER = 'acme'
export const REPO = 'fleet'
export const APP_ID = 4711
export const INSTALLATION_ID = 815
export const REPOSITORY_ID = 7001
export const FORK_ID = 7002
/** In memory it is called so, whatever it logs in with. */
export const SELF = 'fleetwright'

export type Handlers = Readonly<Record<string, (call: Call) => Answer | Promise<Answer>>>

export interface Comment {
  readonly id: number
  readonly author: string
  body: string
}

export interface Review extends Comment {
  readonly comments: Comment[]
}

export interface ReviewComment extends Comment {
  readonly path: string
  readonly line: number
}

export interface CheckRun {
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

export interface Status {
  readonly state: string
  readonly description: string
  readonly context: string
  readonly target_url: string | null
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

export interface State extends GitHubStandInOptions {
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

/** Pages as GitHub has them: the next one is told by a link. */
export function page(
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

export const PULLS = `/repos/${OWNER}/${REPO}/pulls`

export async function given(memory: MemoryForge, number: number): Promise<PullRequest> {
  const found = await memory.pullRequest(number)
  if (found === undefined) throw new Error(`there is no pull request ${number}`)
  return found
}
