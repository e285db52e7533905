/** On a real Gitea: the token of the fleet repository is deleted and replaced; the repository is deleted and made again. */
import { test } from 'tap'
import { missingCustomResources } from '../../scripts/testbed/custom-resources.ts'
import { send } from '../support/api.ts'
import { startGiteaStage } from '../support/gitea-stage.ts'
import { until } from '../support/until.ts'

const skip = missingCustomResources() ?? false

test('a token and a repository that are taken away and come back', { skip, timeout: 600_000 }, async (t) => {
  const stage = await startGiteaStage(t, { isEmpty: true })
  const first = await stage.serve()
  const { server, url } = first
  const create = (name: string): ReturnType<typeof send> =>
    send(url, 'POST', '/api/groups', { body: { Name: name, MaxRolling: 1 } })
  const readiness = (): ReturnType<typeof send> => send(url, 'GET', '/readyz', { token: null })
  t.equal((await create('before')).status, 200)

  await stage.revokeToken()
  t.match(await create('meanwhile'), { status: 502, body: { code: 'remote-denied' } })
  t.match(await until(readiness, ({ status }) => status === 503, 60), { body: { code: 'remote-denied' } })
  const { body } = await send(url, 'GET', '/api/fleet/problems')
  t.ok(body.problems.some(({ code }: { code: string }) => code === 'remote-denied'))
  t.notMatch(JSON.stringify(body), new RegExp(stage.fleetwright.token))
  await stage.renewToken()
  await until(readiness, ({ status }) => status === 200, 60)
  t.equal((await create('after')).status, 200)
  const { head } = server.parts.writer
  await first.stop()

  // Somebody keeps a copy, deletes the repository, makes a new one, and pushes everything back.
  await stage.owner('fetch', '--quiet', 'origin')
  await stage.recreate()
  await t.rejects(stage.serve(), { code: 'history-rewritten', message: new RegExp(`is gone.*${head}`) })
  await stage.owner('push', '--quiet', '--mirror', 'origin')
  await t.rejects(stage.serve(), {
    code: 'history-rewritten',
    message: /is another repository \(number \d+\).*--accept-new-history/,
  })
  const again = await stage.serve({ 'accept-new-history': head })
  t.equal(again.server.parts.writer.head, head)
})
