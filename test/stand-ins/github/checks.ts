/** Check runs and commit statuses. */
import type { Answer, Call } from '../described-api.ts'
import { type CheckRun, type Handlers, OWNER, page, REPO, type State, type Status } from './world.ts'

export function checks(state: State): Handlers {
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
