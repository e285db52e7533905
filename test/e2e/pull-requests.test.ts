/** The whole story of a pull request on a real Gitea, before a whole server: hooks, real pushes, and a person who pushes to main. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Test, test } from 'tap'
import { missingCustomResources } from '../../scripts/testbed/custom-resources.ts'
import { startGitea } from '../../scripts/testbed/gitea.ts'
import { createSupervisor } from '../../scripts/testbed/supervisor.ts'
import { composeServer, type RunningServer } from '../../src/cli/compose.ts'
import { readConfiguration } from '../../src/configuration/read.ts'
import { importCluster, makeStable, send } from '../support/api.ts'
import { createGiteaWorld, type GiteaWorld } from '../support/gitea-world.ts'
import { requestText } from '../support/pull-request-world.ts'
import { TOKEN } from '../support/server.ts'
import { until } from '../support/until.ts'

const skip = missingCustomResources() ?? false
const SECRET = 'for-tests-only'
const CHECK = 'fleetwright/plan'

interface Stage extends GiteaWorld {
  readonly server: RunningServer
  readonly url: string
}

async function start(t: Test): Promise<Stage> {
  const supervisor = await createSupervisor()
  t.teardown(() => supervisor.close())
  const gitea = await startGitea(supervisor)
  const world = await createGiteaWorld(gitea, await supervisor.makeFolder('people'))
  const folder = await mkdtemp(join(tmpdir(), 'fleetwright-'))
  const environment = {
    FLEETWRIGHT_ADMIN_TOKEN: TOKEN,
    FLEETWRIGHT_FLEET_TOKEN: world.fleetwright.token,
    FLEETWRIGHT_FORGE_HOOK_SECRET: SECRET,
  }
  const flags = {
    ...{ data: folder, fleet: world.cloneUrl, forge: 'gitea', 'log-level': 'silent' },
    // Only hooks are quick.
    ...{ 'poll-seconds': '3600', 'pull-request-poll-seconds': '3600' },
  }
  const server = await composeServer(readConfiguration({ flags, environment }), '0.0.0')
  t.teardown(async () => {
    await server.close()
    await rm(folder, { recursive: true, force: true })
  })
  const { url } = await server.api.listen({ host: '127.0.0.1', port: 0 })
  await gitea.call('POST', `/repos/${world.repository}/hooks`, {
    type: 'gitea',
    active: true,
    events: ['push', 'pull_request', 'pull_request_sync'],
    config: { url: `${url}/api/fleet/hooks/gitea`, content_type: 'json', secret: SECRET },
  })
  return { ...world, server, url }
}

async function listed(
  { url }: Stage,
  number: number,
  result: string,
): Promise<{ readonly head: string; readonly problems: number }> {
  return await until(
    async () =>
      (await send(url, 'GET', '/api/fleet/pull-requests')).body.pullRequests.find(
        (one: { readonly number: number }) => one.number === number,
      ),
    (one) => one?.result === result,
    60,
  )
}

async function told({ sight }: Stage, number: number, what: RegExp): Promise<readonly string[]> {
  const texts = await until(
    async () => (await sight.comments(number)).map(({ text }) => text),
    (all) => all.some((text) => what.test(text)),
    60,
  )
  return texts
}

test('a pull request from its opening to a live workspace', { skip }, async (t) => {
  const stage = await start(t)
  const { people, sight, server, url } = stage
  await importCluster(url)
  const { number, head } = await people.openPullRequest({
    ...{ branch: 'acme', title: 'Add acme' },
    files: { 'requests/acme.yaml': `${requestText('acme')}  color: red\n` },
  })
  await listed(stage, number, 'failure')
  t.match(await sight.check(head, CHECK), { result: 'failure' })
  const onLines = (await sight.annotations(number)).filter(({ line }) => line > 0)
  t.match(onLines, [{ path: 'requests/acme.yaml', line: 8 }])
  const fixed = await people.push(number, { 'requests/acme.yaml': requestText('acme') })
  t.equal((await listed(stage, number, 'success')).head, fixed)
  t.match(await sight.check(fixed, CHECK), { result: 'success' })

  const fork = await people.openPullRequest({
    ...{ branch: 'globex', title: 'Add globex', fromFork: true },
    files: { 'requests/globex.yaml': requestText('globex', 'acme.cloud.example.com') },
  })
  await listed(stage, fork.number, 'success')
  // Somebody pushes to main all the while.
  await people.commit('main', { 'README.md': 'Our fleet\n' })
  await people.merge(number, 'rebase')
  await people.commit('main', { 'README.md': 'Our fleet, once more\n' })
  const installation = await until(
    async () => server.parts.writer.fleet.installationByName('acme'),
    (found) => found !== undefined,
    60,
  )
  await told(stage, number, /is made on cluster/)
  const [commit] = await server.parts.history.log({ paths: ['requests/acme.yaml'], limit: 1 })
  t.match(commit, { author: 'Grace', trailers: { 'Pull-Request': new RegExp(`/pulls/${number}$`) } })
  if (installation !== undefined) makeStable(server.parts, installation.metadata.id)
  t.equal((await told(stage, number, /The workspace is live/)).length, 2)

  await listed(stage, fork.number, 'failure')
  t.match(await sight.check(fork.head, CHECK), { result: 'failure' })
  t.same((await send(url, 'GET', '/api/fleet/problems')).body.problems, [])
})
