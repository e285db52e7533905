import { type Test, test } from 'tap'
import { FleetIndex } from '../../src/fleet/fleet-index.ts'
import type { Id } from '../../src/fleet/ids.ts'
import { installationPath } from '../../src/fleet/paths.ts'
import type { PingSight } from '../../src/ports/ping.ts'
import { type Pinger, type PingerOptions, startPinger } from '../../src/reconcile/pinger.ts'
import { systemClock, systemRandomness } from '../../src/system/clock.ts'
import { id, installation, settings } from '../support/intents.ts'
import { until } from '../support/until.ts'

interface World {
  readonly pinger: Pinger
  readonly fleet: FleetIndex
  /** Host names in the order they were asked, with the time. */
  readonly asked: { readonly host: string; readonly at: number }[]
  readonly told: Id[]
  /** Of each ping. */
  readonly outcomes: boolean[]
  answer: (host: string) => Omit<PingSight, 'at'>
}

const PLACED = { placement: { cluster: 'prod-1' } }

function start(t: Test, count: number, options: Partial<PingerOptions> = {}): World {
  const fleet = new FleetIndex(settings())
  for (let number = 1; number <= count; number += 1) {
    const one = installation(`acme-${number}`, number, PLACED)
    fleet.apply([{ path: installationPath('prod-1', id(number)), before: undefined, after: one }])
  }
  const world = {
    fleet,
    asked: [] as World['asked'],
    told: [] as Id[],
    outcomes: [] as boolean[],
    answer: () => ({ ok: true, status: 200 }),
  }
  const pinger = startPinger({
    writer: { fleet },
    ping: {
      async ping(host) {
        world.asked.push({ host, at: performance.now() })
        return (world as unknown as World).answer(host)
      },
      close: () => undefined,
    },
    clock: systemClock,
    randomness: systemRandomness,
    perSecond: 200,
    roundMilliseconds: 20,
    isRunning: () => true,
    onChange: (changed) => void world.told.push(changed),
    onPing: (ok) => void world.outcomes.push(ok),
    onError: (error) => t.fail(String(error)),
    ...options,
  })
  t.teardown(() => pinger.close())
  return Object.assign(world, { pinger })
}

const hostOf = (number: number): string => `acme-${number}.cloud.example.com`
const DOWN = { ok: false, status: 503, detail: 'HTTP 503' } as const

test('every workspace is asked, by its primary name, and a change is told once', async (t) => {
  const world = start(t, 3)
  await until(
    async () => world.asked.length,
    (count) => count > 9,
  )
  t.same([...new Set(world.asked.map(({ host }) => host))].sort(), [1, 2, 3].map(hostOf))
  t.match(world.pinger.of(id(2)), { ok: true, status: 200, at: Number })
  t.same(world.told.sort(), [1, 2, 3].map(id).sort(), 'though asked again and again')
})

test('one failure is asked about again before it is told; what comes back is told at once', async (t) => {
  const world = start(t, 1)
  await until(
    async () => world.pinger.of(id(1)),
    (seen) => seen?.ok === true,
  )
  let failures = 1
  world.answer = () => (failures-- > 0 ? DOWN : { ok: true, status: 200 })
  const before = world.asked.length
  await until(
    async () => world.asked.length,
    (count) => count > before + 3,
  )
  t.equal(world.told.length, 1, 'nobody was told of one failure')
  world.answer = () => DOWN
  await until(
    async () => world.pinger.of(id(1)),
    (seen) => seen?.ok === false,
  )
  t.match(world.pinger.of(id(1)), DOWN)
  world.answer = () => ({ ok: true, status: 200 })
  await until(
    async () => world.pinger.of(id(1)),
    (seen) => seen?.ok === true,
  )
  t.equal(world.told.length, 3)
  t.ok(world.outcomes.filter((ok) => !ok).length >= 3, 'every failure counts, also one that is not told')
})

test('so many a second over the whole fleet, second tries included', async (t) => {
  const world = start(t, 40, { perSecond: 50 })
  world.answer = () => DOWN
  await until(
    async () => world.asked.length,
    (count) => count >= 30,
  )
  const [first, last] = [world.asked[0], world.asked[29]]
  const pauses = 29
  // A pause is half of 20 ms at least, whatever the machine does.
  t.ok((last?.at ?? 0) - (first?.at ?? 0) >= pauses * 10, 'never faster than that')
})

test('who is not to run is not asked, and what was known of them is forgotten', async (t) => {
  let running = true
  const world = start(t, 1, { isRunning: () => running })
  await until(
    async () => world.pinger.of(id(1)),
    (seen) => seen !== undefined,
  )
  running = false
  await until(
    async () => world.pinger.of(id(1)),
    (seen) => seen === undefined,
  )
  const { length } = world.asked
  await new Promise((resolve) => setTimeout(resolve, 100))
  t.equal(world.asked.length, length)
  t.equal(world.told.length, 2, 'it is judged without the answer')
})
