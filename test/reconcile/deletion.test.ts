/** Deletions from request to gone on a real repository: by the clock, with locks and limits, and cut off between any two steps. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Test, test } from 'tap'
import { clusterPath, installationPath, tombstonePath } from '../../src/fleet/paths.ts'
import { API_VERSION, type Installation, type Tombstone } from '../../src/fleet/intents.ts'
import type { RemovalStep } from '../../src/fleet/observed/removal.ts'
import { installationState } from '../../src/fleet/state.ts'
import type { StateOf } from '../../src/fleet/transactions/installations/common.ts'
import {
  cancelDeletion,
  requestDeletion,
  scheduleDeletion,
} from '../../src/fleet/transactions/installations/deletion.ts'
import { createHistory } from '../../src/git/history.ts'
import type { Observations } from '../../src/ports/observations.ts'
import type { FleetStore } from '../../src/ports/store.ts'
import type { FleetWriter } from '../../src/ports/writer.ts'
import { type DeletionLoop, startDeletionLoop } from '../../src/reconcile/deletion.ts'
import { startStateTracker } from '../../src/reconcile/state-tracker.ts'
import { createMemoryObservations } from '../../src/store/memory.ts'
import { openSqliteStore } from '../../src/store/sqlite/store.ts'
import { systemClock, systemRandomness } from '../../src/system/clock.ts'
import { creation, embeddedWriter, requestContext } from '../support/git-writer.ts'
import { cluster, id } from '../support/intents.ts'
import { observed } from '../support/sights.ts'
import { until } from '../support/until.ts'

const ACME = id(1)
const START = requestContext(0).now
const SECOND = 1_000
const HOUR = 3_600_000

/** One life of a server: the loop, what is seen, and who tells of it. */
interface Life {
  readonly writer: FleetWriter
  readonly observations: Observations
  readonly loop: DeletionLoop
  /** What the observer would say of an installation. */
  sees(number: number, state: string, step?: RemovalStep): void
  /** Sets the clock, and lets the loop look. */
  at(milliseconds: number): void
  settled(): Promise<void>
  end(): Promise<void>
}

interface World {
  readonly directory: string
  readonly store: FleetStore
  readonly errors: unknown[]
  live(at?: number): Promise<Life>
}

async function startWorld(t: Test): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), 'fleetwright-'))
  const directory = join(folder, 'fleet.git')
  const store = openSqliteStore(join(folder, 'store.sqlite'))
  const errors: unknown[] = []
  const lives: Life[] = []
  t.teardown(async () => {
    for (const life of lives) await life.end()
    await store.close()
    await rm(folder, { recursive: true, force: true })
  })
  return {
    directory,
    store,
    errors,
    async live(at = START) {
      const life = await startLife(directory, store, errors, at)
      lives.push(life)
      return life
    },
  }
}

async function startLife(
  directory: string,
  store: FleetStore,
  errors: unknown[],
  startAt: number,
): Promise<Life> {
  let now = startAt
  const writer = await embeddedWriter(directory)
  const observations = createMemoryObservations()
  const steps = new Map<string, RemovalStep>()
  const clock = { ...systemClock, now: () => now }
  const onError = (error: unknown): void => void errors.push(error)
  const stateOf: StateOf = (_fleet, one) =>
    installationState(one, observations.get('installation', one.metadata.id))
  const tracker = await startStateTracker({
    ...{ writer, observations, store, clock, randomness: systemRandomness, onError },
    onEvents: () => undefined,
  })
  const loop = startDeletionLoop({
    ...{ writer, clock, randomness: systemRandomness, observations, stateOf, onError },
    actor: { name: 'Fleetwright', email: 'fleetwright@example.com' },
    sights: {
      installation(one) {
        const removalStep = steps.get(one)
        return observed(removalStep === undefined ? {} : { verdict: { removalStep } })
      },
    },
  })
  let ended: Promise<void> | undefined
  return {
    writer,
    observations,
    loop,
    sees(number, state, step) {
      const generation = writer.fleet.installation(id(number))?.spec.operation.generation ?? 0
      if (step === undefined) steps.delete(id(number))
      else steps.set(id(number), step)
      observations.set('installation', id(number), { state, generation, observedAt: now })
    },
    at(milliseconds) {
      now = milliseconds
      loop.wake()
    },
    settled: () => tracker.settled(),
    async end() {
      ended ??= (async () => {
        await loop.close()
        await tracker.close()
        await writer.close()
      })()
      await ended
    },
  }
}

async function withCluster(life: Life, count: number): Promise<void> {
  await life.writer.submit(
    () => ({
      changes: [{ path: clusterPath('prod-1'), before: undefined, after: cluster('prod-1', 500) }],
      text: { subject: 'Import', trailers: {} },
      value: undefined,
    }),
    requestContext(0),
  )
  for (let number = 1; number <= count; number += 1)
    await life.writer.submit(creation(number), requestContext(number))
}

async function ask(life: Life, number: number, state: string): Promise<void> {
  await life.writer.submit(
    requestDeletion({ id: id(number), stateOf: () => state }),
    requestContext(100 + number),
  )
}

async function subjects(life: Life, { directory }: World): Promise<readonly string[]> {
  await until(async () => life.writer.head, Boolean)
  const entries = await createHistory(directory).log({ limit: 20 })
  return entries.map(({ subject }) => subject).reverse()
}

async function told({ store }: World, number: number): Promise<readonly string[]> {
  const events = await store.events({ resourceId: id(number), page: 0, perPage: -1 })
  return events.map(({ oldState, newState }) => `${oldState} > ${newState}`).reverse()
}

const tombstoned = (life: Life, number = 1) =>
  until(async () => life.writer.fleet.tombstone(id(number)), Boolean)
const pause = (milliseconds = 150) => new Promise((resolve) => setTimeout(resolve, milliseconds))

test('one that never ran goes at once, step by step, as what is seen allows it', async (t) => {
  const world = await startWorld(t)
  const life = await world.live()
  await withCluster(life, 1)
  await ask(life, 1, 'creation-requested')
  await tombstoned(life)
  await pause()
  t.equal(life.writer.fleet.tombstone(ACME)?.spec.emptiedAt, undefined, 'the manifest stays until it is seen')
  life.sees(1, 'deletion-in-progress', 'empty')
  await until(async () => life.writer.fleet.tombstone(ACME)?.spec.emptiedAt, Boolean)
  await pause()
  t.ok(life.writer.fleet.intent(installationPath('prod-1', ACME)), 'the documents stay until it is gone')
  life.sees(1, 'deletion-final-cleanup', 'finish')
  await until(async () => life.writer.fleet.installation(ACME) === undefined, Boolean)
  await life.settled()
  t.same((await subjects(life, world)).slice(-4), [
    'Delete installation acme-1, which never ran',
    'Prepare the removal of installation acme-1 from prod-1',
    'Remove installation acme-1 from prod-1',
    'Installation acme-1 is gone from prod-1',
  ])
  t.same(await told(world, 1), [
    'n/a > creation-requested',
    'creation-requested > deletion-requested',
    'deletion-requested > deletion-in-progress',
    'deletion-in-progress > deletion-final-cleanup',
    'deletion-final-cleanup > deleted',
  ])
  const [event] = await world.store.events({ resourceId: ACME, page: 0, perPage: 1 })
  t.match(event, { extraData: { Name: 'acme-1', Environment: 'test' } })
  const deployment = await world.store.events({ resourceId: id(2_000_001), page: 0, perPage: 1 })
  t.match(deployment, [{ resourceType: 'cluster_installation', newState: 'deleted' }], 'its deployment too')
  t.same(world.errors, [])
})

test('cut off between any two steps it goes on, and every state is told once', async (t) => {
  const world = await startWorld(t)
  let life = await world.live()
  const restart = async (): Promise<void> => {
    await life.end()
    life = await world.live()
  }
  await withCluster(life, 1)
  await ask(life, 1, 'creation-failed')
  await restart()
  await tombstoned(life)
  await restart()
  life.sees(1, 'deletion-in-progress', 'empty')
  await until(async () => life.writer.fleet.tombstone(ACME)?.spec.emptiedAt, Boolean)
  await restart()
  life.sees(1, 'deletion-final-cleanup', 'finish')
  await until(async () => life.writer.fleet.installation(ACME) === undefined, Boolean)
  await restart()
  await life.settled()
  const states = await told(world, 1)
  t.same(states.slice(-2), [
    'deletion-in-progress > deletion-final-cleanup',
    'deletion-final-cleanup > deleted',
  ])
  t.same(states.filter((line) => line.endsWith('> deleted')).length, 1)
  t.equal(new Set(states).size, states.length, 'nothing twice')
  await restart()
  await life.settled()
  t.same(await told(world, 1), states, 'nor later')
  t.equal((await subjects(life, world)).filter((line) => /acme-1/.test(line)).length, 5, 'no step twice')
})

test('the end is told once even when the store was cut off before it forgot', async (t) => {
  const world = await startWorld(t)
  const life = await world.live()
  await withCluster(life, 2)
  await life.settled()
  await life.end()
  const writer = await embeddedWriter(world.directory)
  for (const number of [1, 2]) {
    const path = installationPath('prod-1', id(number))
    const before = writer.fleet.installation(id(number))
    if (before === undefined) throw new Error('was not created')
    const tombstone = tombstoneOf(before)
    await writer.submit(
      (fleet) => ({
        changes: [
          { path, before: fleet.intent(path), after: undefined },
          { path: tombstonePath('prod-1', id(number)), before: undefined, after: tombstone },
        ],
        text: { subject: 'Gone', trailers: {} },
        value: undefined,
      }),
      requestContext(90 + number),
    )
  }
  await writer.close()
  // Of the first, the process had recorded the end when it died; of the second nothing.
  const known = { kind: 'installation', id: ACME, generation: 1, since: START } as const
  await world.store.record([{ ...known, state: 'deleted' }], [])
  const next = await world.live()
  await next.settled()
  t.same(await told(world, 1), ['n/a > creation-requested'], 'its event was in the same record')
  t.same(await told(world, 2), ['n/a > creation-requested', 'creation-requested > deleted'])
})

function tombstoneOf(installation: Installation): Tombstone {
  return {
    apiVersion: API_VERSION,
    kind: 'Tombstone',
    metadata: installation.metadata,
    spec: {
      actor: 'portal',
      notBefore: installation.metadata.createdAt,
      removedAt: installation.metadata.createdAt,
      keep: { database: false, filestore: false },
      installation,
    },
  }
}

test('a pending deletion begins when its time is up; a lock holds it back, and says so', async (t) => {
  const world = await startWorld(t)
  const life = await world.live()
  await withCluster(life, 2)
  await ask(life, 1, 'stable')
  await ask(life, 2, 'stable')
  life.sees(1, 'deletion-pending')
  life.sees(2, 'deletion-pending')
  await life.writer.submit((fleet) => {
    const path = installationPath('prod-1', id(2))
    const before = fleet.intent(path)
    if (before?.kind !== 'Installation') throw new Error('gone')
    const after = { ...before, spec: { ...before.spec, deletionLocked: true } }
    return { changes: [{ path, before, after }], text: { subject: 'Lock', trailers: {} }, value: undefined }
  }, requestContext(50))
  life.at(START + 179 * SECOND)
  await pause()
  t.equal(life.writer.fleet.tombstone(ACME), undefined, 'not before')
  t.same(life.loop.problems(), [])
  life.at(START + 180 * SECOND)
  await tombstoned(life)
  t.equal(life.writer.fleet.tombstone(id(2)), undefined)
  t.match(life.loop.problems(), [
    { path: installationPath('prod-1', id(2)), code: 'deletion-locked', detail: /acme-2 is locked/ },
  ])
  t.equal(life.loop.problems().length, 1)
})

test('it is taken back until its manifest is emptied', async (t) => {
  const world = await startWorld(t)
  const life = await world.live()
  await withCluster(life, 1)
  await ask(life, 1, 'stable')
  life.sees(1, 'deletion-pending')
  life.at(START + 180 * SECOND)
  await tombstoned(life)
  const stateOf = (): string => 'deletion-in-progress'
  await life.writer.submit(cancelDeletion({ id: ACME, stateOf }), requestContext(60))
  life.sees(1, 'update-in-progress', 'empty')
  await pause()
  t.equal(life.writer.fleet.tombstone(ACME), undefined)
  t.match(life.writer.fleet.installation(ACME)?.spec.operation, { kind: 'deletion-cancellation' })
  t.same(world.errors, [])
})

test('a scheduled deletion is asked for when it is due, in the name of who planned it', async (t) => {
  const world = await startWorld(t)
  const life = await world.live()
  await withCluster(life, 1)
  life.sees(1, 'stable')
  await life.writer.submit(scheduleDeletion({ id: ACME, at: START + HOUR }), requestContext(60))
  life.at(START + HOUR - 1)
  await pause()
  t.match(life.writer.fleet.installation(ACME)?.spec.operation, { kind: 'creation' })
  life.at(START + HOUR)
  const pending = await until(
    async () => life.writer.fleet.installation(ACME)?.spec,
    (spec) => spec?.operation.kind === 'deletion-pending',
  )
  t.match(pending?.deletion, { requestedBy: 'Ada' })
})

test('six deletions of an hour are one too many; the second key lets it through', async (t) => {
  const world = await startWorld(t)
  const life = await world.live()
  await withCluster(life, 6)
  for (let number = 1; number <= 6; number += 1) await ask(life, number, 'creation-failed')
  const begun = (): number => life.writer.fleet.openTombstones().length
  await until(
    async () => begun(),
    (count) => count === 5,
  )
  life.at(START + HOUR - 1)
  await pause()
  t.equal(begun(), 5)
  const [problem, ...more] = life.loop.problems()
  t.match(problem, { code: 'guarded', detail: /5 deletions began on cluster prod-1/ })
  t.same(more, [])
  await life.writer.submit((fleet) => {
    const path = clusterPath('prod-1')
    const deletionLimitLiftedUntil = new Date(START + 2 * HOUR).toISOString()
    const after = cluster('prod-1', 500, { deletionLimitLiftedUntil })
    return {
      changes: [{ path, before: fleet.intent(path), after }],
      text: { subject: 'Second key', trailers: {} },
      value: undefined,
    }
  }, requestContext(70))
  life.at(START + HOUR - 1)
  await until(
    async () => begun(),
    (count) => count === 6,
  )
  t.same(life.loop.problems(), [])
  t.same(world.errors, [])
})

test('what a person removed by a commit of their own is closed', async (t) => {
  const world = await startWorld(t)
  const life = await world.live()
  await withCluster(life, 1)
  await ask(life, 1, 'creation-failed')
  await tombstoned(life)
  await life.writer.submit((fleet) => {
    const path = installationPath('prod-1', ACME)
    return {
      changes: [{ path, before: fleet.intent(path), after: undefined }],
      text: { subject: 'The cluster is lost', trailers: {} },
      value: undefined,
    }
  }, requestContext(80))
  life.loop.wake()
  await until(async () => life.writer.fleet.tombstone(ACME)?.spec.removedAt, Boolean)
  t.match(life.writer.fleet.intent(tombstonePath('prod-1', ACME)), { kind: 'Tombstone' })
  await life.settled()
  t.equal((await told(world, 1)).at(-1), 'deletion-requested > deleted')
})
