/** Rows of the tables as the port has them; the same for every implementation. */
import type { Id } from '../fleet/ids.ts'
import type {
  Delivery,
  DeliveryBacklog,
  DeliveryOutcome,
  Receiver,
  RecordedState,
  StateEvent,
} from '../ports/store.ts'

export type Row = Readonly<Record<string, unknown>>

function text(row: Row, column: string): string {
  return String(row[column])
}

function optional(row: Row, column: string): string | undefined {
  const value = row[column]
  return value === null || value === undefined ? undefined : String(value)
}

/** PostgreSQL gives 64-bit integers as text. */
function number(row: Row, column: string): number {
  return Number(row[column])
}

export function stateOf(row: Row): RecordedState {
  const reason = optional(row, 'reason')
  return {
    // Written by `record` of the same types.
    kind: text(row, 'kind') as RecordedState['kind'],
    id: text(row, 'id') as Id,
    state: text(row, 'state'),
    generation: number(row, 'generation'),
    since: number(row, 'since'),
    ...(reason === undefined ? {} : { reason }),
  }
}

export function eventOf(row: Row): StateEvent {
  return {
    id: text(row, 'id') as Id,
    at: number(row, 'at'),
    resourceType: text(row, 'resource_type') as StateEvent['resourceType'],
    resourceId: text(row, 'resource_id') as Id,
    oldState: text(row, 'old_state'),
    newState: text(row, 'new_state'),
    extraData: JSON.parse(text(row, 'extra_data')) as StateEvent['extraData'],
  }
}

export function receiverOf(row: Row): Receiver {
  const receiver = JSON.parse(text(row, 'document')) as Receiver
  return row.deleted_at === null ? receiver : { ...receiver, deletedAt: number(row, 'deleted_at') }
}

export function attemptOf(row: Row): {
  readonly status: 'delivered' | 'retrying' | 'failed'
  readonly at: number
} {
  const status = text(row, 'last_status')
  const at = number(row, 'last_attempt_at')
  if (status === 'delivered') return { status, at }
  return { status: status === 'dead' ? 'failed' : 'retrying', at }
}

export function deliveryOf(row: Row): Delivery {
  const lastError = optional(row, 'last_error')
  return {
    event: eventOf(row),
    receiver: text(row, 'receiver') as Id,
    sequence: number(row, 'sequence'),
    attempts: number(row, 'attempts'),
    nextAttemptAt: number(row, 'next_attempt_at'),
    ...(lastError === undefined ? {} : { lastError }),
  }
}

export function backlogOf(row: Row | undefined): DeliveryBacklog {
  const oldest = row?.oldest ?? null
  return {
    open: Number(row?.open ?? 0),
    oldestOpenAt: oldest === null ? undefined : Number(oldest),
    dead: Number(row?.dead ?? 0),
  }
}

/** What an outcome makes of a delivery's row. */
export function settlementOf(outcome: DeliveryOutcome): {
  readonly status: string
  readonly error: string | null
  readonly nextAttemptAt: number
} {
  const { outcome: result, at } = outcome
  return {
    status: result === 'retry' ? 'open' : result,
    error: outcome.outcome === 'delivered' ? null : outcome.error,
    nextAttemptAt: outcome.outcome === 'retry' ? outcome.nextAttemptAt : at,
  }
}
