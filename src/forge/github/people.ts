/** Who may do what, and who belongs to which team. */
import type { Permission } from '../../ports/forge.ts'
import { fieldsOf, listOf } from '../answers.ts'
import { statusOf } from './client.ts'
import type { GitHubRepository } from './repository.ts'

const PAGE = 100

export async function permissionOf(
  { client, owner, repo }: GitHubRepository,
  login: string,
): Promise<Permission> {
  try {
    const asked = { what: `what ${login} may do`, right: 'Metadata: read' }
    const data = await client.call(asked, ({ rest }) =>
      rest.repos.getCollaboratorPermissionLevel({ owner, repo, username: login }),
    )
    const permission = fieldsOf(data, `permission of ${login}`).text('permission')
    return permission === 'admin' || permission === 'write' || permission === 'read' ? permission : 'none'
  } catch (error) {
    // There is no such user.
    if (statusOf(error) === 404) return 'none'
    throw error
  }
}

/** @param team `team` of the owner, or `organisation/team`, by slug; members of the teams below it count */
export async function membersOf(
  { client, owner }: GitHubRepository,
  team: string,
): Promise<ReadonlySet<string> | undefined> {
  const [organisation, slug] = team.includes('/') ? team.split('/', 2) : [owner, team]
  if (organisation === undefined || slug === undefined) return undefined
  const members = new Set<string>()
  try {
    const asked = { what: `who belongs to the team ${team}`, right: 'Members: read (organisation)' }
    const pages = client.pages(asked, (octokit) =>
      octokit.paginate.iterator(octokit.rest.teams.listMembersInOrg, {
        ...{ org: organisation, team_slug: slug, per_page: PAGE },
      }),
    )
    for await (const page of pages)
      for (const member of listOf(page, `members of ${team}`)) members.add(member.text('login'))
  } catch (error) {
    if (statusOf(error) === 404) return undefined
    throw error
  }
  return members
}
