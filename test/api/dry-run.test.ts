import { t, test } from 'tap'
import { routeTable } from '../../src/api/table.ts'
import { hasDryRun, type Route } from '../../src/api/routes.ts'
import { importCluster, send } from '../support/api.ts'
import { installationBody, prepareChanges } from '../support/changes.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

t.setTimeout(180_000)

/** Routes of the provisioning API that change something and are there. */
function changingRoutes({ server }: TestServer): readonly Route[] {
  return routeTable(server.parts).filter(
    (route) => route.wire && hasDryRun(route) && !route.summary.endsWith('(not available yet)'),
  )
}

test('every change of the table can be planned, and nothing is written', async (t) => {
  const server = await startTestServer()
  t.teardown(() => server.close())
  const cases = await prepareChanges(server)
  t.same(
    cases.map(({ operationId }) => operationId).sort(),
    changingRoutes(server)
      .map(({ operationId }) => operationId)
      .sort(),
    'every route has a case',
  )
  const { writer, secrets } = server.server.parts
  const head = writer.head
  const kept = await secrets.list('')
  for (const { operationId, method, path, body } of cases) {
    const { status, body: plan } = await send(
      server.url,
      method,
      `${path}${path.includes('?') ? '&' : '?'}dry_run=true`,
      { body },
    )
    t.equal(status, 200, operationId)
    t.match(plan, { dryRun: true, subject: /\w/, base: head }, operationId)
    t.not(plan.files.length, 0, `${operationId} names the files`)
    for (const file of plan.files) {
      t.match(file, { path: /^[a-z].*\.(?:yaml|md)$/, change: /^(?:added|changed|removed)$/ })
      t.ok(plan.diff.includes(file.path), `${operationId} shows the difference of ${file.path}`)
    }
    t.match(plan.diff, /^[-+][^-+]/m, `${operationId} shows lines`)
  }
  t.equal(writer.head, head, 'no commit')
  t.same(await secrets.list(''), kept, 'no secret')
})

test('a plan of a creation says where it would go and why, and what would be rendered', async (t) => {
  const server = await startTestServer('all')
  t.teardown(() => server.close())
  await importCluster(server.url)
  const { body: plan } = await send(server.url, 'POST', '/api/installations?dry_run=true', {
    body: { ...installationBody('acme'), License: 'licence-of-the-test' },
  })
  t.match(plan.placement, { outcome: 'placed', cluster: 'prod-1', reason: /least loaded of 1 cluster/ })
  t.match(plan.placement.candidates, [{ cluster: 'prod-1', installations: 0 }])
  t.ok(plan.files.some(({ path }: { path: string }) => path.endsWith('/manifest.yaml')))
  t.match(plan.diff, /^\+kind: Mattermost$/m)
  t.notMatch(JSON.stringify(plan), /licence-of-the-test/)
  const waiting = await send(server.url, 'POST', '/api/installations?dry_run=true', {
    body: { ...installationBody('acme'), Annotations: ['nowhere'] },
  })
  t.match(waiting.body.placement, { outcome: 'waiting', reason: /lacks the annotation nowhere/ })
  t.same((await send(server.url, 'GET', '/api/installations')).body, [], 'nothing was created')
})

test('a plan is refused as the change would be', async (t) => {
  const server = await startTestServer()
  t.teardown(() => server.close())
  const body = installationBody('acme')
  await send(server.url, 'POST', '/api/installations', { body })
  const taken = await send(server.url, 'POST', '/api/installations?dry_run=true', { body })
  t.equal(taken.status, 409)
  t.equal(taken.body.code, 'dns-taken')
  const unclear = await send(server.url, 'POST', '/api/installations?dry_run=perhaps', { body })
  t.match(unclear, { status: 400, body: { errors: [{ pointer: '/query/dry_run' }] } })
})
