/** A remote home over ssh. */
import { readRepositoryAddress } from '../../../src/fleet/repository-address.ts'
import type { RepositoryHome } from '../../../src/git/contracts.ts'
import { openRemoteHome } from '../../../src/git/remote/home.ts'
import { createSshTransport, type SshTransportOptions } from '../../../src/git/remote/ssh-transport.ts'
import type { GitTransport } from '../../../src/git/remote/transport.ts'
import { systemClock } from '../../../src/system/clock.ts'
import type { SshServer } from './server.ts'

export type SshLogin = Pick<SshServer, 'url' | 'keyFile' | 'knownHostsFile'>

export function sshTransport(
  { url, keyFile, knownHostsFile }: SshLogin,
  extra: Partial<SshTransportOptions> = {},
): GitTransport {
  const reading = readRepositoryAddress(url)
  if (!('address' in reading) || reading.address.kind !== 'ssh') throw new Error(`${url} is not ssh`)
  const { address } = reading
  return createSshTransport({ address, keyFile, knownHostsFile, clock: systemClock, ...extra })
}

export async function sshHome(login: SshLogin, folder: string): Promise<RepositoryHome> {
  return await openRemoteHome({ transport: sshTransport(login), folder })
}
