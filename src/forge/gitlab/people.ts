/** Who may do what, and who belongs to which group. */
import type { Permission } from '../../ports/forge.ts'
import { type Fields, fieldsOf, listOf } from '../answers.ts'
import { EVERY_PAGE, statusOf } from './client.ts'
import type { GitLabProject } from './repository.ts'

/** Access levels as GitLab numbers them. */
const REPORTER = 20
export const DEVELOPER = 30
const MAINTAINER = 40

const RIGHT = 'scope api'

/** Access level of a user, from the project or a group above it; 0: no member. */
export async function memberLevel({ client, path }: GitLabProject, id: number): Promise<number> {
  try {
    const data = await client.call(
      { what: `what the user ${id} may do`, right: RIGHT },
      ({ ProjectMembers }) => ProjectMembers.show(path, id, { includeInherited: true }),
    )
    return levelOf(fieldsOf(data, 'member'))
  } catch (error) {
    if (statusOf(error) === 404) return 0
    throw error
  }
}

/** Guests may not read code of a private project: they have no permission here. */
export async function permissionOf({ client, path }: GitLabProject, login: string): Promise<Permission> {
  const data = await client.call({ what: `what ${login} may do`, right: RIGHT }, ({ ProjectMembers }) =>
    ProjectMembers.all(path, { includeInherited: true, query: login, ...EVERY_PAGE }),
  )
  // The query finds parts of names too.
  const those = listOf(data, 'members').filter((member) => member.text('username') === login)
  const level = Math.max(0, ...those.map(levelOf))
  if (level >= MAINTAINER) return 'admin'
  if (level >= DEVELOPER) return 'write'
  return level >= REPORTER ? 'read' : 'none'
}

/** Who is blocked or waits for approval has no level. */
function levelOf(member: Fields): number {
  return member.text('state') === 'active' ? member.number('access_level') : 0
}

/** @param team `group` below the project's top-level group, or a group's full path; members of the groups above it count */
export async function membersOf(
  { client, path }: GitLabProject,
  team: string,
): Promise<ReadonlySet<string> | undefined> {
  const group = team.includes('/') ? team : `${path.split('/')[0]}/${team}`
  try {
    const data = await client.call(
      { what: `who belongs to the group ${group}`, right: RIGHT },
      ({ GroupMembers }) => GroupMembers.all(group, { includeInherited: true, ...EVERY_PAGE }),
    )
    const active = listOf(data, `members of ${group}`).filter((member) => levelOf(member) > 0)
    return new Set(active.map((member) => member.text('username')))
  } catch (error) {
    if (statusOf(error) === 404) return undefined
    throw error
  }
}
