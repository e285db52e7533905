/** How old what is shown of a cluster is: old knowledge is marked, never shown as current. */
import type { Contact } from '../../fleet/observed/sight.ts'

export function contactView({ connected, lastContact, problem }: Contact): object {
  return {
    stale: !connected,
    observedAt: lastContact === undefined ? null : time(lastContact),
    ...(problem === undefined
      ? {}
      : { problem: { code: problem.code, detail: problem.detail, since: time(problem.since) } }),
  }
}

/** RFC 3339, of milliseconds since 1970. */
export function time(milliseconds: number): string {
  return new Date(milliseconds).toISOString()
}
