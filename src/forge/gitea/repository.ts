/** A repository on Gitea and how it is asked. */
import { FleetError } from '../../fleet/errors.ts'
import { type Fields, fieldsOf } from '../answers.ts'
import type { GiteaClient } from './client.ts'

export interface GiteaRepository {
  readonly client: GiteaClient
  readonly owner: string
  /** Its path in the API: `/repos/acme/fleet`. */
  readonly path: string
  /** Who Fleetwright is there. */
  login(): Promise<string>
}

/** @param fullName `owner/name` @throws FleetError `invalid-configuration` */
export function createGiteaRepository(client: GiteaClient, fullName: string): GiteaRepository {
  const [owner, name, ...rest] = fullName.split('/')
  if (rest.length > 0 || !isName(owner) || !isName(name))
    throw new FleetError(
      'invalid-configuration',
      `${fullName} is not a repository on Gitea; it is named owner/name.`,
    )
  let login: string | undefined
  return {
    client,
    owner,
    path: `/repos/${owner}/${name}`,
    async login() {
      const asked = { what: 'who Fleetwright is', right: 'read:user' }
      login ??= fieldsOf(await client.call(asked, 'GET', '/user'), 'user').text('login')
      return login
    },
  }
}

function isName(text: string | undefined): text is string {
  return text !== undefined && /^[A-Za-z0-9._-]{1,100}$/.test(text) && !/^\.+$/.test(text)
}

/** @throws FleetError `forge-refused` when it is not there, or not for this token */
export async function readRepository({ client, path }: GiteaRepository): Promise<Fields> {
  const asked = { what: `for the repository ${path.slice('/repos/'.length)}`, right: 'read:repository' }
  return fieldsOf(await client.call(asked, 'GET', path), 'repository')
}
