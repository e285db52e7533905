import { test } from 'tap'
import { createStable, importCluster, send } from '../support/api.ts'
import { startTestServer } from '../support/server.ts'
import { observed } from '../support/sights.ts'

const server = await startTestServer('all')
const { url } = server
const { parts } = server.server
await importCluster(url)
const installation = await createStable(server, 'one')
const deployment = parts.writer.fleet.installation(installation)?.spec.clusterInstallations?.[0]?.id

const ask = (id = deployment) => send(url, 'GET', `/api/cluster_installation/${id}/status`)
const see = (seen: ReturnType<typeof observed> | undefined): void => {
  Object.assign(parts.sights, { installation: () => seen })
}

test('pods are counted as the cluster tells them', async (t) => {
  see(observed({ sight: { pods: { wanted: 3, total: 4, running: 3, started: 2, ready: 1, problems: [] } } }))
  t.match(await ask(), { status: 200 })
  t.strictSame((await ask()).body, {
    InstallationFound: true,
    Replicas: 3,
    TotalPod: 4,
    RunningPod: 3,
    ReadyPod: 1,
    StartedPod: 2,
    ReadyLocalServer: 1,
  })
})

test('an installation that is not there yet is not found', async (t) => {
  const { sight } = observed()
  see(
    sight === undefined
      ? undefined
      : { ...observed(), sight: { ...sight, mattermost: undefined, pods: undefined } },
  )
  t.match((await ask()).body, { InstallationFound: false, TotalPod: 0 })
})

test('old knowledge is not told as present', async (t) => {
  const problem = { code: 'unreachable', detail: 'connect ECONNREFUSED', since: 0 } as const
  see(observed({ sight: { contact: { connected: false, lastContact: 0, problem } } }))
  t.match(await ask(), {
    status: 503,
    body: { code: 'cluster-unavailable', detail: /prod-1 .*ECONNREFUSED/ },
  })
  see(undefined)
  t.match(await ask(), { status: 503, body: { detail: /not observed/ } })
})

test('one that nobody knows is not found', async (t) => {
  t.match(await ask('a'.repeat(26) as never), { status: 404 })
})

test('the server closes', (t) => t.resolves(server.close()))
