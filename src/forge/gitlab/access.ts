/** What Fleetwright may do on the project, and whether main is protected against it. */
import type { ForgeAccess } from '../../ports/forge.ts'
import { fieldsOf } from '../answers.ts'
import { statusOf } from './client.ts'
import { DEVELOPER, memberLevel } from './people.ts'
import type { GitLabProject } from './repository.ts'

const MAIN = 'main'

export async function accessOf(project: GitLabProject): Promise<ForgeAccess> {
  const { client, path } = project
  const asked = { what: `for the project ${path}`, right: 'scope api' }
  const id = fieldsOf(await client.call(asked, ({ Projects }) => Projects.show(path)), 'project').number('id')
  const self = await project.self()
  const level = await memberLevel(project, self.id)
  return {
    login: self.login,
    canPush: level >= DEVELOPER,
    canReport: level >= DEVELOPER,
    main: await protectionOf(project),
    repository: String(id),
  }
}

/**
 * A branch tells its protection and whether whoever asks may push all the same. The list of protected branches would say it by
 * levels, users, groups and wildcards, and only to maintainers.
 */
async function protectionOf({ client, path }: GitLabProject): Promise<ForgeAccess['main']> {
  try {
    const asked = { what: 'for the branch main', right: 'scope api, role Reporter' }
    const data = await client.call(asked, ({ Branches }) => Branches.show(path, MAIN))
    const branch = fieldsOf(data, 'branch main')
    if (!branch.boolean('protected')) return 'open'
    return branch.boolean('can_push') ? 'protected-with-bypass' : 'protected'
  } catch (error) {
    // Nothing was pushed yet.
    if (statusOf(error) === 404) return 'open'
    throw error
  }
}
