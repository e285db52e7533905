/** Which repository on which forge the settings mean. */
import { FleetError } from '../fleet/errors.ts'
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
  const { forge: kind, fleet } = settings
  if (kind !== 'gitea' && kind !== 'github' && kind !== 'gitlab') return undefined
  const remote = remoteOf(fleet ?? '')
  const server = settings['forge-url'] ?? remote?.origin
  if (server === undefined) throw missing('forge-url', 'for example https://git.example.com')
  const repository = settings['forge-repository'] ?? repositoryOf(kind, remote?.path ?? '')
  if (repository === undefined) throw missing('forge-repository', 'for example team/fleet')
  return { kind, server: server.replace(/\/+$/, ''), repository }
}

function missing(key: string, what: string): FleetError {
  return new FleetError(
    'invalid-configuration',
    `The fleet URL does not tell which repository of the forge is meant; set ${key}: ${what}.`,
  )
}

/** A forge that clones over ssh is at the same host over https. */
function remoteOf(fleet: string): { readonly origin: string; readonly path: string } | undefined {
  if (/^https?:\/\//i.test(fleet)) {
    const { origin, pathname } = new URL(fleet)
    return { origin, path: pathname }
  }
  const ssh =
    /^ssh:\/\/(?:[^@/]+@)?([^:/]+)(?::\d+)?(\/.+)$/i.exec(fleet) ?? /^[^/@]+@([^:/]+):(.+)$/.exec(fleet)
  const [, host, path] = ssh ?? []
  return host === undefined || path === undefined ? undefined : { origin: `https://${host}`, path }
}

/** Gitea and GitHub have an owner and a name, whatever stands before them; GitLab has groups in groups. */
function repositoryOf(kind: ForgeAddress['kind'], path: string): string | undefined {
  const parts = path
    .replace(/\/+$/, '')
    .replace(/\.git$/, '')
    .split('/')
    .filter((part) => part !== '')
  const name = (kind === 'gitlab' ? parts : parts.slice(-2)).join('/')
  return forgeRepository(name) === undefined ? name : undefined
}
