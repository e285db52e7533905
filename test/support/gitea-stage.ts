/** A whole server before a repository on a real Gitea, with a token that can be taken away, and a person who owns Gitea. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Test } from 'tap'
import { startGitea } from '../../scripts/testbed/gitea.ts'
import { createSupervisor } from '../../scripts/testbed/supervisor.ts'
import { composeServer, type RunningServer } from '../../src/cli/compose.ts'
import { readConfiguration } from '../../src/configuration/read.ts'
import { git } from '../../src/git/child-process.ts'
import { type Reply, send } from './api.ts'
import { createGiteaWorld, type GiteaWorld, type GiteaWorldOptions } from './gitea-world.ts'
import { TOKEN } from './server.ts'
import { until } from './until.ts'

/** The least that docs/operations.md names. */
const SCOPES = ['write:repository', 'write:issue', 'read:organization', 'read:user'] as const

export interface StageServer {
  readonly server: RunningServer
  readonly url: string
  /** Ends it and keeps the data directory. */
  stop(): Promise<void>
}

export interface GiteaStage extends GiteaWorld {
  /** Of the process group, the repositories of Gitea and everything else; removed at the end. */
  readonly folder: string
  /** Starts the server on the same data directory; what is given are further settings. @throws FleetError as it does */
  serve(more?: Readonly<Record<string, string>>): Promise<StageServer>
  /** Deletes the token that the server uses, as a person does. */
  revokeToken(): Promise<void>
  /** Puts a new one where the server looks. */
  renewToken(): Promise<void>
  /** Native git in a clone of the administrator's, whose `origin` is the repository. @returns what it printed */
  owner(...args: readonly string[]): Promise<string>
  /** Deletes the repository and makes an empty one of the same name. */
  recreate(): Promise<void>
  /** What the repository has now: every ref and where it is, sorted. */
  refs(): Promise<string>
}

export async function startGiteaStage(t: Test, options: GiteaWorldOptions = {}): Promise<GiteaStage> {
  const supervisor = await createSupervisor()
  t.teardown(() => supervisor.close())
  const gitea = await startGitea(supervisor)
  const world = await createGiteaWorld(gitea, await supervisor.makeFolder('people'), options)
  const { repository, fleetwright } = world
  const folder = await supervisor.makeFolder('fleetwright')
  const clone = join(folder, 'owner.git')
  const tokenFile = join(folder, 'token')
  await writeFile(tokenFile, fleetwright.token)
  await git(['init', '--quiet', '--bare', clone])
  const authorized = world.cloneUrl.replace('http://', `http://${gitea.user}:${gitea.token}@`)
  await git(['remote', 'add', '--mirror=fetch', 'origin', authorized], { directory: clone })
  const owner = async (...args: readonly string[]): Promise<string> =>
    (await git(args, { directory: clone })).toString('utf8').trim()
  return {
    ...world,
    folder: supervisor.folder,
    owner,
    async serve(more = {}) {
      const { stop, ...running } = await serve({
        ...{ data: join(folder, 'data'), 'log-level': 'silent' },
        ...{ fleet: world.cloneUrl, 'fleet-token-file': tokenFile, forge: 'gitea' },
        ...{ 'poll-seconds': '1', 'pull-request-poll-seconds': '2' },
        ...more,
      })
      let stopped: Promise<void> | undefined
      const stopOnce = (): Promise<void> => (stopped ??= stop())
      t.teardown(stopOnce)
      return { ...running, stop: stopOnce }
    },
    async revokeToken() {
      // With a login, for a token cannot end itself.
      const basic = Buffer.from(`${gitea.user}:${gitea.token}`).toString('base64')
      const url = `${gitea.url}/api/v1/users/${fleetwright.login}/tokens/testbed-all`
      const response = await fetch(url, { method: 'DELETE', headers: { Authorization: `Basic ${basic}` } })
      if (!response.ok) throw new Error(`${response.status} ${await response.text()}`)
    },
    async renewToken() {
      await writeFile(tokenFile, await gitea.addToken(fleetwright.login, SCOPES))
    },
    async recreate() {
      const [organization = '', name = ''] = repository.split('/')
      await gitea.call('DELETE', `/repos/${repository}`)
      await gitea.call('POST', `/orgs/${organization}/repos`, { name, private: true, default_branch: 'main' })
      for (const [login, permission] of [
        [fleetwright.login, 'admin'],
        [world.person.login, 'write'],
      ])
        await gitea.call('PUT', `/repos/${repository}/collaborators/${login}`, { permission })
    },
    refs: async () => (await owner('ls-remote', 'origin', 'refs/*')).split('\n').sort().join('\n'),
  }
}

async function serve(flags: Readonly<Record<string, string>>): Promise<StageServer> {
  const environment = { FLEETWRIGHT_ADMIN_TOKEN: TOKEN }
  const server = await composeServer(readConfiguration({ flags, environment }), '0.0.0')
  const { url } = await server.api.listen({ host: '127.0.0.1', port: 0 })
  return { server, url, stop: () => server.close() }
}

/** Asks for an installation; the same name is the same request. */
export async function create({ url }: StageServer, name: string): Promise<Reply> {
  return await send(url, 'POST', '/api/installations', {
    headers: { 'Idempotency-Key': `create-${name}` },
    body: {
      ...{ OwnerID: 'owner', DNSNames: [`${name}.api.example.com`], Name: name, Affinity: 'multitenant' },
      ...{ Database: 'cloudnative-pg', Filestore: 'local-ephemeral' },
    },
  })
}

/** Waits until it is ready, or not, and says so. */
export async function readiness({ url }: StageServer, status: 200 | 503): Promise<Reply> {
  const ask = (): Promise<Reply> => send(url, 'GET', '/readyz', { token: null })
  return await until(ask, (reply) => reply.status === status, 120)
}

/** Codes of what is wrong now. */
export async function problemCodes({ url }: StageServer): Promise<readonly string[]> {
  const { body } = await send(url, 'GET', '/api/fleet/problems')
  return body.problems.map(({ code }: { readonly code: string }) => code)
}
