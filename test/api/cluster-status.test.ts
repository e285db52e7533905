import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'tap'
import { importCluster, send } from '../support/api.ts'
import { startTestServer } from '../support/server.ts'
import { until } from '../support/until.ts'

const CANARY = 'canary-7d20b5-never-shown'
const server = await startTestServer('all')
const { url, folder } = server

test('clusters as they are seen', async (t) => {
  t.teardown(() => server.close())
  const id = await importCluster(url, 'prod-1')
  await importCluster(url, 'prod-2')
  const problemOf = async (name: string) =>
    (await send(url, 'GET', `/api/fleet/clusters/${name}/status`)).body.problem?.code

  await t.test('one without credentials says so, and where they belong', async (t) => {
    await until(
      () => problemOf('prod-1'),
      (code) => code !== undefined,
    )
    const { status, body } = await send(url, 'GET', '/api/fleet/clusters/prod-1/status')
    t.equal(status, 200)
    t.match(body, { id, name: 'prod-1', connected: false, fresh: false, stale: true, observedAt: null })
    t.match(body.problem, { code: 'credentials-missing', detail: join('credentials', 'prod-1') })
    t.ok(Date.parse(body.problem.since) <= Date.now())
    t.same([body.nodes, body.operatorBusy], [null, null], 'nothing is made up')
  })
  await t.test('a broken one is noticed, shows nothing of itself, and harms no other', async (t) => {
    await writeFile(join(folder, 'credentials', 'prod-1'), `users: [{user: {token: ${CANARY}}}`)
    await until(
      () => problemOf('prod-1'),
      (code) => code === 'credentials-invalid',
    )
    const list = await send(url, 'GET', '/api/fleet/clusters')
    t.notMatch(list.text, CANARY)
    t.match(list.body.control.problem, { code: 'credentials-missing' })
    const codes = list.body.clusters.map((cluster: { problem: { code: string } }) => cluster.problem.code)
    t.same(codes, ['credentials-invalid', 'credentials-missing'])
  })
  await t.test('one that is not there', async (t) => {
    t.match(await send(url, 'GET', '/api/fleet/clusters/none/status'), {
      status: 404,
      body: { code: 'not-found' },
    })
  })
})

test('when nothing is observed, that is what is said', async (t) => {
  const quiet = await startTestServer('none')
  t.teardown(() => quiet.close())
  await importCluster(quiet.url, 'prod-1')
  const { body } = await send(quiet.url, 'GET', '/api/fleet/clusters')
  t.equal(body.control, null)
  t.match(body.clusters, [{ name: 'prod-1', connected: false, stale: true, observedAt: null, nodes: null }])
})
