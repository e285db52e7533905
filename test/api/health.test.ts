import { Registry } from 'prom-client'
import { test } from 'tap'
import { createReadiness } from '../../src/api/fleet/readiness.ts'
import { createApiServer } from '../../src/api/server.ts'
import { FleetError } from '../../src/fleet/errors.ts'
import { createStable, importCluster, send } from '../support/api.ts'
import { startTestServer } from '../support/server.ts'

const server = await startTestServer('all')
const { url } = server
const { parts } = server.server

test('it lives, and is ready with its head', async (t) => {
  t.match(await send(url, 'GET', '/healthz', { token: null }), { status: 200, body: { status: 'ok' } })
  const ready = await send(url, 'GET', '/readyz', { token: null })
  t.match(ready, { status: 200, body: { status: 'ready', head: parts.writer.head, troubles: [] } })
})

test('it says that the secret backend is down, and forgets it when it is back', async (t) => {
  let now = 0
  let error: Error | undefined = new FleetError('secret-backend-unavailable', 'The backend is away.')
  let asked = 0
  const ready = createReadiness({
    ...parts,
    clock: { ...parts.clock, monotonic: () => now },
    secrets: {
      ...parts.secrets,
      async check() {
        asked += 1
        if (error !== undefined) throw error
      },
    },
  })
  const down = { part: 'secrets', code: 'secret-backend-unavailable', reason: 'The backend is away.' }
  t.match(await ready(), { status: 503, json: { status: 'not-ready', code: down.code, troubles: [down] } })
  await ready()
  t.equal(asked, 1, 'not asked with every probe')
  error = new Error('token=canary')
  now += 10_000
  const unexpected = await ready()
  t.match(unexpected, { status: 503, json: { code: 'internal' } })
  t.notMatch(JSON.stringify(unexpected), 'canary')
  error = undefined
  now += 10_000
  t.match(await ready(), { status: 200, json: { troubles: [] } })
})

test('a backend that does not answer does not hold the probe', async (t) => {
  const silent = { ...parts.secrets, check: () => new Promise<void>(() => undefined) }
  const clock = { ...parts.clock, sleep: async () => undefined }
  const answer = await createReadiness({ ...parts, secrets: silent, clock })()
  t.match(answer, { status: 503, json: { reason: 'the secret backend does not answer' } })
})

test('it says that the repository has not answered for too long', async (t) => {
  const clock = { ...parts.clock, now: () => Date.now() + 10 * 60_000 }
  const answer = await createReadiness({ ...parts, clock })()
  t.match(answer, { status: 503, json: { troubles: [{ part: 'repository', reason: /not answered/ }] } })
})

const SERIES = [
  'fleetwright_writer_queue',
  'fleetwright_writer_commits_total',
  'fleetwright_writer_refused_total',
  'fleetwright_writer_races_total',
  'fleetwright_writer_window_seconds_count',
  'fleetwright_writer_window_commits_count',
  'fleetwright_repository_problems',
  'fleetwright_secrets_missing',
  'fleetwright_secrets_removed_total{reason="orphan"}',
  'fleetwright_http_request_seconds_count{operation="createInstallation",status="202"}',
]

test('metrics have the writer, the secrets and HTTP', async (t) => {
  await importCluster(url)
  await createStable(server, 'one')
  const { text, headers } = await send(url, 'GET', '/metrics', { token: null })
  t.match(headers.get('content-type'), /^text\/plain/)
  for (const name of SERIES) t.ok(text.includes(`\n${name}`), name)
  const commits = Number(/^fleetwright_writer_commits_total (\d+)$/m.exec(text)?.[1])
  t.ok(commits >= 2, `${commits} commits`)
})

test('no request makes a new series: paths, ids and names are no labels', async (t) => {
  const api = createApiServer({ ...parts, registry: new Registry() })
  const { url: address } = await api.listen({ host: '127.0.0.1', port: 0 })
  t.teardown(() => api.close())
  const count = async (): Promise<number> => {
    const { text } = await send(address, 'GET', '/metrics')
    return text.split('\n').filter((line) => line.startsWith('fleetwright_http')).length
  }
  const paths = (at: number): readonly string[] => [
    `/nothing/${at}`,
    `/api/installation/${String(at).padStart(26, 'a')}`,
    `/api/installations?name=name-${at}`,
    `/fleet.git/${at}`,
  ]
  const ask = async (from: number, to: number): Promise<void> => {
    for (let at = from; at < to; at += 1) for (const path of paths(at)) await send(address, 'GET', path)
    await fetch(`${address}/${from}`, { method: 'PROPFIND' })
  }
  await ask(0, 2)
  await count()
  const before = await count()
  await ask(2, 12)
  t.equal(await count(), before)
})

test('the server closes', (t) => t.resolves(server.close()))
