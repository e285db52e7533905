/** A remote home on the test server. */
import type { RepositoryHome } from '../../../src/git/contracts.ts'
import { createCredentials } from '../../../src/git/remote/credentials.ts'
import { openRemoteHome } from '../../../src/git/remote/home.ts'
import { createHttpTransport, type HttpTransportOptions } from '../../../src/git/remote/http-transport.ts'
import { GIT_TOKEN, type GitServer } from './server.ts'

export async function remoteHome(
  { url }: Pick<GitServer, 'url'>,
  folder: string,
  extra: Partial<HttpTransportOptions> = {},
): Promise<RepositoryHome> {
  const credentials = createCredentials({ user: 'fleetwright', token: GIT_TOKEN })
  return await openRemoteHome({ transport: createHttpTransport({ url, credentials, ...extra }), folder })
}
