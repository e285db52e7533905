import { test } from 'tap'
import { API_VERSION, type SharedDatabase } from '../../src/fleet/intents.ts'
import { databasePath, FLEET_PATH } from '../../src/fleet/paths.ts'
import { importCluster, send } from '../support/api.ts'
import { installationBody } from '../support/changes.ts'
import { AWS, CREATED_AT, id } from '../support/intents.ts'
import { startTestServer } from '../support/server.ts'

const server = await startTestServer('all')
const { url } = server
const { writer, clock } = server.server.parts
const database: SharedDatabase = {
  apiVersion: API_VERSION,
  kind: 'SharedDatabase',
  metadata: { id: id(1), name: 'shared', createdAt: CREATED_AT },
  spec: {
    databaseKind: 'aws-multitenant-rds-postgres-pgbouncer',
    rdsClusterId: 'rds-1',
    vpc: 'vpc-0a1b2c3d',
    writerEndpoint: 'writer.example.com',
    port: 5432,
    adminSecretKey: 'databases/shared',
  },
}
await writer.submit(
  ({ settings }) => ({
    changes: [
      { path: FLEET_PATH, before: settings, after: { ...settings, spec: { ...settings.spec, aws: AWS } } },
      { path: databasePath('shared'), before: undefined, after: database },
    ],
    text: { subject: 'Add a shared database', trailers: {} },
    value: undefined,
  }),
  { requestId: 'add', actor: { name: 'ada', email: 'ada@example.com' }, now: clock.now() },
)
await send(url, 'POST', '/api/clusters/import', {
  body: { 'external-cluster-secret-name': 'aws', 'allow-installations': true, 'vpc-id': 'vpc-0a1b2c3d' },
})

test('records show what placement assigned, and limits that it heeds', async (t) => {
  const path = `/api/databases/multitenant_database/${id(1)}`
  const limit = await send(url, 'PUT', path, { body: { MaxInstallationsPerLogicalDatabase: 2 } })
  t.match(limit, { status: 200, body: { MaxInstallationsPerLogicalDatabase: 10 } }, 'as it was before')
  t.match((await send(url, 'GET', path)).body, { MaxInstallationsPerLogicalDatabase: 2 })
  const ids: string[] = []
  for (const name of ['one', 'two', 'three']) {
    const reply = await send(url, 'POST', '/api/installations', {
      body: { ...installationBody(name), Database: database.spec.databaseKind, Filestore: 'bifrost' },
    })
    t.equal(reply.status, 202, reply.text)
    ids.push(reply.body.ID)
  }
  t.same((await send(url, 'GET', path)).body.Installations.sort(), [...ids].sort())
  const { body: logical } = await send(
    url,
    'GET',
    `/api/databases/logical_databases?multitenant_database_id=${id(1)}`,
  )
  t.equal(logical.length, 2, 'two fit into the first one')
  const { body: schemas } = await send(
    url,
    'GET',
    `/api/databases/database_schemas?logical_database_id=${logical[0].ID}`,
  )
  t.equal(schemas.length, 2)
  const { body: own } = await send(url, 'GET', `/api/databases/database_schemas?installation_id=${ids[2]}`)
  t.match(own, [{ InstallationID: ids[2], Name: `id_${ids[2]}`, LogicalDatabaseID: logical[1].ID }])
  t.same((await send(url, 'GET', `/api/databases/database_schema/${own[0].ID}`)).body, own[0])
  const used = await send(url, 'DELETE', `/api/databases/logical_database/${logical[0].ID}`)
  t.match(used, { status: 400, body: { code: 'invalid-state', detail: /has 2 schemas/ } })
  t.match(await send(url, 'DELETE', `${path}?force=true`), { status: 403, body: { code: 'guarded' } })
})

test('a record is deleted only by who says that the database is gone', async (t) => {
  const path = `/api/databases/multitenant_database/${id(1)}`
  t.match(await send(url, 'DELETE', path), { status: 400, body: { detail: /force=true/ } })
  t.equal((await send(url, 'PUT', path, { body: { MaxInstallationsPerLogicalDatabase: 0 } })).status, 400)
  t.equal((await send(url, 'GET', `/api/databases/multitenant_database/${id(9)}`)).status, 404)
})

test('a cluster without AWS does not take what needs a shared database', async (t) => {
  await importCluster(url, 'plain')
  const { body: plan } = await send(url, 'POST', '/api/installations?dry_run=true', {
    body: { ...installationBody('four'), Database: database.spec.databaseKind, Filestore: 'bifrost' },
  })
  const plain = plan.placement.candidates.find(({ cluster }: { cluster: string }) => cluster === 'plain')
  t.match(plain, { refusal: /has no AWS/ })
})

test('the server ends', async () => {
  await server.close()
})
