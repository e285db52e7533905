/** What every store must do. */
import { type Test, test } from 'tap'
import type { Id } from '../../src/fleet/ids.ts'
import type { FleetStore, Receiver, RecordedState, StateEvent } from '../../src/ports/store.ts'
import { id } from '../support/intents.ts'

export interface StoreUnderTest {
  /** Opens the same store again after a close, or beside it. */
  open(): Promise<FleetStore>
  remove(): Promise<void>
}

function state(number: number, name: string, generation = 1): RecordedState {
  return { kind: 'installation', id: id(number), state: name, generation, since: 1_000 }
}

function event(number: number, of = 1, newState = 'stable'): StateEvent {
  return {
    id: id(10_000 + number),
    at: 1_000 + number,
    resourceType: 'installation',
    resourceId: id(of),
    oldState: 'creation-requested',
    newState,
    extraData: { Environment: 'test', Name: 'acme' },
  }
}

function receiver(number: number, kind: Receiver['kind'] = 'webhook'): Receiver {
  return {
    id: id(20_000 + number),
    kind,
    ownerId: 'owner',
    url: `http://127.0.0.1:9/${number}`,
    headers: [{ key: 'X-A', value: 'v' }],
    createdAt: number,
  }
}

async function statesOf(store: FleetStore): Promise<ReadonlyMap<Id, string>> {
  const found = new Map<Id, string>()
  await store.states((one) => found.set(one.id, one.state))
  return found
}

/** @param make a new, empty store */
export function storeContract(
  name: string,
  make: () => Promise<StoreUnderTest>,
  skip: string | false = false,
): void {
  function check(
    what: string,
    run: (t: Test, store: FleetStore, under: StoreUnderTest) => Promise<void>,
  ): void {
    test(`${name}: ${what}`, { skip }, async (t) => {
      const under = await make()
      const store = await under.open()
      t.teardown(async () => {
        await store.close()
        await under.remove()
      })
      await run(t, store, under)
    })
  }

  check('states are replaced, and forgotten when asked', async (t, store) => {
    await store.record([state(1, 'creation-requested'), state(2, 'stable')], [])
    await store.record([state(1, 'stable', 2)], [])
    t.strictSame(
      await statesOf(store),
      new Map([
        [id(1), 'stable'],
        [id(2), 'stable'],
      ]),
    )
    await store.forget([{ kind: 'installation', id: id(2) }])
    t.strictSame(await statesOf(store), new Map([[id(1), 'stable']]))
  })

  check('what was recorded is there after it was opened again', async (t, store, under) => {
    await store.addReceiver(receiver(1))
    await store.record([state(1, 'stable')], [event(1)])
    const again = await under.open()
    t.equal((await statesOf(again)).get(id(1)), 'stable')
    t.strictSame(await again.events({ page: 0, perPage: -1 }), [event(1)])
    t.equal((await again.due(10_000, 10)).length, 1)
    await again.close()
  })

  check('events are listed newest first, by object and by page', async (t, store) => {
    await store.record([], [event(1), event(2, 2), event(3)])
    const ids = async (query: Partial<Parameters<FleetStore['events']>[0]>): Promise<readonly Id[]> =>
      (await store.events({ page: 0, perPage: -1, ...query })).map((one) => one.id)
    t.strictSame(await ids({}), [event(3).id, event(2).id, event(1).id])
    t.strictSame(await ids({ resourceId: id(1) }), [event(3).id, event(1).id])
    t.strictSame(await ids({ resourceType: 'cluster' }), [])
    t.strictSame(await ids({ perPage: 2 }), [event(3).id, event(2).id])
    t.strictSame(await ids({ perPage: 2, page: 1 }), [event(1).id])
  })

  check('an event is written, and delivered, once', async (t, store) => {
    await store.addReceiver(receiver(1))
    await store.record([], [event(1)])
    await store.record([], [event(1)])
    t.equal((await store.events({ page: 0, perPage: -1 })).length, 1)
    const [delivery] = await store.due(10_000, 10)
    t.match(delivery, { event: event(1), receiver: receiver(1).id, attempts: 0 })
    await store.settle({ event: event(1), receiver: receiver(1).id }, { outcome: 'delivered', at: 2_000 })
    t.strictSame(await store.due(10_000, 10), [])
    t.equal(await store.nextDue(), undefined)
    t.strictSame(await store.lastAttempt(receiver(1).id), { status: 'delivered', at: 2_000 })
  })

  check('a receiver gets its events in order, and waits for no other receiver', async (t, store) => {
    await store.addReceiver(receiver(1))
    await store.addReceiver(receiver(2, 'subscription'))
    await store.record([], [event(1), event(2)])
    const first = await store.due(10_000, 10)
    t.strictSame(
      first.map((one) => `${one.receiver} ${one.event.id}`).sort(),
      [`${receiver(1).id} ${event(1).id}`, `${receiver(2).id} ${event(1).id}`].sort(),
    )
    await store.settle(
      { event: event(1), receiver: receiver(1).id },
      { outcome: 'retry', at: 3_000, nextAttemptAt: 50_000, error: 'HTTP 500' },
    )
    await store.settle({ event: event(1), receiver: receiver(2).id }, { outcome: 'delivered', at: 3_000 })
    t.strictSame(await store.lastAttempt(receiver(1).id), { status: 'retrying', at: 3_000 })
    const second = await store.due(10_000, 10)
    t.strictSame(
      second.map((one) => [one.receiver, one.event.id]),
      [[receiver(2).id, event(2).id]],
      'the later event of the one that failed waits',
    )
    await store.settle({ event: event(2), receiver: receiver(2).id }, { outcome: 'delivered', at: 3_000 })
    t.equal(await store.nextDue(), 50_000)
    t.match(await store.due(50_000, 10), [{ attempts: 1, lastError: 'HTTP 500', event: event(1) }])
  })

  check('what was given up is kept, does not block, and can be played again', async (t, store) => {
    await store.addReceiver(receiver(1))
    await store.record([], [event(1), event(2)])
    await store.settle(
      { event: event(1), receiver: receiver(1).id },
      { outcome: 'dead', at: 3_000, error: 'gone' },
    )
    t.match(await store.due(10_000, 10), [{ event: event(2) }])
    t.match(await store.deadLetters(undefined, 10), [{ event: event(1), lastError: 'gone' }])
    t.strictSame(await store.deadLetters(receiver(2).id, 10), [])
    t.equal(await store.replay(receiver(1).id, 4_000), 1)
    t.strictSame(await store.deadLetters(undefined, 10), [])
    t.match(await store.due(10_000, 10), [{ event: event(1), attempts: 0 }])
  })

  check('what is not delivered is counted, with the oldest of it', async (t, store) => {
    t.strictSame(await store.backlog(), { open: 0, oldestOpenAt: undefined, dead: 0 })
    await store.addReceiver(receiver(1))
    await store.addReceiver(receiver(2))
    await store.record([], [event(1), event(2)])
    t.strictSame(await store.backlog(), { open: 4, oldestOpenAt: 1_001, dead: 0 })
    for (const delivery of await store.due(5_000, 10))
      await store.settle(delivery, { outcome: 'dead', at: 5_000, error: 'no' })
    t.strictSame(await store.backlog(), { open: 2, oldestOpenAt: 1_002, dead: 2 })
  })

  check('receivers are listed until they are removed, and then get nothing', async (t, store) => {
    await store.addReceiver(receiver(2))
    await store.addReceiver(receiver(1))
    await store.addReceiver(receiver(3, 'subscription'))
    t.strictSame(await store.receivers('webhook'), [receiver(1), receiver(2)])
    await store.record([], [event(1)])
    await store.removeReceiver(receiver(1).id, 5_000)
    t.strictSame(await store.receivers('webhook'), [{ ...receiver(1), deletedAt: 5_000 }, receiver(2)])
    t.match(await store.receiver(receiver(1).id), { deletedAt: 5_000 })
    t.equal(await store.receiver(id(9)), undefined)
    t.strictSame(
      (await store.due(10_000, 10)).map((one) => one.receiver).sort(),
      [receiver(2).id, receiver(3).id].sort(),
    )
    await store.record([], [event(2)])
    t.notOk((await store.due(10_000, 10)).some((one) => one.receiver === receiver(1).id))
  })

  check('old events go when everybody has them, and not before', async (t, store) => {
    await store.addReceiver(receiver(1))
    await store.record([], [event(1), event(2)])
    await store.settle({ event: event(1), receiver: receiver(1).id }, { outcome: 'delivered', at: 2_000 })
    t.equal(await store.prune(10_000), 1)
    t.strictSame(
      (await store.events({ page: 0, perPage: -1 })).map((one) => one.id),
      [event(2).id],
    )
  })

  check('all or nothing: what cannot be written whole is not written', async (t, store) => {
    const broken = { ...event(2), at: undefined as unknown as number }
    await t.rejects(store.record([state(1, 'stable')], [event(1), broken]))
    t.equal((await statesOf(store)).size, 0)
    t.strictSame(await store.events({ page: 0, perPage: -1 }), [])
  })
}
