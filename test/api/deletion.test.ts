import { test } from 'tap'
import { statesOf } from '../../src/api/wire/change-installation.ts'
import { startDeletionLoop } from '../../src/reconcile/deletion.ts'
import { createStable, importCluster, makeStable, send } from '../support/api.ts'
import { startTestServer } from '../support/server.ts'
import { applySetup } from '../support/setup-steps.ts'
import { until } from '../support/until.ts'

const server = await startTestServer('all')
const { url } = server
const { parts } = server.server
await importCluster(url)

// biome-ignore lint/suspicious/noExplicitAny: an answer of the API
async function show(id: string): Promise<any> {
  return (await send(url, 'GET', `/api/installation/${id}`)).body
}

/** Without the generation, which every request moves. */
async function manifestOf(id: string): Promise<string> {
  const path = `clusters/prod-1/installations/${id[0]}/${id}/manifest.yaml`
  const text = (await parts.history.fileAt(parts.writer.head, path)) ?? ''
  return text.replace(/^ *fleetwright\.dev\/generation: .*\n/m, '')
}

test('a deletion is pending first: the pods sleep, the data stays, and it can be cancelled', async (t) => {
  const id = await createStable(server, 'acme')
  const running = await manifestOf(id)
  const asked = Date.now()
  t.equal((await send(url, 'DELETE', `/api/installation/${id}`)).status, 202)
  const pending = await show(id)
  t.equal(pending.State, 'deletion-pending-requested')
  const seconds = parts.writer.fleet.settings.spec.deletion.pendingSeconds
  t.ok(pending.DeletionPendingExpiry >= asked + seconds * 1000, 'after the window of the fleet')
  t.match(await manifestOf(id), /replicas: 0/, 'no pods')
  t.match(await manifestOf(id), /kind: Cluster$/m, 'the database stays')
  await applySetup(parts, { installation: id, state: 'deletion-pending' })
  const later = Date.UTC(2100, 0)
  const moved = await send(url, 'PUT', `/api/installation/${id}/deletion`, {
    body: { DeletionPendingExpiry: later },
  })
  t.match(moved, { status: 200, body: { State: 'deletion-pending', DeletionPendingExpiry: later } })
  t.equal((await send(url, 'POST', `/api/installation/${id}/deletion/cancel`)).status, 202)
  t.equal((await show(id)).State, 'deletion-cancellation-requested')
  t.equal(await manifestOf(id), running, 'all as it was')
})

test('sleep changes the manifests, and waking up brings them back with what is new', async (t) => {
  const id = await createStable(server, 'sleeper')
  const running = await manifestOf(id)
  t.match(await send(url, 'POST', `/api/installation/${id}/hibernate`), {
    status: 202,
    body: { State: 'hibernation-requested' },
  })
  t.match(await manifestOf(id), /replicas: 0/)
  await applySetup(parts, { installation: id, state: 'hibernating' })
  const woken = await send(url, 'POST', `/api/installation/${id}/wakeup`, { body: { Version: '11.9.0' } })
  t.match(woken, { status: 202, body: { State: 'wake-up-requested', Version: '11.9.0' } })
  const manifest = await manifestOf(id)
  t.match(manifest, /version: ["']?11\.9\.0/)
  t.notMatch(manifest, /replicas: 0/)
  makeStable(parts, id)
  await send(url, 'PUT', `/api/installation/${id}/mattermost`, { body: { Version: 'stable' } })
  t.equal(await manifestOf(id), running, 'nothing of the sleep is left')
})

test('a scheduled deletion begins when it is due, unless a lock holds it back', async (t) => {
  const due = await createStable(server, 'due')
  const locked = await createStable(server, 'locked', { DeletionLocked: true })
  const later = await createStable(server, 'later')
  const soon = Date.now() + 300
  for (const [id, at] of [
    [due, soon],
    [locked, soon],
    [later, soon + 3_600_000],
  ] as const) {
    const reply = await send(url, 'PUT', `/api/installation/${id}/deletion/schedule`, {
      body: { ScheduledDeletionTime: at },
    })
    t.match(reply, { status: 200, body: { State: 'stable', ScheduledDeletionTime: at } })
  }
  const errors: unknown[] = []
  await new Promise((resolve) => setTimeout(resolve, 400))
  const loop = startDeletionLoop({
    ...parts,
    actor: { name: 'Fleetwright', email: 'fleetwright@example.com' },
    stateOf: statesOf(parts),
    onError: (error) => errors.push(error),
  })
  t.teardown(() => loop.close())
  const begun = await until(
    () => show(due),
    ({ State }) => State === 'deletion-pending-requested',
  )
  t.ok(begun.DeletionPendingExpiry > soon)
  t.equal((await show(locked)).State, 'stable')
  t.equal((await show(later)).State, 'stable')
  t.same(errors, [])
})

const REFUSED = [
  ['PUT', '/deletion', { DeletionPendingExpiry: 1 }, 400, '/DeletionPendingExpiry'],
  ['PUT', '/deletion', { DeletionPendingExpiry: 'soon' }, 400, '/DeletionPendingExpiry'],
  ['PUT', '/deletion/schedule', { ScheduledDeletionTime: 1 }, 400, '/ScheduledDeletionTime'],
  ['PUT', '/deletion/schedule', { ScheduledDeletionTime: -1 }, 400, '/ScheduledDeletionTime'],
  ['POST', '/wakeup', { Size: 'gigantic' }, 400, '/Size'],
] as const

test('bad requests are refused by JSON pointer', async (t) => {
  const id = await createStable(server, 'refused')
  for (const [method, tail, body, status, pointer] of REFUSED) {
    const reply = await send(url, method, `/api/installation/${id}${tail}`, { body })
    t.match(reply, { status, body: { code: 'invalid-request', errors: [{ pointer }] } }, tail)
  }
})

test('the server ends', async () => {
  await server.close()
})
