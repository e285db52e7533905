import { type Test, test } from 'tap'
import { FleetIndex } from '../../src/fleet/fleet-index.ts'
import type { IntentChange } from '../../src/fleet/fleet.ts'
import { API_VERSION, type Installation, type Tombstone } from '../../src/fleet/intents.ts'
import { installationPath, tombstonePath } from '../../src/fleet/paths.ts'
import type { SecretBackend } from '../../src/ports/secrets.ts'
import type { HeadChange } from '../../src/ports/writer.ts'
import { type SecretSweep, startSecretSweep } from '../../src/reconcile/secret-sweep.ts'
import { createSecretHolds } from '../../src/secrets/holds.ts'
import { systemClock } from '../../src/system/clock.ts'
import { id, installation, settings } from '../support/intents.ts'

const DAY = 86_400_000
const HOUR = 3_600_000
const NOW = Date.UTC(2026, 10, 24)
const PATH = installationPath('prod-1', id(1))

function keyOf(what: string, number = 1): string {
  return `installations/${id(number)}/${what}-123456789012`
}

interface World {
  readonly sweep: SecretSweep
  readonly fleet: FleetIndex
  readonly stored: Map<string, number>
  readonly holds: ReturnType<typeof createSecretHolds>
  /** What the history says: when a key was last written or removed. */
  readonly past: Map<string, number>
  readonly lookups: string[]
  readonly errors: unknown[]
  move(milliseconds: number): void
  change(by: HeadChange['by'], ...changes: readonly IntentChange[]): void
}

/** A fleet, a backend and a clock in memory: ages and answers that take days with real ones. */
function world(t: Test, present: readonly Installation[] = [], extra: Partial<SecretBackend> = {}): World {
  const fleet = new FleetIndex(settings())
  for (const after of present)
    fleet.apply([{ path: installationPath('prod-1', after.metadata.id), before: undefined, after }])
  const stored = new Map<string, number>()
  const past = new Map<string, number>()
  const lookups: string[] = []
  const errors: unknown[] = []
  const listeners = new Set<(change: HeadChange) => void>()
  const holds = createSecretHolds()
  let now = NOW
  const secrets: SecretBackend = {
    put: async (key) => void stored.set(key, now),
    get: async (key) => (stored.has(key) ? 'value' : undefined),
    remove: async (key) => void stored.delete(key),
    list: async (prefix) =>
      [...stored].filter(([key]) => key.startsWith(prefix)).map(([key, createdAt]) => ({ key, createdAt })),
    check: async () => undefined,
    close: async () => undefined,
    ...extra,
  }
  const sweep = startSecretSweep({
    writer: {
      fleet,
      onChange(listener) {
        listeners.add(listener)
        return () => listeners.delete(listener)
      },
    },
    history: {
      async lastChangeOf(key) {
        lookups.push(key)
        return past.get(key)
      },
    },
    secrets,
    holds,
    clock: { ...systemClock, now: () => now },
    graceMilliseconds: 30 * DAY,
    onSwept: () => undefined,
    onError: (error) => errors.push(error),
  })
  t.teardown(() => sweep.close())
  return {
    ...{ sweep, fleet, stored, holds, past, lookups, errors },
    move: (milliseconds) => {
      now += milliseconds
    },
    change(by, ...changes) {
      fleet.apply(changes)
      for (const listener of listeners)
        listener({ to: 'c'.repeat(40) as HeadChange['to'], by, changes, paths: [] })
    },
  }
}

function withLicence(key: string | undefined): Installation {
  return installation('acme', 1, {
    placement: { cluster: 'prod-1' },
    ...(key === undefined ? {} : { licence: { key } }),
  })
}

test('an orphan goes when it is old enough, what is referred to stays', async (t) => {
  const { sweep, stored, move } = world(t, [withLicence(keyOf('licence'))])
  for (const key of [keyOf('licence'), keyOf('orphan'), keyOf('orphan', 7)]) stored.set(key, NOW)
  move(HOUR - 1)
  t.match(await sweep.sweep(), { orphans: [], replaced: [] })
  move(2)
  t.match(await sweep.sweep(), { orphans: [keyOf('orphan'), keyOf('orphan', 7)], replaced: [], missing: [] })
  t.same([...stored.keys()], [keyOf('licence')])
})

test('a key that a request under way holds stays, and cannot be held while it goes', async (t) => {
  let reached: (() => void) | undefined
  const removing = new Promise<void>((resolve) => {
    reached = resolve
  })
  let go: (() => void) | undefined
  const gate = new Promise<void>((resolve) => {
    go = resolve
  })
  const { sweep, stored, move, holds } = world(t, [], {
    async remove(key) {
      reached?.()
      await gate
      stored.delete(key)
    },
  })
  stored.set(keyOf('env-a'), NOW)
  move(DAY)
  const release = holds.hold([keyOf('env-a')])
  t.match(await sweep.sweep(), { orphans: [] })
  release()
  release()
  const sweeping = sweep.sweep()
  await removing
  t.throws(() => holds.hold([keyOf('env-b'), keyOf('env-a')]), { code: 'secret-removed' })
  t.notOk(holds.isHeld(keyOf('env-b')), 'nothing is held of what was refused')
  go?.()
  t.match(await sweeping, { orphans: [keyOf('env-a')] })
})

test('a replaced value is kept for the grace period, counted from its replacement', async (t) => {
  const { sweep, stored, move, change, lookups } = world(t, [withLicence(keyOf('old'))])
  stored.set(keyOf('old'), NOW)
  move(100 * DAY)
  stored.set(keyOf('new'), NOW + 100 * DAY)
  change('fleetwright', { path: PATH, before: withLicence(keyOf('old')), after: withLicence(keyOf('new')) })
  move(30 * DAY - 1)
  t.match(await sweep.sweep(), { orphans: [], replaced: [] })
  move(2)
  t.match(await sweep.sweep(), { orphans: [], replaced: [keyOf('old')], missing: [] })
  t.same(lookups, [], 'what was seen needs no look into the history')
})

test('after a restart the history says when a value was replaced, and is asked once', async (t) => {
  const { sweep, stored, past, move, lookups } = world(t)
  stored.set(keyOf('old'), NOW - 100 * DAY)
  past.set(keyOf('old'), NOW - 29 * DAY)
  t.match(await sweep.sweep(), { replaced: [], orphans: [] })
  move(2 * DAY)
  t.match(await sweep.sweep(), { replaced: [keyOf('old')], orphans: [] })
  t.same(lookups, [keyOf('old')])
})

test('a value that is referred to again counts anew', async (t) => {
  const { sweep, stored, move, change } = world(t, [withLicence(keyOf('a'))])
  stored.set(keyOf('a'), NOW)
  stored.set(keyOf('b'), NOW)
  const [first, second] = [withLicence(keyOf('a')), withLicence(keyOf('b'))]
  change('fleetwright', { path: PATH, before: first, after: second })
  move(29 * DAY)
  change('fleetwright', { path: PATH, before: second, after: first })
  move(2 * DAY)
  t.match(await sweep.sweep(), { replaced: [] })
  t.ok(stored.has(keyOf('a')))
})

test('a change that is told twice counts once', async (t) => {
  const { sweep, stored, change, move } = world(t)
  stored.set(keyOf('a'), NOW)
  const come = { path: PATH, before: undefined, after: withLicence(keyOf('a')) }
  change('fleetwright', come)
  change('others', come)
  change('fleetwright', { path: PATH, before: come.after, after: withLicence(undefined) })
  move(31 * DAY)
  t.match(await sweep.sweep(), { replaced: [keyOf('a')] })
})

test('values of a deleted installation stay until its last file is gone, and the grace period after that', async (t) => {
  const gone = withLicence(keyOf('licence'))
  const { sweep, stored, change, move } = world(t, [gone])
  stored.set(keyOf('licence'), NOW)
  const path = tombstonePath('prod-1', id(1))
  const tombstone = (spec: Partial<Tombstone['spec']>): Tombstone => ({
    apiVersion: API_VERSION,
    kind: 'Tombstone',
    metadata: gone.metadata,
    spec: {
      actor: 'Ada',
      notBefore: gone.metadata.createdAt,
      keep: { database: true, filestore: true },
      installation: gone,
      ...spec,
    },
  })
  const [pending, over] = [tombstone({}), tombstone({ removedAt: '2026-12-24T00:00:00.000Z' })]
  change(
    'fleetwright',
    { path: PATH, before: gone, after: undefined },
    { path, before: undefined, after: pending },
  )
  move(60 * DAY)
  t.match(await sweep.sweep(), { replaced: [] })
  change('fleetwright', { path, before: pending, after: over })
  move(29 * DAY)
  t.match(await sweep.sweep(), { replaced: [] })
  move(2 * DAY)
  t.match(await sweep.sweep(), { replaced: [keyOf('licence')] })
})

test('keys that others made are left alone', async (t) => {
  const { sweep, stored, move } = world(t)
  const others = [
    'databases/main',
    'installations/acme/licence',
    `installations/${id(1)}/licence`,
    `installations/${id(1)}/licence-short`,
    `other/installations/${id(1)}/licence-123456789012`,
  ]
  for (const key of others) stored.set(key, NOW)
  move(365 * DAY)
  t.match(await sweep.sweep(), { orphans: [], replaced: [] })
  t.same([...stored.keys()], others)
})

test('one sweep asks the history a bounded number of times, newest first, and goes on with the next', async (t) => {
  const { sweep, stored, move, lookups } = world(t)
  for (let at = 0; at < 150; at += 1) stored.set(keyOf(`env-${at}`), NOW + at)
  move(DAY)
  t.equal((await sweep.sweep()).orphans.length, 100)
  t.equal(lookups[0], keyOf('env-149'))
  t.equal((await sweep.sweep()).orphans.length, 50)
})

test('a reference without a value is a problem of its document, until the value is there', async (t) => {
  const { sweep, stored, change, errors } = world(t)
  change('others', { path: PATH, before: undefined, after: withLicence(keyOf('gone')) })
  t.match(await sweep.sweep(), { missing: [keyOf('gone')] })
  t.match(sweep.problems(), [{ path: PATH, code: 'secret-removed', detail: /set the value anew/ }])
  stored.set(keyOf('gone'), NOW)
  t.match(await sweep.sweep(), { missing: [] })
  t.same(sweep.problems(), [])
  t.same(errors, [])
})

test('a backend that fails is told, and nothing is removed', async (t) => {
  const failure = new Error('unavailable')
  const { sweep, errors } = world(t, [], { list: () => Promise.reject(failure) })
  await t.rejects(sweep.sweep(), failure)
  await sweep.close()
  t.same(errors, [failure])
})
