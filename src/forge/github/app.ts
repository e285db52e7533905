/**
 * A GitHub App: it signs in with its private key and gets a token of its installation, which lives for an hour. The token is
 * kept until shortly before it expires; one that GitHub refuses is replaced once.
 */
import { createPrivateKey } from 'node:crypto'
import { createAppAuth } from '@octokit/auth-app'
import { Octokit } from '@octokit/core'
import { FleetError, isFleetError } from '../../fleet/errors.ts'
import type { Clock } from '../../ports/clock.ts'
import { fieldsOf } from '../answers.ts'
import type { Asked } from '../failures.ts'
import { createForgeFetch, type ForgeFetchLimits } from '../fetch.ts'
import type { TokenSource } from '../token.ts'
import { statusOf, toGitHubError } from './client.ts'

export interface GitHubAppSettings {
  /** `https://api.github.com`, `https://github.example.com/api/v3` */
  readonly api: string
  readonly appId: number
  readonly installationId: number
  /** PEM, read when a token is needed, so that a new key is noticed. @throws FleetError */
  readonly readKey: () => Promise<string>
  readonly clock: Clock
  readonly limits?: ForgeFetchLimits
}

export interface GitHubApp {
  readonly appId: number
  readonly token: TokenSource
  /** What git over HTTPS logs in with: the header `Authorization`, and its secrets taken out of a text. */
  readonly git: {
    authorization(): Promise<string>
    refused(authorization: string): void
    redact(text: string): string
  }
  /** Login of what it writes. */
  login(): Promise<string>
  /** Rights of the installation: `contents` is `write`, … */
  permissions(): Promise<Readonly<Record<string, string>>>
  stop(): void
}

/** User name that goes with an installation's token. */
const GIT_USER = 'x-access-token'
/** A push that starts now must still be allowed when it ends. */
const SPARE_MILLISECONDS = 5 * 60_000

/** Tokens that are taken out of texts: what is under way uses one of the last. */
const SECRETS_KEPT = 16

interface Minted {
  readonly token: string
  readonly expiresAt: number
  readonly permissions: Readonly<Record<string, string>>
}

export function createGitHubApp(settings: GitHubAppSettings): GitHubApp {
  const { clock } = settings
  const { fetch, stop } = createForgeFetch(settings.api, settings.limits)
  const octokit = new Octokit({ baseUrl: settings.api, userAgent: 'fleetwright', request: { fetch } })
  let secrets: readonly string[] = []
  let kept: Minted | undefined
  let minting: Promise<Minted> | undefined

  async function present(): Promise<Minted> {
    if (kept !== undefined && kept.expiresAt - SPARE_MILLISECONDS > clock.now()) return kept
    minting ??= mint(settings, octokit).finally(() => {
      minting = undefined
    })
    const minted = await minting
    if (kept !== minted) secrets = [...secrets, minted.token, basic(minted.token)].slice(-SECRETS_KEPT)
    kept = minted
    return minted
  }

  function drop(isRefused: (token: string) => boolean): void {
    if (kept !== undefined && isRefused(kept.token)) kept = undefined
  }

  return {
    appId: settings.appId,
    token: {
      present: async () => (await present()).token,
      async renewed(refused) {
        drop((token) => token === refused)
        return (await present()).token
      },
    },
    git: {
      authorization: async () => `Basic ${basic((await present()).token)}`,
      refused: (authorization) => drop((token) => authorization === `Basic ${basic(token)}`),
      redact: (text) => secrets.reduce((rest, secret) => rest.replaceAll(secret, '***'), text),
    },
    login: () => loginOf(settings, octokit),
    permissions: async () => (await present()).permissions,
    stop,
  }
}

function basic(token: string): string {
  return Buffer.from(`${GIT_USER}:${token}`).toString('base64')
}

const MINTING: Asked = { what: 'for a token of the installation of the GitHub App', right: 'of a GitHub App' }
const LOOKING: Asked = { what: 'who the GitHub App is', right: 'of a GitHub App' }

async function mint(settings: GitHubAppSettings, octokit: Octokit): Promise<Minted> {
  const { installationId, clock } = settings
  const auth = await signIn(settings, octokit)
  try {
    const given = await auth({ type: 'installation', installationId, refresh: true })
    const answer = fieldsOf(given, 'token of the installation')
    return {
      token: answer.text('token'),
      expiresAt: answer.time('expiresAt'),
      permissions: given.permissions,
    }
  } catch (error) {
    throw signInError(error, settings) ?? toGitHubError(error, MINTING, clock.now())
  }
}

async function loginOf(settings: GitHubAppSettings, octokit: Octokit): Promise<string> {
  const auth = await signIn(settings, octokit)
  try {
    const { token } = await auth({ type: 'app' })
    const { data } = await octokit.request('GET /app', { headers: { authorization: `Bearer ${token}` } })
    return `${fieldsOf(data, 'GitHub App').text('slug')}[bot]`
  } catch (error) {
    throw signInError(error, settings) ?? toGitHubError(error, LOOKING, settings.clock.now())
  }
}

async function signIn({ appId, readKey }: GitHubAppSettings, { request }: Octokit) {
  const privateKey = pkcs8(await readKey())
  const warn = (): void => undefined
  return createAppAuth({ appId, privateKey, request, log: { warn } })
}

/** GitHub gives PKCS#1 files, the client takes PKCS#8. */
function pkcs8(pem: string): string {
  try {
    const key = createPrivateKey(pem)
    if (key.asymmetricKeyType === 'rsa') return key.export({ type: 'pkcs8', format: 'pem' }).toString()
  } catch {
    // The error may quote the key.
  }
  throw new FleetError('forge-denied', 'The private key of the GitHub App is not an RSA key in PEM.')
}

/** What GitHub means when it does not let the App in; undefined: something else. */
function signInError(error: unknown, { appId, installationId }: GitHubAppSettings): FleetError | undefined {
  if (isFleetError(error)) return undefined
  const status = statusOf(error)
  if (status === 401)
    return new FleetError(
      'forge-denied',
      `GitHub does not know the GitHub App ${appId} by this private key; check its id, its key and the clock of this machine.`,
      { status },
    )
  if (status !== 404) return undefined
  return new FleetError(
    'forge-denied',
    `The GitHub App ${appId} has no installation ${installationId}; install it on the fleet repository.`,
    { status },
  )
}
