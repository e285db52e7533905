import { type Test, test } from 'tap'
import { startTestServer, TOKEN } from '../support/server.ts'

async function start(t: Test) {
  const { url, server, close } = await startTestServer()
  t.teardown(close)
  async function post(path: string, asked: object) {
    const response = await fetch(`${url}${path}`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${TOKEN}`, 'Content-Type': 'application/json' },
      body: JSON.stringify(asked),
    })
    // biome-ignore lint/suspicious/noExplicitAny: answers, plans and problems
    const body: any = await response.json()
    return { status: response.status, body }
  }
  return { writer: server.parts.writer, post }
}

const IMPORT = { 'external-cluster-secret-name': 'prod-1' }

test('utilities of an imported cluster are in its document and its system folder', async (t) => {
  const { writer, post } = await start(t)
  const asked = {
    ...IMPORT,
    'utility-versions': {
      nginx: { Chart: '4.14.0' },
      velero: { Chart: '5.1.5', ValuesPath: 'v.yaml' },
      rtcd: {},
    },
  }
  const plan = await post('/api/clusters/import?dry_run=true', asked)
  t.match(JSON.stringify(plan.body), /clusters\/prod-1\/system\/control\/velero\.yaml/)
  const { status, body } = await post('/api/clusters/import', asked)
  t.equal(status, 202)
  t.match(body.UtilityMetadata.DesiredVersions, {
    Nginx: { Chart: '4.14.0', ValuesPath: 'nginx/values.yaml' },
    Velero: { Chart: '5.1.5', ValuesPath: 'v.yaml' },
    Rtcd: null,
  })
  t.same(Object.keys(writer.fleet.cluster('prod-1')?.spec.utilities ?? {}), ['nginx', 'velero'])
})

test('a created cluster gets what is usual, but for what the fleet says itself', async (t) => {
  const { writer, post } = await start(t)
  const { status, body } = await post('/api/clusters', {
    'utility-versions': { thanos: { Chart: 'unmanaged' } },
  })
  t.equal(status, 202)
  const { utilities } = writer.fleet.clusterById(body.ID)?.spec ?? {}
  t.equal(utilities?.nginx, undefined, 'fleet.yaml pins it')
  t.equal(utilities?.velero?.chart, '5.1.5')
  t.equal(utilities?.thanos?.chart, 'unmanaged')
  const { DesiredVersions } = body.UtilityMetadata
  t.equal(DesiredVersions.Nginx.Chart, writer.fleet.settings.spec.utilities?.nginx?.chart)
  t.equal(DesiredVersions.Thanos.Chart, 'unmanaged')
})

test('a range of versions is refused, on import and on creation', async (t) => {
  const { post } = await start(t)
  const asked = { ...IMPORT, 'utility-versions': { nginx: { Chart: '^4.11' } } }
  for (const path of ['/api/clusters/import', '/api/clusters']) {
    const { status, body } = await post(path, asked)
    t.equal(status, 400, path)
    t.match(body.errors, [{ pointer: '/utility-versions/nginx/Chart', detail: /exact version/ }])
  }
})
