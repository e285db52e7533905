/** The project, its branches, its members and groups. */
import type { ObjectId } from '../../../src/fleet/ids.ts'
import type { Permission } from '../../../src/ports/forge.ts'
import type { Call } from '../described-api.ts'
import {
  type Handlers,
  idOf,
  NOT_FOUND,
  PROJECT,
  PROJECT_ID,
  page,
  SELF,
  type State,
  userOf,
} from './world.ts'

export function project(state: State): Handlers {
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

export function people(state: State): Handlers {
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
