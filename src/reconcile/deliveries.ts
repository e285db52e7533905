/**
 * Delivers events: at least once, in order for each receiver, no receiver waits for another. What fails is tried again with
 * growing pauses until the receiver's threshold; then it is a dead letter, which can be played again.
 */
import type { Id } from '../fleet/ids.ts'
import type { Clock, Randomness } from '../ports/clock.ts'
import type { Sender } from '../ports/sender.ts'
import type { Delivery, DeliveryOutcome, FleetStore, Receiver, StateEvent } from '../ports/store.ts'
import { type Loop, startLoop } from './loop.ts'

const INTERVAL_MILLISECONDS = 1_000
const MOST_AT_ONCE = 64
const FIRST_PAUSE = 2_000
const LONGEST_PAUSE = 10 * 60_000
const DEFAULT_THRESHOLD = 24 * 60 * 60_000

export interface DeliveriesOptions {
  readonly store: FleetStore
  readonly sender: Sender
  readonly bodyOf: (receiver: Receiver, event: StateEvent) => string
  readonly clock: Clock
  readonly randomness: Randomness
  readonly onError: (error: unknown) => void
  readonly onOutcome?: (outcome: DeliveryOutcome['outcome'], lagMilliseconds: number) => void
}

export interface Deliveries {
  /** There are new events. */
  wake(): void
  close(): Promise<void>
}

export function startDeliveries(options: DeliveriesOptions): Deliveries {
  const { store, clock, onError } = options
  const busy = new Map<Id, Promise<void>>()
  const loop: Loop = startLoop({ clock, interval: INTERVAL_MILLISECONDS, run, onError })
  async function run(signal: AbortSignal): Promise<void> {
    if (busy.size >= MOST_AT_ONCE) return
    for (const delivery of await store.due(clock.now(), MOST_AT_ONCE * 2)) {
      if (signal.aborted || busy.size >= MOST_AT_ONCE) return
      if (busy.has(delivery.receiver)) continue
      const work = deliver(options, delivery)
        .catch(onError)
        .finally(() => {
          busy.delete(delivery.receiver)
          loop.wake()
        })
      busy.set(delivery.receiver, work)
    }
  }
  return {
    wake: loop.wake,
    async close() {
      await loop.close()
      await Promise.all(busy.values())
    },
  }
}

async function deliver(
  { store, sender, bodyOf, clock, randomness, onOutcome }: DeliveriesOptions,
  delivery: Delivery,
): Promise<void> {
  const receiver = await store.receiver(delivery.receiver)
  if (receiver === undefined || receiver.deletedAt !== undefined) return
  const sentAt = clock.now()
  const sent = await sender.send(receiver, {
    id: delivery.event.id,
    body: bodyOf(receiver, delivery.event),
    sentAt,
  })
  const at = clock.now()
  const outcome = outcomeOf(sent, delivery, receiver, at, randomness)
  await store.settle(delivery, outcome)
  onOutcome?.(outcome.outcome, at - delivery.event.at)
}

function outcomeOf(
  sent: Awaited<ReturnType<Sender['send']>>,
  { event, attempts }: Delivery,
  { failureThreshold = DEFAULT_THRESHOLD }: Receiver,
  at: number,
  randomness: Randomness,
): DeliveryOutcome {
  if (sent.result === 'taken') return { outcome: 'delivered', at }
  if (sent.result === 'refused' || at - event.at >= failureThreshold)
    return { outcome: 'dead', at, error: sent.error }
  const pause =
    Math.min(FIRST_PAUSE * 2 ** attempts, LONGEST_PAUSE) * (0.5 + (randomness.bytes(1)[0] ?? 0) / 255)
  return { outcome: 'retry', at, nextAttemptAt: at + Math.round(pause), error: sent.error }
}
