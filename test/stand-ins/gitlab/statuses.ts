/** Commit statuses. */
import { type Handlers, page, SELF, type State, type Status, userOf } from './world.ts'

export function statuses(state: State): Handlers {
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
