/** A configured GitHub App logs in to git and to the API. */
import { generateKeyPairSync } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Test, test } from 'tap'
import { fleetTransport } from '../../src/cli/fleet-transport.ts'
import { type ConfiguredGitHubApp, configuredGitHubApp } from '../../src/cli/github-app.ts'
import { openForge } from '../../src/cli/open-forge.ts'
import { readConfiguration } from '../../src/configuration/read.ts'
import type { Configuration } from '../../src/configuration/settings.ts'
import { git, runGit } from '../../src/git/child-process.ts'
import type { GitTransport } from '../../src/git/remote/transport.ts'
import { systemClock } from '../../src/system/clock.ts'
import { type GitHubStandIn, startGitHubStandIn } from '../stand-ins/github.ts'
import { APP_ID, INSTALLATION_ID } from '../stand-ins/github/world.ts'
import { openBareRepository } from '../support/bare-repository.ts'
import { createMemoryForge } from '../support/memory-forge.ts'

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const PEM = privateKey.export({ type: 'pkcs1', format: 'pem' }).toString()
const ID = String(APP_ID)
const INSTALLATION = String(INSTALLATION_ID)

async function start(t: Test): Promise<{ standIn: GitHubStandIn; folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'fleetwright-app-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const directory = join(folder, 'fleet.git')
  await git(['init', '--quiet', '--bare', '--initial-branch=main', directory])
  const repository = openBareRepository(directory)
  await repository.move('refs/heads/main', await repository.commit(undefined, { 'a.txt': 'a\n' }, 'Begin'))
  const standIn = await startGitHubStandIn({
    memory: createMemoryForge({ directory }),
    ...{ directory, appKey: publicKey },
  })
  t.teardown(() => standIn.close())
  return { standIn, folder }
}

function configurationOf(flags: Readonly<Record<string, string>>, key?: string): Configuration {
  const environment = key === undefined ? {} : { FLEETWRIGHT_GITHUB_APP_KEY: key }
  return readConfiguration({ flags: { forge: 'github', ...flags }, environment })
}

async function openTransport(
  t: Test,
  fleet: string,
  configuration: Configuration,
  app: ConfiguredGitHubApp | undefined,
): Promise<GitTransport> {
  t.teardown(() => app?.app.stop())
  const transport = fleetTransport(fleet, configuration, app)
  if (transport === undefined) throw new Error('it is on a server')
  t.teardown(() => transport.close())
  return transport
}

test('git and the API share a token, and a revoked one is replaced', async (t) => {
  const { standIn, folder } = await start(t)
  const keyFile = join(folder, 'app.pem')
  await writeFile(keyFile, PEM)
  const fleet = `${standIn.url}/acme/fleet.git`
  const configuration = configurationOf({
    ...{ fleet, 'github-app-id': ID, 'github-app-installation': INSTALLATION },
    'github-app-key-file': keyFile,
  })
  const app = await configuredGitHubApp(configuration, systemClock)
  if (app === undefined) throw new Error('it is configured')
  const transport = await openTransport(t, fleet, configuration, app)
  await transport.advertisement('git-upload-pack', 2)
  const address = { kind: 'github', server: standIn.url, repository: 'acme/fleet' } as const
  const { forge } = await openForge(address, configuration, systemClock, app.app)
  t.teardown(() => forge.stop())
  t.strictSame(await forge.openPullRequests('main'), [])
  t.equal(standIn.minted.length, 1)
  standIn.revoke(standIn.minted[0] ?? '')
  await transport.advertisement('git-upload-pack', 2)
  t.equal(standIn.minted.length, 2, 'in the same request')
  standIn.revoke(standIn.minted[1] ?? '')
  const listed = async () =>
    await runGit(['ls-remote', transport.native.url], { environment: await transport.native.environment() })
  const refused = await listed()
  t.not(refused.code, 0)
  t.match(transport.native.failure(refused.words), { code: 'remote-denied' })
  t.match(await listed(), { code: 0 }, 'native git gets another one the next time')
  t.equal(standIn.minted.length, 3)
  for (const token of standIn.minted) t.notMatch(transport.native.redact(`remote: ${token}`), token)
})

test('what a git server is told when the App is not let in', async (t) => {
  const { standIn } = await start(t)
  const fleet = `${standIn.url}/acme/fleet.git`
  const flags = { fleet, 'github-app-id': '1', 'github-app-installation': INSTALLATION }
  const configuration = configurationOf(flags, PEM.replaceAll('\n', '\\n'))
  const app = await configuredGitHubApp(configuration, systemClock)
  const transport = await openTransport(t, fleet, configuration, app)
  await t.rejects(transport.advertisement('git-upload-pack', 2), {
    code: 'remote-denied',
    message: /does not know the GitHub App 1/,
  })
})

test('a token of the App goes to its own server only, and not when there is another token', async (t) => {
  const { standIn } = await start(t)
  const settings = { 'github-app-id': ID, 'github-app-installation': INSTALLATION }
  const elsewhere = { fleet: `${standIn.url}/acme/fleet.git`, 'forge-url': 'https://github.example.com' }
  const others: readonly Readonly<Record<string, string>>[] = [
    elsewhere,
    { fleet: elsewhere.fleet, 'fleet-token-file': '/dev/null' },
  ]
  for (const flags of others) {
    const configuration = configurationOf({ ...settings, ...flags }, PEM)
    const app = await configuredGitHubApp(configuration, systemClock)
    const transport = await openTransport(t, elsewhere.fleet, configuration, app)
    await t.rejects(transport.advertisement('git-upload-pack', 2), { code: 'remote-denied' })
    t.strictSame(standIn.minted, [])
  }
})

test('half a GitHub App is an error that says what is missing', async (t) => {
  const fleet = 'https://github.example.com/acme/fleet.git'
  const all = {
    fleet,
    'github-app-id': ID,
    'github-app-installation': INSTALLATION,
    'github-app-key-file': 'k',
  }
  const { 'github-app-id': _, ...withoutId } = all
  const { 'github-app-installation': __, ...withoutInstallation } = all
  const { 'github-app-key-file': ___, ...withoutKey } = all
  const cases: readonly (readonly [Readonly<Record<string, string>>, RegExp])[] = [
    [withoutId, /needs github-app-id/],
    [withoutInstallation, /needs github-app-installation/],
    [withoutKey, /needs github-app-key-file/],
    [{ ...all, 'forge-token-file': 'token' }, /a GitHub App or forge-token-file, not both/],
    [{ ...all, forge: 'gitea' }, /set forge to github/],
  ]
  for (const [flags, message] of cases)
    await t.rejects(configuredGitHubApp(configurationOf(flags), systemClock), {
      code: 'invalid-configuration',
      message,
    })
  await t.rejects(configuredGitHubApp(configurationOf(all, PEM), systemClock), { message: /not both/ })
  t.equal(await configuredGitHubApp(configurationOf({ fleet }), systemClock), undefined)
  t.throws(() => configurationOf({ 'github-app-id': 'fleetwright' }), { message: /must be a whole number/ })
})
