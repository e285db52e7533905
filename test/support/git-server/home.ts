/** A remote home on the test server. */
import type { RepositoryHome } from '../../../src/git/contracts.ts'
import { createCredentials } from '../../../src/git/remote/credentials.ts'
import { openRemoteHome, type RemoteHomeOptions } from '../../../src/git/remote/home.ts'
import { GIT_TOKEN, type GitServer } from './server.ts'

export async function remoteHome(
  { url }: Pick<GitServer, 'url'>,
  folder: string,
  extra: Partial<RemoteHomeOptions> = {},
): Promise<RepositoryHome> {
  const credentials = createCredentials({ user: 'fleetwright', token: GIT_TOKEN })
  return await openRemoteHome({ url, folder, credentials, ...extra })
}
