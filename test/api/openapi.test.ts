import { createHmac } from 'node:crypto'
import { validate } from '@readme/openapi-parser'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { test } from 'tap'
import type { Route } from '../../src/api/routes.ts'
import { routeTable } from '../../src/api/table.ts'
import { commitOf, createStable, importCluster, makeStable, type Reply, send } from '../support/api.ts'
import { startTestServer } from '../support/server.ts'

const HOOK_SECRET = 'for-tests-only'
/** A forge that does not answer. */
const server = await startTestServer('all', undefined, {
  ...{ forge: 'github', 'forge-url': 'http://127.0.0.1:9', 'forge-repository': 'team/fleet' },
  ...{ 'forge-token': 'for-tests-only', 'forge-hook-secret': HOOK_SECRET },
})
const { url } = server
const { parts } = server.server
const routes = routeTable(parts)
const document = (await send(url, 'GET', '/openapi.json')).body
const ajv = new Ajv2020({ strict: false, formats: { 'date-time': true } })
ajv.addSchema(document, 'openapi')

const cluster = await importCluster(url)
const installation = await createStable(server, 'one', { License: 'a-licence' })
const deployment = parts.writer.fleet.installation(installation)?.spec.clusterInstallations?.[0]?.id ?? ''
const changed = await send(url, 'PUT', `/api/installation/${installation}/mattermost`, {
  body: { Version: '12.0.0', MattermostEnv: { A_PASSWORD: { value: 'x' }, B: { value: 'y' } } },
})
makeStable(parts, installation)
const group = (await send(url, 'POST', '/api/groups', { body: { name: 'ring', version: '1' } })).body.ID
const webhook = (
  await send(url, 'POST', '/api/webhooks', { body: { OwnerID: 'owner', URL: 'http://127.0.0.1:9/' } })
).body.ID
const NOBODY = 'a'.repeat(26)

/** Bodies and queries that succeed, by operation. Others are sent without, and may be refused. */
const REQUESTS: Readonly<
  Record<
    string,
    {
      readonly body?: object
      readonly query?: string
      readonly headers?: Readonly<Record<string, string>>
    }
  >
> = {
  receiveHook: {
    body: { zen: 'Keep it simple' },
    headers: {
      'x-github-event': 'ping',
      'x-github-delivery': '1',
      'x-hub-signature-256': `sha256=${createHmac('sha256', HOOK_SECRET).update('{"zen":"Keep it simple"}').digest('hex')}`,
    },
  },
  revertCommit: { body: { commit: commitOf(changed), kind: 'installation', id: installation } },
  explainPlacement: { query: `?id=${installation}` },
  replayReceiver: { body: {} },
  createToken: { body: { name: 'another', role: 'reader' } },
  getFleetHistory: { query: `?kind=installation&id=${installation}` },
  createGroup: { body: { name: 'ring-2', version: '1' } },
  importCluster: { body: { 'external-cluster-secret-name': 'prod-2' } },
  createCluster: { body: {} },
  createInstallation: {
    body: {
      OwnerID: 'owner',
      Name: 'two',
      DNSNames: ['two.example.com'],
      Database: 'cloudnative-pg',
      Filestore: 'local-ephemeral',
    },
  },
  updateInstallation: { body: { Size: '1000users' } },
  updateGroup: { body: { Version: '2' } },
  updateCluster: { body: { 'allow-installations': true } },
  annotateInstallation: { body: { annotations: [] } },
  annotateGroup: { body: { annotations: ['fast-lane'] } },
  annotateCluster: { body: { annotations: ['fast-lane'] } },
}

/** Changes what the others look at, so they come last. */
const LAST = ['DELETE']

function addressOf(path: string): string {
  const id = /^\/api\/(fleet\/)?installations?\/\{/.test(path)
    ? installation
    : path.startsWith('/api/cluster/')
      ? cluster
      : path.startsWith('/api/group/')
        ? group
        : path.startsWith('/api/cluster_installation/')
          ? deployment
          : path.startsWith('/api/fleet/receivers/')
            ? webhook
            : NOBODY
  const kinds = { cluster, group, installation }
  const locked = /^\/api\/security\/(cluster|group|installation)\//.exec(path)?.[1]
  const found = Object.entries(kinds).find(([kind]) => kind === locked)?.[1]
  return path
    .replace('{id}', found ?? id)
    .replace('{groupId}', group)
    .replace('{forge}', 'github')
    .replace('{name}', 'another')
    .replace('{cluster}', 'prod-1')
    .replaceAll(/\{[^}]+\}/g, NOBODY)
}

/** What is wrong with an answer by the document; empty: nothing. */
function violations({ method, path, responses }: Route, reply: Reply): readonly string[] {
  const operation = document.paths[path][method.toLowerCase()]
  const type = reply.headers.get('content-type')?.split(';')[0] ?? undefined
  const described = operation.responses[reply.status]
  if (described === undefined && reply.status < 400) return [`${reply.status} is not in the document`]
  const content = described?.content ?? document.components.responses.Problem.content
  // A dry run answers with a body what is answered without one otherwise.
  if (reply.text === '' && type === undefined && responses[reply.status]?.schema === null) return []
  if (type === undefined || content[type] === undefined)
    return [`${reply.status} with ${type}, where the document has ${Object.keys(content).join(', ')}`]
  if (!type.endsWith('json')) return []
  const pointer =
    described === undefined
      ? '#/components/schemas/Problem'
      : `#/paths/${path.replaceAll('~', '~0').replaceAll('/', '~1').replaceAll('{', '%7B').replaceAll('}', '%7D')}/${method.toLowerCase()}/responses/${reply.status}/content/application~1json/schema`
  const check = ajv.compile({ $ref: `openapi${pointer}` })
  return check(reply.body)
    ? []
    : (check.errors ?? []).map((e) => `${reply.status} ${e.instancePath} ${e.message}`)
}

test('the document is valid OpenAPI 3.1', async (t) => {
  const result = await validate(structuredClone(document))
  t.same(result.valid ? [] : result.errors, [])
  t.match(document.openapi, /^3\.1\./)
})

test('it has every route, once, with its role, its problems and its own name', async (t) => {
  const described = Object.entries<Record<string, { operationId: string }>>(document.paths).flatMap(
    ([path, item]) =>
      Object.entries(item).map(
        ([method, { operationId }]) => `${method.toUpperCase()} ${path} ${operationId}`,
      ),
  )
  const wanted = routes.map(({ method, path, operationId }) => `${method} ${path} ${operationId}`)
  t.same(described.sort(), wanted.sort())
  t.equal(new Set(routes.map(({ operationId }) => operationId)).size, routes.length)
  for (const { method, path, role } of routes) {
    const operation = document.paths[path][method.toLowerCase()]
    t.equal(operation['x-role'], role)
    t.same(operation.responses.default, { $ref: '#/components/responses/Problem' })
  }
})

test('every own route says what its answers and bodies look like', async (t) => {
  for (const route of routes.filter(({ wire }) => !wire)) {
    for (const [status, { schema, mediaType }] of Object.entries(route.responses))
      t.ok(schema !== undefined || mediaType !== undefined, `${route.operationId} ${status}`)
    if (route.method === 'POST') t.ok(route.request, route.operationId)
  }
})

const succeeded = new Set<string>()
const inOrder = [...routes].sort((a, b) => Number(LAST.includes(a.method)) - Number(LAST.includes(b.method)))

test('every route answers as the document says', async (t) => {
  for (const route of inOrder) {
    const { method, path, operationId } = route
    const { body, query = '', headers } = REQUESTS[operationId] ?? {}
    const address = addressOf(path)
    const change = method !== 'GET' && route.dryRun !== false
    const dry = change ? await send(url, method, `${address}?dry_run=true`, { body }) : undefined
    const real = await send(url, method, address + query, {
      body,
      ...(headers === undefined ? {} : { headers }),
    })
    const missing = await send(
      url,
      method,
      path.replaceAll(/\{[^}]+\}/g, NOBODY),
      method === 'GET' ? {} : { body: {} },
    )
    const nobody = await send(url, method, address, { token: 'fwt_wrong' })
    for (const reply of [real, missing, nobody, ...(dry === undefined ? [] : [dry])])
      t.same(violations(route, reply), [], operationId)
    t.ok(real.status !== 500 && missing.status !== 500, `${operationId} ${real.text}`)
    if (real.status < 400) succeeded.add(operationId)
    if (parts.writer.fleet.installation(installation) !== undefined) makeStable(parts, installation)
  }
})

test('what was tried includes a success of every own route, and of the common ones of the original', async (t) => {
  const own = routes.filter(({ wire }) => !wire).map(({ operationId }) => operationId)
  for (const operationId of [...own, ...Object.keys(REQUESTS), 'getInstallation', 'listClusters', 'getGroup'])
    t.ok(succeeded.has(operationId), operationId)
})

test('the server closes', (t) => t.resolves(server.close()))
