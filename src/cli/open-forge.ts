/** The adapter of the forge that is configured, logged in as configured. Its libraries are loaded by those who use it only. */
import type { ForgeAddress } from '../configuration/forge.ts'
import type { Configuration } from '../configuration/settings.ts'
import { FleetError } from '../fleet/errors.ts'
import type { GitHubApp } from '../forge/github/app.ts'
import { rotatedToken, type TokenSource } from '../forge/token.ts'
import type { Clock } from '../ports/clock.ts'
import type { Forge, ReadHook } from '../ports/forge.ts'
import { secretOf } from './secret-of.ts'

export interface OpenedForge {
  readonly forge: Forge
  readonly readHook: ReadHook
  /** Where it is logged in to with one. @throws FleetError when there is none */
  readonly token?: () => Promise<string>
}

/** @throws FleetError `invalid-configuration` */
export async function openForge(
  { kind, server, repository }: ForgeAddress,
  configuration: Configuration,
  clock: Clock,
  app?: GitHubApp,
): Promise<OpenedForge> {
  const token = forgeToken(configuration)
  switch (kind) {
    case 'gitea': {
      const { createGiteaForge } = await import('../forge/gitea/forge.ts')
      const { readGiteaHook } = await import('../forge/gitea/hook.ts')
      const forge = createGiteaForge({ server, repository, token, clock })
      return { forge, readHook: readGiteaHook, token: token.present }
    }
    case 'github': {
      const { createGitHubForge } = await import('../forge/github/forge.ts')
      const { readGitHubHook } = await import('../forge/github/hook.ts')
      const forge = createGitHubForge({
        server,
        repository,
        login: app === undefined ? { token } : { app },
        clock,
      })
      return { forge, readHook: readGitHubHook, ...(app === undefined ? { token: token.present } : {}) }
    }
    case 'gitlab': {
      const { createGitLabForge } = await import('../forge/gitlab/forge.ts')
      const { readGitLabHook } = await import('../forge/gitlab/hook.ts')
      const forge = createGitLabForge({ server, repository, token, clock })
      return { forge, readHook: readGitLabHook, token: token.present }
    }
    default: {
      const { createGiteaForge } = await import('../forge/gitea/forge.ts')
      const { readGiteaHook } = await import('../forge/gitea/hook.ts')
      const forge = createGiteaForge({ server, repository, token, clock })
      return { forge, readHook: readGiteaHook, token: token.present }
    }
  }
}

/** The forge's own token, or the one of the fleet repository. @throws FleetError `invalid-configuration` */
function forgeToken(configuration: Configuration): TokenSource {
  const isOwn = configuration['forge-token'] !== undefined || configuration['forge-token-file'] !== undefined
  const read = secretOf(configuration, isOwn ? 'forge-token' : 'fleet-token')
  return rotatedToken(async () => {
    const token = await read()
    if (token !== undefined) return token
    throw new FleetError('forge-denied', 'No token for the forge is configured; set forge-token-file.')
  })
}
