import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Test, test } from 'tap'
import { clusterPath } from '../../src/fleet/paths.ts'
import { updateInstallation } from '../../src/fleet/transactions/installations/update.ts'
import type { Observations } from '../../src/ports/observations.ts'
import type { FleetStore } from '../../src/ports/store.ts'
import type { FleetWriter } from '../../src/ports/writer.ts'
import { type StateTracker, startStateTracker } from '../../src/reconcile/state-tracker.ts'
import { createMemoryObservations } from '../../src/store/memory.ts'
import { openSqliteStore } from '../../src/store/sqlite/store.ts'
import { systemClock, systemRandomness } from '../../src/system/clock.ts'
import { creation, embeddedWriter, requestContext } from '../support/git-writer.ts'
import { cluster, id } from '../support/intents.ts'

interface Bed {
  readonly writer: FleetWriter
  readonly store: FleetStore
  readonly observations: Observations
  track(store?: FleetStore): Promise<StateTracker>
}

async function start(t: Test): Promise<Bed> {
  const folder = await mkdtemp(join(tmpdir(), 'fleetwright-'))
  const writer = await embeddedWriter(join(folder, 'fleet.git'))
  const store = openSqliteStore(':memory:')
  const observations = createMemoryObservations()
  await writer.submit(
    () => ({
      changes: [{ path: clusterPath('prod-1'), before: undefined, after: cluster('prod-1', 500) }],
      text: { subject: 'Import', trailers: {} },
      value: undefined,
    }),
    requestContext(0),
  )
  t.teardown(async () => {
    await writer.close()
    await store.close()
    await rm(folder, { recursive: true, force: true })
  })
  const track = (into = store): Promise<StateTracker> =>
    startStateTracker({
      writer,
      observations,
      store: into,
      clock: systemClock,
      randomness: systemRandomness,
      onError: () => undefined,
      onEvents: () => undefined,
    })
  return { writer, store, observations, track }
}

/** `old > new` of one object, oldest first. */
async function told(store: FleetStore, number: number): Promise<readonly string[]> {
  const events = await store.events({ resourceId: id(number), page: 0, perPage: -1 })
  return events.map(({ oldState, newState }) => `${oldState} > ${newState}`).reverse()
}

function see({ observations }: Bed, number: number, state: string, generation = 1): void {
  observations.set('installation', id(number), { state, generation, observedAt: 0 })
}

async function update({ writer }: Bed, number: number, version: string): Promise<void> {
  const stateOf = (): string => 'stable'
  await writer.submit(
    updateInstallation({ id: id(number), stateOf, patch: { version } }),
    requestContext(100),
  )
}

test('every change of state makes one event, with what it was before', async (t) => {
  const bed = await start(t)
  const tracker = await bed.track()
  t.teardown(() => tracker.close())
  await bed.writer.submit(creation(1), requestContext(1))
  see(bed, 1, 'creation-in-progress')
  see(bed, 1, 'creation-in-progress')
  see(bed, 1, 'stable')
  await update(bed, 1, '11.3.0')
  see(bed, 1, 'update-in-progress', 2)
  see(bed, 1, 'stable', 2)
  await tracker.settled()
  t.strictSame(await told(bed.store, 1), [
    'n/a > creation-requested',
    'creation-requested > creation-in-progress',
    'creation-in-progress > stable',
    'stable > update-requested',
    'update-requested > update-in-progress',
    'update-in-progress > stable',
  ])
  const [event] = await bed.store.events({ resourceId: id(1), page: 0, perPage: 1 })
  t.match(event, { resourceType: 'installation', extraData: { Environment: 'test', Name: 'acme-1' } })
})

test('a second request in the same state is told as well', async (t) => {
  const bed = await start(t)
  const tracker = await bed.track()
  t.teardown(() => tracker.close())
  await bed.writer.submit(creation(1), requestContext(1))
  see(bed, 1, 'stable')
  await update(bed, 1, '11.3.0')
  await update(bed, 1, '11.4.0')
  await tracker.settled()
  t.strictSame((await told(bed.store, 1)).slice(2), [
    'stable > update-requested',
    'update-requested > update-requested',
  ])
})

test('a store that is new tells nothing of what was there before it', async (t) => {
  const bed = await start(t)
  await bed.writer.submit(creation(1), requestContext(1))
  const tracker = await bed.track()
  t.teardown(() => tracker.close())
  await tracker.settled()
  t.strictSame(await told(bed.store, 1), [])
  await update(bed, 1, '11.3.0')
  await tracker.settled()
  t.strictSame(await told(bed.store, 1), ['creation-requested > update-requested'])
})

test('what happened while nobody tracked is told at the next start, once', async (t) => {
  const bed = await start(t)
  const first = await bed.track()
  await bed.writer.submit(creation(1), requestContext(1))
  see(bed, 1, 'stable')
  await first.close()
  await update(bed, 1, '11.3.0')
  await bed.writer.submit(creation(2), requestContext(2))
  const second = await bed.track()
  await second.close()
  const third = await bed.track()
  await third.close()
  t.strictSame(await told(bed.store, 1), [
    'n/a > creation-requested',
    'creation-requested > stable',
    'stable > update-requested',
  ])
  t.strictSame(await told(bed.store, 2), ['n/a > creation-requested'])
})

test('a store that cannot be written for a while loses no event and no order', async (t) => {
  const bed = await start(t)
  let failures = 3
  const flaky: FleetStore = Object.create(bed.store, {
    states: { value: bed.store.states.bind(bed.store) },
    forget: { value: bed.store.forget.bind(bed.store) },
    record: {
      value: async (...args: Parameters<FleetStore['record']>) => {
        failures -= 1
        if (failures >= 0) throw new Error('disk full')
        await bed.store.record(...args)
      },
    },
  })
  const fast = { ...systemClock, sleep: () => new Promise<void>((resolve) => setImmediate(resolve)) }
  const errors: unknown[] = []
  const tracker = await startStateTracker({
    ...bed,
    store: flaky,
    clock: fast,
    randomness: systemRandomness,
    onError: (error) => errors.push(error),
    onEvents: () => undefined,
  })
  await bed.writer.submit(creation(1), requestContext(1))
  see(bed, 1, 'stable')
  await tracker.close()
  t.equal(errors.length, 3)
  t.strictSame(await told(bed.store, 1), ['n/a > creation-requested', 'creation-requested > stable'])
})

test('what is adopted is not told, and what follows is told from there', async (t) => {
  const bed = await start(t)
  const tracker = await bed.track()
  t.teardown(() => tracker.close())
  await bed.writer.submit(creation(1), requestContext(1))
  await tracker.settled()
  tracker.adopt(() => see(bed, 1, 'stable'))
  t.equal(tracker.recorded('installation', id(1))?.state, 'stable')
  await update(bed, 1, '11.3.0')
  await tracker.settled()
  t.strictSame(await told(bed.store, 1), ['n/a > creation-requested', 'stable > update-requested'])
})
