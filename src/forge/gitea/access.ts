/** Who Fleetwright is on Gitea, and what it may do there. */
import type { ForgeAccess } from '../../ports/forge.ts'
import { fieldsOf } from '../answers.ts'
import { statusOf } from './client.ts'
import { type GiteaRepository, readRepository } from './repository.ts'

export async function accessOf(repository: GiteaRepository): Promise<ForgeAccess> {
  const login = await repository.login()
  const answer = await readRepository(repository)
  const canPush = answer.fields('permissions').boolean('push')
  return {
    login,
    canPush,
    canReport: canPush && (await mayComment(repository)),
    main: await protectionOfMain(repository),
    repository: String(answer.number('id')),
  }
}

/** Gitea tells nobody what a token may do: a change of a comment that cannot exist is refused before it is looked for, or not. */
async function mayComment({ client, path }: GiteaRepository): Promise<boolean> {
  try {
    const asked = { what: 'whether it may comment', right: 'write:issue' }
    await client.call(asked, 'PATCH', `${path}/issues/comments/0`, { body: '-' })
  } catch (error) {
    if (statusOf(error) === 403) return false
    if (statusOf(error) !== 404) throw error
  }
  return true
}

async function protectionOfMain({ client, path }: GiteaRepository): Promise<ForgeAccess['main']> {
  try {
    const asked = { what: 'for the branch main', right: 'read:repository' }
    const branch = fieldsOf(await client.call(asked, 'GET', `${path}/branches/main`), 'branch')
    if (!branch.boolean('protected')) return 'open'
    return branch.boolean('user_can_push') ? 'protected-with-bypass' : 'protected'
  } catch (error) {
    // Nothing was pushed yet.
    if (statusOf(error) === 404) return 'open'
    throw error
  }
}
