import fc from 'fast-check'
import { test } from 'tap'
import { FleetError } from '../../src/fleet/errors.ts'
import { Pace, type PaceLimit } from '../../src/git/writer/pace.ts'
import { createInstantClock, type InstantClock } from '../support/instant-clock.ts'

const MINUTE = 60_000

interface Subject {
  readonly pace: Pace
  readonly clock: InstantClock
  readonly paced: number[]
  readonly limited: number[]
}

function subject(limit?: PaceLimit): Subject {
  const clock = createInstantClock()
  const paced: number[] = []
  const limited: number[] = []
  const observer = {
    paced: (ms: number) => void paced.push(ms),
    limited: (ms: number) => void limited.push(ms),
  }
  return { pace: new Pace(clock, observer, limit), clock, paced, limited }
}

function pauses(retryAfter?: number): FleetError {
  const data = retryAfter === undefined ? { limited: true } : { limited: true, retryAfter }
  return new FleetError('remote-unavailable', 'The git server asks for a pause.', data)
}

test('in no span of time are there more pushes than the burst and what the rate gives', async () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 600 }),
      fc.integer({ min: 1, max: 40 }),
      fc.array(fc.nat(3 * MINUTE), { minLength: 1, maxLength: 120 }),
      (perMinute, burst, gaps) => {
        const { pace, clock } = subject({ perMinute, burst })
        const pushes: number[] = []
        for (const gap of gaps) {
          clock.pass(gap > MINUTE ? gap - MINUTE : gap % 50)
          clock.pass(pace.delay)
          if (pace.delay > 0) return false
          pace.take()
          pushes.push(clock.time)
        }
        return pushes.every((from, at) =>
          pushes.slice(at).every((to, more) => more + 1 <= burst + ((to - from) * perMinute) / MINUTE + 1e-6),
        )
      },
    ),
  )
})

test('a full bucket delays nobody, an empty one by the time of one token, and it fills again', (t) => {
  const { pace, clock } = subject({ perMinute: 6, burst: 3 })
  for (let push = 0; push < 3; push += 1) {
    t.equal(pace.delay, 0)
    pace.take()
  }
  t.equal(pace.delay, 10_000)
  clock.pass(9_999)
  t.equal(pace.delay, 1)
  clock.pass(1)
  t.equal(pace.delay, 0)
  pace.take()
  clock.pass(3 * 10_000)
  for (let push = 0; push < 3; push += 1) pace.take()
  t.equal(pace.delay, 10_000)
  t.end()
})

test('without a limit nothing waits, however much is pushed', (t) => {
  const { pace } = subject()
  for (let push = 0; push < 1_000; push += 1) pace.take()
  t.equal(pace.delay, 0)
  t.end()
})

test('a pause that the home asks for is kept, doubled when it says no time, and bounded', (t) => {
  const { pace, clock, limited } = subject()
  t.ok(pace.limitedBy(pauses(30_000)))
  t.equal(pace.delay, 30_000)
  t.ok(pace.isPaused)
  clock.pass(30_000)
  t.equal(pace.delay, 0)
  t.notOk(pace.isPaused)
  pace.succeeded()
  for (const expected of [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]) {
    t.ok(pace.limitedBy(pauses()))
    t.equal(pace.delay, expected)
    clock.pass(expected)
  }
  pace.succeeded()
  t.ok(pace.limitedBy(pauses(0)))
  t.equal(pace.delay, 1_000, 'nobody is asked again at once')
  t.ok(pace.limitedBy(pauses(86_400_000)))
  t.equal(pace.delay, 600_000)
  t.equal(limited.at(-1), 600_000)
  for (const other of [new FleetError('remote-unavailable', 'away'), new Error('other'), undefined])
    t.notOk(pace.limitedBy(other))
  t.end()
})

test('what waited is told with the push, and makes it one under pressure', (t) => {
  const { pace, paced } = subject({ perMinute: 60, burst: 1 })
  pace.take()
  t.notOk(pace.isPressed)
  pace.waited(400)
  pace.waited(600)
  t.ok(pace.isPressed)
  pace.take()
  t.ok(pace.isPressed)
  pace.take()
  t.notOk(pace.isPressed)
  t.same(paced, [0, 1_000, 0])
  t.end()
})
