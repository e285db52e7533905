/** The repository, its rules, its people. */
import { type Handlers, OWNER, page, REPO, REPOSITORY_ID, type State } from './world.ts'

export function repository(state: State): Handlers {
  const { memory } = state
  return {
    'GET /repos/{owner}/{repo}': () => ({
      status: 200,
      body: {
        ...{ id: REPOSITORY_ID, name: REPO, full_name: `${OWNER}/${REPO}`, default_branch: 'main' },
        permissions: { admin: false, push: true, pull: true },
        allow_merge_commit: true,
      },
    }),
    'GET /repos/{owner}/{repo}/branches/{branch}': () => ({
      status: 200,
      body: { name: 'main', protected: state.protection !== 'not', protection: { enabled: false } },
    }),
    'GET /repos/{owner}/{repo}/branches/{branch}/protection': () => ({ status: 404, body: {} }),
    'GET /repos/{owner}/{repo}/rules/branches/{branch}': () => ({
      status: 200,
      body:
        state.protection === 'not'
          ? []
          : [
              { type: 'deletion', ruleset_id: 1 },
              { type: 'pull_request', ruleset_id: 1 },
            ],
    }),
    'GET /repos/{owner}/{repo}/rulesets/{ruleset_id}': () => ({
      status: 200,
      body: { current_user_can_bypass: state.protection === 'with-bypass' ? 'always' : 'never' },
    }),
    'GET /repos/{owner}/{repo}/collaborators/{username}/permission': async ({ path }) => {
      const login = path.username ?? ''
      if (!memory.permissions.has(login)) return { status: 404, body: { message: `${login} is not a user` } }
      return {
        status: 200,
        body: { permission: await memory.permission(login), role_name: 'x', user: { login } },
      }
    },
    'GET /orgs/{org}/teams/{team_slug}/members': ({ path, query }) => {
      const members = state.teams?.[`${path.org}/${path.team_slug}`]
      if (members === undefined) return { status: 404, body: { message: 'Not Found' } }
      return page(
        state,
        query,
        `/orgs/${path.org}/teams/${path.team_slug}/members`,
        members.map((login) => ({ login })),
      )
    },
    'DELETE /repos/{owner}/{repo}/git/refs/{ref}': async ({ path }) => {
      const branch = (path.ref ?? '').replace(/^heads\//, '')
      if ((await memory.sight.tip(`refs/heads/${branch}`)) === undefined)
        return { status: 422, body: { message: 'Reference does not exist' } }
      await memory.deleteBranch(branch)
      return { status: 204 }
    },
  }
}
