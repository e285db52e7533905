/**
 * GitLab's API before a forge in memory, as test/forge/descriptions/gitlab.json says it. What schemas do not say is played
 * here: pages, roles, transitions of statuses, which positions are in the diff.
 */
import { readFile } from 'node:fs/promises'
import type { ForgeSight } from '../support/forge-world.ts'
import { type Answer, type ApiDescription, type DescribedApi, startDescribedApi } from './described-api.ts'
import { mergeRequests } from './gitlab/merge-requests.ts'
import { people, project } from './gitlab/project.ts'
import { createSight } from './gitlab/sight.ts'
import { statuses } from './gitlab/statuses.ts'
import { talk } from './gitlab/talk.ts'
import { type Discussion, discuss, type GitLabStandInOptions, PROJECT, type State } from './gitlab/world.ts'

const DESCRIPTION = new URL('../forge/descriptions/gitlab.json', import.meta.url)

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
