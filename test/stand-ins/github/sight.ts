/** What people see there. */
import type { ObjectId } from '../../../src/fleet/ids.ts'
import type { ForgeSight, ShownAnnotation } from '../../support/forge-world.ts'
import { type CheckRun, given, type State, type Status } from './world.ts'

export function createSight(state: State): ForgeSight {
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
