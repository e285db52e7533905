/**
 * GitHub's API before a forge in memory, as its published description says it (test/forge/descriptions/github.json). What the
 * description does not say in schemas is played here: limits, pages, rights, lines that are not in the diff.
 */
import { readFile } from 'node:fs/promises'
import type { ForgeSight } from '../support/forge-world.ts'
import { type Answer, type ApiDescription, type DescribedApi, startDescribedApi } from './described-api.ts'
import { checks } from './github/checks.ts'
import { pullRequests } from './github/pull-requests.ts'
import { repository } from './github/repository.ts'
import { createSight } from './github/sight.ts'
import { authorize, gitOverHttp, signingIn } from './github/signing-in.ts'
import { talk } from './github/talk.ts'
import { type CheckRun, type Comment, type GitHubStandInOptions, SELF, type State } from './github/world.ts'

const DESCRIPTION = new URL('../forge/descriptions/github.json', import.meta.url)

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
