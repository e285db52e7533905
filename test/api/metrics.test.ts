/** What Prometheus reads. */
import { test } from 'tap'
import type { Id } from '../../src/fleet/ids.ts'
import { countFleet } from '../../src/reconcile/fleet-figures.ts'
import { createMemoryObservations } from '../../src/store/memory.ts'
import { createStable, importCluster, send } from '../support/api.ts'
import { startTestServer } from '../support/server.ts'
import { observed } from '../support/sights.ts'

const server = await startTestServer('all')
const { url } = server
const { parts } = server.server

/** Lines of one metric. */
async function figures(name: string): Promise<readonly string[]> {
  const { text } = await send(url, 'GET', '/metrics', { token: null })
  return text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
}

test('installations are counted by cluster and state', async (t) => {
  await importCluster(url)
  await createStable(server, 'one')
  await createStable(server, 'two')
  const id = await createStable(server, 'three')
  parts.observations.set('installation', id, { state: 'update-failed', generation: 9, observedAt: 0 })
  // Figures of a moment are kept for a second.
  await new Promise((resolve) => setTimeout(resolve, 1_100))
  t.strictSame(await figures('fleetwright_installations'), [
    'fleetwright_installations{cluster="prod-1",state="stable"} 2',
    'fleetwright_installations{cluster="prod-1",state="update-failed"} 1',
  ])
})

test('a cluster that was never reached is not connected, and has no age', async (t) => {
  t.strictSame(await figures('fleetwright_cluster_connected'), [
    'fleetwright_cluster_connected{cluster="prod-1"} 0',
  ])
  t.strictSame(await figures('fleetwright_cluster_contact_age_seconds'), [])
  t.strictSame(await figures('fleetwright_cluster_fresh'), ['fleetwright_cluster_fresh{cluster="prod-1"} 0'])
})

test('deliveries that are open are counted, and a store that is away takes nothing else with it', async (t) => {
  t.strictSame(await figures('fleetwright_deliveries_open'), ['fleetwright_deliveries_open 0'])
  t.strictSame(await figures('fleetwright_store_up'), ['fleetwright_store_up 1'])
  const { backlog } = parts.store
  Object.assign(parts.store, { backlog: () => Promise.reject(new Error('away')) })
  t.teardown(() => Object.assign(parts.store, { backlog }))
  await new Promise((resolve) => setTimeout(resolve, 1_100))
  t.strictSame(await figures('fleetwright_store_up'), ['fleetwright_store_up 0'])
  t.strictSame(await figures('fleetwright_deliveries_open'), ['fleetwright_deliveries_open Nan'])
  t.equal((await figures('fleetwright_installations')).length, 2)
})

test('health, stuck ones and drift are counted by cluster', async (t) => {
  const { fleet } = parts.writer
  const [first, second, third] = fleet.installations().map(({ metadata }) => metadata.id)
  const sights = new Map<Id | undefined, ReturnType<typeof observed>>([
    [first, observed({ verdict: { stuck: true }, engine: { sync: 'synced', current: false } })],
    [second, observed({ engine: { sync: 'out-of-sync', current: true } })],
  ])
  const found = await countFleet(
    fleet,
    {
      observations: createMemoryObservations(),
      sights: { installation: (id) => sights.get(id), cluster: () => undefined, control: () => undefined },
      drifts: {
        all: () => [
          {
            ...{ cluster: 'prod-1', installation: third as Id, type: 'changed', fields: [], since: 0 },
            object: { apiVersion: 'v1', kind: 'Namespace', namespace: '', name: 'x' },
            confirmedBy: 'dry-run',
          },
        ],
        of: () => [],
      },
    },
    Date.now() + 10 * 60_000,
  )
  t.strictSame(Object.fromEntries(found.healths.get('prod-1') ?? []), { healthy: 2, unknown: 1 })
  t.strictSame(Object.fromEntries(found.stuck), { 'prod-1': 1 })
  t.strictSame(Object.fromEntries(found.drift.get('prod-1') ?? []), {
    'engine-stuck': 1,
    'engine-out-of-sync': 1,
    changed: 1,
  })
})

test('the server closes', (t) => t.resolves(server.close()))
