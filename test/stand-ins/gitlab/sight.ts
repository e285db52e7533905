/** What people see there. */
import type { ObjectId } from '../../../src/fleet/ids.ts'
import type { ForgeSight } from '../../support/forge-world.ts'
import { SELF, type State, type Status } from './world.ts'

export function createSight(state: State): ForgeSight {
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
