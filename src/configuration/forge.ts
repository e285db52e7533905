/** Which repository on which forge the settings mean. */
import { FleetError } from '../fleet/errors.ts'
import { readRepositoryAddress } from '../fleet/repository-address.ts'
import { forgeRepository } from './checks.ts'
import type { Configuration } from './settings.ts'

export interface ForgeAddress {
  readonly kind: 'gitea' | 'github' | 'gitlab'
  /** As people open it, without a slash at its end. */
  readonly server: string
  /** `owner/name`; GitLab: with all groups. */
  readonly repository: string
}

type ForgeSettings = Pick<Configuration, 'forge' | 'forge-url' | 'forge-repository' | 'fleet'>

/** Undefined: none. @throws FleetError `invalid-configuration` what the fleet URL does not tell */
export function forgeAddress(settings: ForgeSettings): ForgeAddress | undefined {
  const { forge: kind, fleet = '' } = settings
  if (kind !== 'gitea' && kind !== 'github' && kind !== 'gitlab') return undefined
  const told = toldBy(fleet, kind)
  const server = settings['forge-url'] ?? told?.server
  if (server === undefined) throw missing('forge-url', 'https://git.example.com')
  const repository = settings['forge-repository'] ?? told?.repository
  if (repository === undefined || forgeRepository(repository) !== undefined)
    throw missing('forge-repository', 'team/fleet')
  return { kind, server: server.replace(/\/+$/, ''), repository }
}

function missing(key: string, example: string): FleetError {
  return new FleetError(
    'invalid-configuration',
    `The fleet URL does not tell which repository of the forge is meant; set ${key}, for example ${example}.`,
  )
}

/** What the fleet URL says. Gitea may be below a path; GitLab has groups in groups. */
function toldBy(
  fleet: string,
  kind: ForgeAddress['kind'],
): Pick<ForgeAddress, 'server' | 'repository'> | undefined {
  const remote = remoteOf(fleet)
  if (remote === undefined) return undefined
  const parts = remote.path.split('/').filter((part) => part !== '')
  const repository = kind === 'gitlab' ? parts : parts.slice(-2)
  const below = kind === 'gitea' ? parts.slice(0, -2) : []
  return {
    server: [remote.origin, ...below].join('/'),
    repository: repository.join('/').replace(/\.git$/, ''),
  }
}

/** A forge that clones over ssh is at the same host over https. */
function remoteOf(fleet: string): { readonly origin: string; readonly path: string } | undefined {
  const reading = readRepositoryAddress(fleet)
  if (!('address' in reading) || reading.address.kind === 'path') return undefined
  const { address } = reading
  if (address.kind === 'ssh') return { origin: `https://${address.host}`, path: address.path }
  const { origin, pathname } = new URL(address.url)
  return { origin, path: pathname }
}
