/** On a real Gitea: the token of the fleet repository is deleted and replaced; the repository is deleted and made again. */
import { execFileSync } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'tap'
import { missingCustomResources } from '../../scripts/testbed/custom-resources.ts'
import { startGitea } from '../../scripts/testbed/gitea.ts'
import { createSupervisor } from '../../scripts/testbed/supervisor.ts'
import { composeServer, type RunningServer } from '../../src/cli/compose.ts'
import { readConfiguration } from '../../src/configuration/read.ts'
import { send } from '../support/api.ts'
import { createGiteaWorld, type GiteaWorld } from '../support/gitea-world.ts'
import { TOKEN } from '../support/server.ts'
import { until } from '../support/until.ts'

const skip = missingCustomResources() ?? false

/** As a person revokes it: with a login, for a token cannot end itself. */
async function deleteToken({ gitea }: GiteaWorld, login: string, name: string): Promise<void> {
  const basic = Buffer.from(`${gitea.user}:${gitea.token}`).toString('base64')
  const url = `${gitea.url}/api/v1/users/${login}/tokens/${name}`
  const response = await fetch(url, { method: 'DELETE', headers: { Authorization: `Basic ${basic}` } })
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`)
}

test('a token and a repository that are taken away and come back', { skip, timeout: 600_000 }, async (t) => {
  const supervisor = await createSupervisor()
  t.teardown(() => supervisor.close())
  const gitea = await startGitea(supervisor)
  const world = await createGiteaWorld(gitea, await supervisor.makeFolder('people'), { isEmpty: true })
  const folder = await supervisor.makeFolder('fleetwright')
  const tokenFile = join(folder, 'token')
  await writeFile(tokenFile, world.fleetwright.token)
  async function serve(more: Readonly<Record<string, string>> = {}): Promise<RunningServer> {
    const settings = { fleet: world.cloneUrl, 'fleet-token-file': tokenFile, forge: 'gitea' }
    const flags = {
      data: join(folder, 'data'),
      'poll-seconds': '1',
      'log-level': 'silent',
      ...settings,
      ...more,
    }
    return await composeServer(
      readConfiguration({ flags, environment: { FLEETWRIGHT_ADMIN_TOKEN: TOKEN } }),
      '0.0.0',
    )
  }
  const server = await serve()
  const { url } = await server.api.listen({ host: '127.0.0.1', port: 0 })
  const create = (name: string): ReturnType<typeof send> =>
    send(url, 'POST', '/api/groups', { body: { Name: name, MaxRolling: 1 } })
  const readiness = (): ReturnType<typeof send> => send(url, 'GET', '/readyz', { token: null })
  t.equal((await create('before')).status, 200)

  await deleteToken(world, world.fleetwright.login, 'testbed-all')
  t.match(await create('meanwhile'), { status: 502, body: { code: 'remote-denied' } })
  t.match(await until(readiness, ({ status }) => status === 503, 60), { body: { code: 'remote-denied' } })
  const { body } = await send(url, 'GET', '/api/fleet/problems')
  t.ok(body.problems.some(({ code }: { code: string }) => code === 'remote-denied'))
  t.notMatch(JSON.stringify(body), new RegExp(world.fleetwright.token))
  await writeFile(
    tokenFile,
    await gitea.addToken(world.fleetwright.login, [
      'write:repository',
      'write:issue',
      'read:organization',
      'read:user',
    ]),
  )
  await until(readiness, ({ status }) => status === 200, 60)
  t.equal((await create('after')).status, 200)
  const { head } = server.parts.writer
  await server.close()

  // Somebody keeps a copy, deletes the repository, makes a new one, and pushes everything back.
  const copy = join(folder, 'copy.git')
  const authorized = world.cloneUrl.replace('http://', `http://${gitea.user}:${gitea.token}@`)
  await mkdir(copy)
  execFileSync('git', ['clone', '--quiet', '--mirror', authorized, copy])
  const [owner = '', name = ''] = world.repository.split('/')
  await gitea.call('DELETE', `/repos/${world.repository}`)
  await gitea.call('POST', `/orgs/${owner}/repos`, { name, private: true, default_branch: 'main' })
  await gitea.call('PUT', `/repos/${world.repository}/collaborators/${world.fleetwright.login}`, {
    permission: 'admin',
  })
  await t.rejects(serve(), { code: 'history-rewritten', message: new RegExp(`is gone.*${head}`) })
  execFileSync('git', ['--git-dir', copy, 'push', '--quiet', '--mirror', authorized])
  await t.rejects(serve(), {
    code: 'history-rewritten',
    message: /is another repository \(number \d+\).*--accept-new-history/,
  })
  const again = await serve({ 'accept-new-history': head })
  t.equal(again.parts.writer.head, head)
  await again.close()
})
