import { test } from 'tap'
import { createStable, importCluster, send } from '../support/api.ts'
import { startTestServer } from '../support/server.ts'

const server = await startTestServer('all')
const { url } = server
const cluster = await importCluster(url)
const ids = [
  await createStable(server, 'one'),
  await createStable(server, 'two'),
  await createStable(server, 'three'),
]

const LISTS = [
  ['', 3],
  [`?cluster=${cluster}`, 3],
  [`?cluster=${cluster}&include_deleted=true`, 3],
  [`?installation=${ids[1]}`, 1],
  [`?cluster=${cluster}&installation=${ids[1]}`, 1],
  ['?cluster=aaaaaaaaaaaaaaaaaaaaaaaaaa', 0],
  [`?cluster=aaaaaaaaaaaaaaaaaaaaaaaaaa&installation=${ids[1]}`, 0],
  ['?cluster=malformed', 0],
  [`?cluster=${cluster}&per_page=2`, 2],
  [`?cluster=${cluster}&per_page=2&page=1`, 1],
  [`?cluster=${cluster}&per_page=0`, 0],
] as const

test('deployments are listed by cluster and installation, oldest first, in pages', async (t) => {
  for (const [query, count] of LISTS) {
    const { body } = await send(url, 'GET', `/api/cluster_installations${query}`)
    t.equal(body.length, count, query)
    const times = body.map(({ CreateAt }: { CreateAt: number }) => CreateAt)
    t.same(times, [...times].sort(), query)
  }
})

test('a deployment is got by its id, and locked on its own', async (t) => {
  const [deployment] = (await send(url, 'GET', `/api/cluster_installations?installation=${ids[0]}`)).body
  t.match(deployment, { ClusterID: cluster, InstallationID: ids[0], Namespace: ids[0], IsActive: true })
  const path = `/api/security/cluster_installation/${deployment.ID}/api`
  t.equal((await send(url, 'POST', `${path}/lock`)).status, 200)
  t.same((await send(url, 'GET', `/api/cluster_installation/${deployment.ID}`)).body, {
    ...deployment,
    APISecurityLock: true,
  })
  t.equal((await send(url, 'GET', `/api/installation/${ids[0]}`)).body.APISecurityLock, false)
  t.equal((await send(url, 'POST', `${path}/unlock`)).status, 200)
  t.equal((await send(url, 'GET', '/api/cluster_installation/aaaaaaaaaaaaaaaaaaaaaaaaaa')).status, 404)
})

test('the server ends', async () => {
  await server.close()
})
