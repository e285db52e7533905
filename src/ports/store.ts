/**
 * What is observed and told: the last recorded states, the event log, receivers (webhooks, subscriptions) and deliveries.
 * `src/store/{sqlite,postgres}` implement it, one contract suite for both. Observations can be thrown away and built
 * again; events and deliveries that were not made must not be lost.
 */
import type { Id } from '../fleet/ids.ts'
import type { ObservedKind } from './observations.ts'

/** A state as the world was last told. */
export interface RecordedState {
  /** `fleet`: the store has been in use before, so what it does not know is new. */
  readonly kind: ObservedKind | 'fleet'
  readonly id: Id
  readonly state: string
  /** Generation of the operation that the state belongs to. */
  readonly generation: number
  readonly reason?: string
  /** Since when it has been in this state, milliseconds since 1970. */
  readonly since: number
}

export interface StateEvent {
  readonly id: Id
  /** Milliseconds since 1970. */
  readonly at: number
  readonly resourceType: 'cluster' | 'installation' | 'cluster_installation'
  readonly resourceId: Id
  readonly oldState: string
  readonly newState: string
  /** `Environment`, `Name`, …; sent as `extra_data`. */
  readonly extraData: Readonly<Record<string, string>>
}

export interface Receiver {
  readonly id: Id
  readonly kind: 'webhook' | 'subscription'
  readonly ownerId: string
  readonly url: string
  readonly name?: string
  readonly eventType?: string
  /** Milliseconds after which a delivery is given up; undefined: the default. */
  readonly failureThreshold?: number
  /** Values of secrets are references into the secret backend. */
  readonly headers: readonly ReceiverHeader[]
  readonly createdAt: number
  readonly deletedAt?: number
}

export interface ReceiverHeader {
  readonly key: string
  readonly value?: string
  readonly secretKey?: string
  readonly valueFromEnv?: string
}

export interface Delivery {
  readonly event: StateEvent
  readonly receiver: Id
  /** Grows with every event, so the order of a receiver is kept. */
  readonly sequence: number
  readonly attempts: number
  readonly nextAttemptAt: number
  readonly lastError?: string
}

export interface DeliveryBacklog {
  /** Deliveries that are still tried. */
  readonly open: number
  /** Of the event that has waited longest for one of them, milliseconds since 1970. */
  readonly oldestOpenAt: number | undefined
  readonly dead: number
}

export type DeliveryOutcome =
  | { readonly outcome: 'delivered'; readonly at: number }
  | { readonly outcome: 'retry'; readonly at: number; readonly nextAttemptAt: number; readonly error: string }
  | { readonly outcome: 'dead'; readonly at: number; readonly error: string }

export interface EventQuery {
  readonly resourceType?: string
  readonly resourceId?: Id
  readonly page: number
  /** -1: all. */
  readonly perPage: number
}

export interface FleetStore {
  /** All of them, at the start. */
  states(visit: (state: RecordedState) => void): Promise<void>
  /**
   * In one durable transaction: the new states, their events, and one delivery for every receiver there is. Events that are
   * there already (same id) are not written twice.
   */
  record(states: readonly RecordedState[], events: readonly StateEvent[]): Promise<void>
  /** Forgets states of objects that are gone. */
  forget(objects: readonly Pick<RecordedState, 'kind' | 'id'>[]): Promise<void>
  /** Newest first. */
  events(query: EventQuery): Promise<readonly StateEvent[]>
  addReceiver(receiver: Receiver): Promise<void>
  /** In order of creation, deleted ones with `deletedAt`. */
  receivers(kind: Receiver['kind']): Promise<readonly Receiver[]>
  /** The last attempt at each receiver. */
  lastAttempt(
    receiver: Id,
  ): Promise<{ readonly status: 'delivered' | 'retrying' | 'failed'; readonly at: number } | undefined>
  receiver(id: Id): Promise<Receiver | undefined>
  removeReceiver(id: Id, at: number): Promise<void>
  /** The oldest open delivery of each receiver that is due: order per receiver, no receiver waits for another. */
  due(now: number, limit: number): Promise<readonly Delivery[]>
  /** When the next delivery is due; undefined: none is open. */
  nextDue(): Promise<number | undefined>
  settle(delivery: Pick<Delivery, 'event' | 'receiver'>, outcome: DeliveryOutcome): Promise<void>
  /** Oldest first. */
  deadLetters(receiver: Id | undefined, limit: number): Promise<readonly Delivery[]>
  /** What is not delivered, of all receivers. */
  backlog(): Promise<DeliveryBacklog>
  /** Makes dead letters of a receiver open again; returns how many. */
  replay(receiver: Id, now: number): Promise<number>
  /** Removes delivered and old events; returns how many. */
  prune(before: number): Promise<number>
  close(): Promise<void>
}
