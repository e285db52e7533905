/** The GitHub App that the configuration names: one token for the API and for git. */
import { readFile } from 'node:fs/promises'
import { forgeAddress } from '../configuration/forge.ts'
import type { Configuration } from '../configuration/settings.ts'
import { FleetError, isFleetError } from '../fleet/errors.ts'
import type { GitHubApp } from '../forge/github/app.ts'
import type { Credentials } from '../git/remote/credentials.ts'
import type { Clock } from '../ports/clock.ts'

export interface ConfiguredGitHubApp {
  readonly app: GitHubApp
  /** The token goes to this server and nowhere else. */
  readonly server: string
  readonly credentials: Credentials
}

type AppSettings = Pick<
  Configuration,
  | 'forge'
  | 'forge-url'
  | 'forge-repository'
  | 'forge-token'
  | 'forge-token-file'
  | 'fleet'
  | 'github-app-id'
  | 'github-app-installation'
  | 'github-app-key'
  | 'github-app-key-file'
>

const APP_SETTINGS = [
  'github-app-id',
  'github-app-installation',
  'github-app-key',
  'github-app-key-file',
] as const

/** Undefined: none is configured. @throws FleetError `invalid-configuration` */
export async function configuredGitHubApp(
  configuration: AppSettings,
  clock: Clock,
): Promise<ConfiguredGitHubApp | undefined> {
  if (APP_SETTINGS.every((key) => configuration[key] === undefined)) return undefined
  const address = forgeAddress(configuration)
  if (address?.kind !== 'github') throw invalid('A GitHub App logs in to GitHub only; set forge to github.')
  const { 'github-app-key': key, 'github-app-key-file': keyFile } = configuration
  if (key !== undefined && keyFile !== undefined)
    throw invalid('Give github-app-key-file or github-app-key, not both.')
  if (configuration['forge-token'] !== undefined || configuration['forge-token-file'] !== undefined)
    throw invalid('Give a GitHub App or forge-token-file, not both.')
  if (key === undefined && keyFile === undefined)
    throw invalid('A GitHub App needs github-app-key-file: the private key that GitHub made for it.')
  // The client is loaded by those who use it only.
  const { createGitHubApp } = await import('../forge/github/app.ts')
  const { apiOf } = await import('../forge/github/addresses.ts')
  const app = createGitHubApp({
    api: apiOf(address.server),
    appId: required(configuration, 'github-app-id'),
    installationId: required(configuration, 'github-app-installation'),
    readKey: async () => (keyFile === undefined ? unescaped(key ?? '') : await readKey(keyFile)),
    clock,
  })
  return { app, server: address.server, credentials: gitCredentials(app) }
}

function required(configuration: AppSettings, key: 'github-app-id' | 'github-app-installation'): number {
  const value = configuration[key]
  if (value !== undefined) return Number(value)
  throw invalid(`A GitHub App needs ${key}: GitHub shows it on the pages of the App and of its installation.`)
}

/** A variable of one line has its line ends written out. */
function unescaped(key: string): string {
  return key.replaceAll('\\n', '\n')
}

async function readKey(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    const why = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown'
    throw new FleetError(
      'forge-denied',
      `github-app-key-file: ${path} cannot be read (${why}).`,
      {},
      { cause },
    )
  }
}

/** What the writer knows errors of git by. */
function gitCredentials({ git }: GitHubApp): Credentials {
  return {
    async authorization() {
      try {
        return await git.authorization()
      } catch (error) {
        if (!isFleetError(error)) throw error
        const code = error.code === 'forge-unavailable' ? 'remote-unavailable' : 'remote-denied'
        throw new FleetError(code, error.message, error.data, { cause: error })
      }
    },
    refused: (authorization) => git.refused(authorization),
    redact: (text) => git.redact(text),
  }
}

function invalid(detail: string): FleetError {
  return new FleetError('invalid-configuration', detail)
}
