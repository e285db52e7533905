import { type Test, test } from 'tap'
import type { Clock } from '../../src/ports/clock.ts'
import type { Message, SendResult } from '../../src/ports/sender.ts'
import type { FleetStore, Receiver, StateEvent } from '../../src/ports/store.ts'
import { startDeliveries } from '../../src/reconcile/deliveries.ts'
import { openSqliteStore } from '../../src/store/sqlite/store.ts'
import { systemRandomness } from '../../src/system/clock.ts'
import { id } from '../support/intents.ts'

/** Time that only the test moves; pauses of the loop are short. */
function clock(): Clock & { time: number } {
  return {
    time: 0,
    now() {
      return this.time
    },
    monotonic: () => performance.now(),
    sleep: (_milliseconds, signal) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(resolve, 2)
        signal?.addEventListener('abort', () => {
          clearTimeout(timer)
          reject(new Error('aborted'))
        })
      }),
  }
}

function receiver(number: number, extra: Partial<Receiver> = {}): Receiver {
  return {
    id: id(number),
    kind: 'webhook',
    ownerId: 'o',
    url: `http://r${number}`,
    headers: [],
    createdAt: number,
    ...extra,
  }
}

function event(number: number): StateEvent {
  return {
    id: id(1_000 + number),
    at: 0,
    resourceType: 'installation',
    resourceId: id(9),
    oldState: 'a',
    newState: `${number}`,
    extraData: {},
  }
}

interface Stage {
  readonly store: FleetStore
  readonly time: ReturnType<typeof clock>
  /** `receiver:event` in the order of arrival. */
  readonly sent: string[]
  until(what: () => boolean | Promise<boolean>): Promise<void>
}

async function stage(
  t: Test,
  answer: (receiver: Receiver, message: Message, nth: number) => Promise<SendResult>,
): Promise<Stage> {
  const store = openSqliteStore(':memory:')
  const time = clock()
  const sent: string[] = []
  const deliveries = startDeliveries({
    store,
    sender: {
      async send(to, message) {
        sent.push(`${to.url}:${message.body}`)
        return await answer(to, message, sent.filter((one) => one === `${to.url}:${message.body}`).length)
      },
      close: async () => undefined,
    },
    bodyOf: (_to, { newState }) => newState,
    clock: time,
    randomness: systemRandomness,
    onError: (error) => t.fail(String(error)),
  })
  t.teardown(async () => {
    await deliveries.close()
    await store.close()
  })
  return {
    store,
    time,
    sent,
    async until(what) {
      for (let at = 0; at < 2_000; at += 1) {
        if (await what()) return
        await new Promise((resolve) => setTimeout(resolve, 2))
      }
      t.fail(`it did not happen; sent were ${sent.join(' ')}`)
    },
  }
}

test('a receiver gets its events in order, a slow one holds nobody up', async (t) => {
  let release: (() => void) | undefined
  const slow = new Promise<void>((resolve) => {
    release = resolve
  })
  const { store, sent, until } = await stage(t, async (to) => {
    if (to.url === 'http://r1') await slow
    return { result: 'taken' }
  })
  await store.addReceiver(receiver(1))
  await store.addReceiver(receiver(2))
  await store.record([], [event(1), event(2), event(3)])
  await until(() => sent.filter((one) => one.startsWith('http://r2')).length === 3)
  t.strictSame(
    sent.filter((one) => one.startsWith('http://r1')),
    ['http://r1:1'],
  )
  release?.()
  await until(async () => (await store.nextDue()) === undefined)
  t.strictSame(
    sent.filter((one) => one.startsWith('http://r1')),
    ['http://r1:1', 'http://r1:2', 'http://r1:3'],
  )
  t.strictSame(
    sent.filter((one) => one.startsWith('http://r2')),
    ['http://r2:1', 'http://r2:2', 'http://r2:3'],
  )
})

test('what fails is tried again with growing pauses, and the next event waits', async (t) => {
  const { store, time, sent, until } = await stage(t, async (_to, _message, nth) =>
    nth < 4 ? { result: 'later', error: 'HTTP 500' } : { result: 'taken' },
  )
  await store.addReceiver(receiver(1))
  await store.record([], [event(1), event(2)])
  const pauses: number[] = []
  for (let attempt = 1; attempt < 4; attempt += 1) {
    await until(async () => sent.length === attempt && ((await store.nextDue()) ?? 0) > time.time)
    const due = (await store.nextDue()) ?? 0
    pauses.push(due - time.time)
    time.time = due
  }
  await until(() => sent.includes('http://r1:2'))
  t.strictSame(sent.slice(0, 4), Array(4).fill('http://r1:1'))
  t.ok((pauses[2] ?? 0) > (pauses[0] ?? 0), `pauses grow: ${pauses.join(', ')}`)
})

test('after the threshold, or when it is refused, it is a dead letter that can be played again', async (t) => {
  let broken = true
  const { store, time, until } = await stage(t, async () =>
    broken ? { result: 'later', error: 'HTTP 503' } : { result: 'taken' },
  )
  await store.addReceiver(receiver(1, { failureThreshold: 10_000 }))
  time.time = 20_000
  await store.record([], [event(1)])
  await until(async () => (await store.deadLetters(id(1), 10)).length === 1)
  t.match(await store.deadLetters(id(1), 10), [{ lastError: 'HTTP 503', attempts: 1 }])
  broken = false
  await store.replay(id(1), time.time)
  await until(async () => (await store.nextDue()) === undefined)
  t.strictSame(await store.deadLetters(id(1), 10), [])
})

test('what was not delivered before a stop is delivered after the next start', async (t) => {
  const store = openSqliteStore(':memory:')
  await store.addReceiver(receiver(1))
  await store.record([], [event(1)])
  const time = clock()
  const options = {
    store,
    bodyOf: () => '',
    clock: time,
    randomness: systemRandomness,
    onError: () => undefined,
  }
  const attempts: string[] = []
  const first = startDeliveries({
    ...options,
    sender: {
      send: async () => {
        attempts.push('first')
        return { result: 'later', error: 'down' }
      },
      close: async () => undefined,
    },
  })
  while (attempts.length === 0) await new Promise((resolve) => setTimeout(resolve, 2))
  await first.close()
  time.time = 60_000
  const second = startDeliveries({
    ...options,
    sender: {
      send: async () => {
        attempts.push('second')
        return { result: 'taken' }
      },
      close: async () => undefined,
    },
  })
  while (attempts.length === 1) await new Promise((resolve) => setTimeout(resolve, 2))
  await second.close()
  t.strictSame(attempts, ['first', 'second'])
  t.equal(await store.nextDue(), undefined)
  await store.close()
})
