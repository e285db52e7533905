/** Who may do what, and who belongs to which team. */
import type { Permission } from '../../ports/forge.ts'
import { fieldsOf, listOf } from '../answers.ts'
import { statusOf } from './client.ts'
import type { GiteaRepository } from './repository.ts'

/** Gitea tells it to administrators of the repository only. */
export async function permissionOf({ client, path }: GiteaRepository, login: string): Promise<Permission> {
  try {
    const asked = { what: `what ${login} may do`, right: 'of an administrator of the repository' }
    const data = await client.call(
      asked,
      'GET',
      `${path}/collaborators/${encodeURIComponent(login)}/permission`,
    )
    const permission = fieldsOf(data, `permission of ${login}`).text('permission')
    if (permission === 'owner') return 'admin'
    return permission === 'admin' || permission === 'write' || permission === 'read' ? permission : 'none'
  } catch (error) {
    // There is no such user.
    if (statusOf(error) === 404) return 'none'
    throw error
  }
}

/**
 * Gitea tells it to owners of the organisation, and to members of the team.
 * @param team `team` of the owner, or `organisation/team`
 */
export async function membersOf(
  { client, owner }: GiteaRepository,
  team: string,
): Promise<ReadonlySet<string> | undefined> {
  const [organisation = '', name] = team.includes('/') ? team.split('/', 2) : [owner, team]
  const asked = {
    what: `who belongs to the team ${team}`,
    right: 'read:organization, as a member of the team',
  }
  const members = new Set<string>()
  try {
    const id = await findTeam({ client, organisation, name: name ?? '', asked })
    if (id === undefined) return undefined
    for await (const page of client.pages(asked, `/teams/${id}/members`))
      for (const member of listOf(page, `members of ${team}`)) members.add(member.text('login'))
  } catch (error) {
    // The owner is no organisation, or the team was removed just now.
    if (statusOf(error) === 404) return undefined
    throw error
  }
  return members
}

interface TeamSearch extends Pick<GiteaRepository, 'client'> {
  readonly organisation: string
  readonly name: string
  readonly asked: { readonly what: string; readonly right: string }
}

async function findTeam({ client, organisation, name, asked }: TeamSearch): Promise<number | undefined> {
  for await (const page of client.pages(asked, `/orgs/${encodeURIComponent(organisation)}/teams`))
    for (const team of listOf(page, 'teams'))
      if (team.text('name').toLowerCase() === name.toLowerCase()) return team.number('id')
  return undefined
}
