/** The store in PostgreSQL: the same promises as SQLite, for several replicas. */
import { Pool, type PoolClient } from 'pg'
import { FleetError } from '../../fleet/errors.ts'
import type { Id } from '../../fleet/ids.ts'
import type {
  Delivery,
  DeliveryBacklog,
  DeliveryOutcome,
  EventQuery,
  FleetStore,
  Receiver,
  RecordedState,
  StateEvent,
} from '../../ports/store.ts'
import {
  attemptOf,
  backlogOf,
  deliveryOf,
  eventOf,
  type Row,
  receiverOf,
  settlementOf,
  stateOf,
} from '../rows.ts'
import { migrate } from './schema.ts'

const CONNECTIONS = 5
const CONNECT_MILLISECONDS = 10_000
/** Rows of one read at the start. */
const PAGE = 10_000

const DELIVERY = `SELECT d.receiver, d.sequence, d.attempts, d.next_attempt_at, d.last_error,
  e.id, e.at, e.resource_type, e.resource_id, e.old_state, e.new_state, e.extra_data
  FROM delivery d JOIN event e ON e.sequence = d.sequence`
const OPEN = `(SELECT receiver AS r, MIN(sequence) AS first FROM delivery WHERE status = 'open' GROUP BY receiver)`

export interface PostgresOptions {
  /** `postgres://user:password@host/database` */
  readonly url: string
  /** A connection that was idle broke. */
  readonly onError: (error: unknown) => void
}

/** @throws FleetError `invalid-configuration` when there is no such database; never the URL, which has a password */
export async function openPostgresStore({ url, onError }: PostgresOptions): Promise<FleetStore> {
  const pool = new Pool({
    connectionString: url,
    max: CONNECTIONS,
    connectionTimeoutMillis: CONNECT_MILLISECONDS,
  })
  pool.on('error', onError)
  try {
    const client = await pool.connect()
    try {
      await migrate(client)
    } finally {
      client.release()
    }
  } catch (cause) {
    await pool.end()
    const detail = cause instanceof Error ? cause.message : 'it does not answer'
    throw new FleetError('invalid-configuration', `The database cannot be used: ${detail}`, {}, { cause })
  }
  return new PostgresStore(pool)
}

class PostgresStore implements FleetStore {
  readonly #pool: Pool

  constructor(pool: Pool) {
    this.#pool = pool
  }

  async states(visit: (state: RecordedState) => void): Promise<void> {
    let after: readonly [string, string] = ['', '']
    for (;;) {
      const rows = await this.#all(
        'SELECT * FROM state WHERE (kind, id) > ($1, $2) ORDER BY kind, id LIMIT $3',
        [...after, PAGE],
      )
      for (const row of rows) visit(stateOf(row))
      const last = rows.at(-1)
      if (last === undefined || rows.length < PAGE) return
      after = [String(last.kind), String(last.id)]
    }
  }

  async record(states: readonly RecordedState[], events: readonly StateEvent[]): Promise<void> {
    await this.#transaction(async (client) => {
      if (states.length > 0) await writeStates(client, states)
      // One writer at a time: sequences must be seen in the order they were given.
      if (events.length > 0) await client.query('LOCK TABLE event IN SHARE ROW EXCLUSIVE MODE')
      for (const event of events) await append(client, event)
    })
  }

  async forget(objects: Parameters<FleetStore['forget']>[0]): Promise<void> {
    await this.#pool.query(
      'DELETE FROM state s USING unnest($1::text[], $2::text[]) AS g(kind, id) WHERE s.kind = g.kind AND s.id = g.id',
      [objects.map(({ kind }) => kind), objects.map(({ id }) => id)],
    )
  }

  async events({ resourceType, resourceId, page, perPage }: EventQuery): Promise<readonly StateEvent[]> {
    const rows = await this.#all(
      `SELECT * FROM event WHERE ($1::text IS NULL OR resource_type = $1) AND ($2::text IS NULL OR resource_id = $2)
       ORDER BY sequence DESC LIMIT $3 OFFSET $4`,
      [
        resourceType ?? null,
        resourceId ?? null,
        perPage < 0 ? null : perPage,
        perPage < 0 ? 0 : page * perPage,
      ],
    )
    return rows.map(eventOf)
  }

  async addReceiver(receiver: Receiver): Promise<void> {
    const { id, kind, createdAt } = receiver
    await this.#pool.query('INSERT INTO receiver (id, kind, created_at, document) VALUES ($1, $2, $3, $4)', [
      id,
      kind,
      createdAt,
      JSON.stringify(receiver),
    ])
  }

  async receivers(kind: Receiver['kind']): Promise<readonly Receiver[]> {
    return (
      await this.#all('SELECT document, deleted_at FROM receiver WHERE kind = $1 ORDER BY created_at, id', [
        kind,
      ])
    ).map(receiverOf)
  }

  async receiver(id: Id): Promise<Receiver | undefined> {
    const [row] = await this.#all('SELECT document, deleted_at FROM receiver WHERE id = $1', [id])
    return row === undefined ? undefined : receiverOf(row)
  }

  async removeReceiver(id: Id, at: number): Promise<void> {
    await this.#transaction(async (client) => {
      await client.query('UPDATE receiver SET deleted_at = $1 WHERE id = $2 AND deleted_at IS NULL', [at, id])
      await client.query('DELETE FROM delivery WHERE receiver = $1', [id])
    })
  }

  async due(now: number, limit: number): Promise<readonly Delivery[]> {
    const rows = await this.#all(
      `${DELIVERY} JOIN ${OPEN} o ON o.r = d.receiver AND o.first = d.sequence
       WHERE d.next_attempt_at <= $1 ORDER BY d.next_attempt_at, d.sequence LIMIT $2`,
      [now, limit],
    )
    return rows.map(deliveryOf)
  }

  async nextDue(): Promise<number | undefined> {
    const [row] = await this.#all(
      `SELECT MIN(d.next_attempt_at) AS at FROM delivery d JOIN ${OPEN} o ON o.r = d.receiver AND o.first = d.sequence`,
      [],
    )
    return row === undefined || row.at === null ? undefined : Number(row.at)
  }

  async settle(
    { event, receiver }: Pick<Delivery, 'event' | 'receiver'>,
    outcome: DeliveryOutcome,
  ): Promise<void> {
    const { status, error, nextAttemptAt: next } = settlementOf(outcome)
    await this.#transaction(async (client) => {
      await client.query(
        `UPDATE delivery SET status = $1, attempts = attempts + 1, last_error = $2, next_attempt_at = $3
         WHERE receiver = $4 AND sequence = (SELECT sequence FROM event WHERE id = $5)`,
        [status, error, next, receiver, event.id],
      )
      await client.query('UPDATE receiver SET last_status = $1, last_attempt_at = $2 WHERE id = $3', [
        status,
        outcome.at,
        receiver,
      ])
    })
  }

  async lastAttempt(receiver: Id): ReturnType<FleetStore['lastAttempt']> {
    const [row] = await this.#all(
      'SELECT last_status, last_attempt_at FROM receiver WHERE id = $1 AND last_status IS NOT NULL',
      [receiver],
    )
    return row === undefined ? undefined : attemptOf(row)
  }

  async deadLetters(receiver: Id | undefined, limit: number): Promise<readonly Delivery[]> {
    const rows = await this.#all(
      `${DELIVERY} WHERE d.status = 'dead' AND ($1::text IS NULL OR d.receiver = $1) ORDER BY d.sequence LIMIT $2`,
      [receiver ?? null, limit],
    )
    return rows.map(deliveryOf)
  }

  async backlog(): Promise<DeliveryBacklog> {
    const [row] = await this.#all(
      `SELECT (SELECT COUNT(*) FROM delivery WHERE status = 'open') AS open,
        (SELECT COUNT(*) FROM delivery WHERE status = 'dead') AS dead,
        (SELECT at FROM event WHERE sequence = (SELECT MIN(sequence) FROM delivery WHERE status = 'open')) AS oldest`,
      [],
    )
    return backlogOf(row)
  }

  async replay(receiver: Id, now: number): Promise<number> {
    const { rowCount } = await this.#pool.query(
      `UPDATE delivery SET status = 'open', attempts = 0, next_attempt_at = $1 WHERE receiver = $2 AND status = 'dead'`,
      [now, receiver],
    )
    return rowCount ?? 0
  }

  async prune(before: number): Promise<number> {
    return await this.#transaction(async (client) => {
      await client.query(
        `DELETE FROM delivery d USING event e WHERE d.status = 'delivered' AND e.sequence = d.sequence AND e.at < $1`,
        [before],
      )
      const { rowCount } = await client.query(
        'DELETE FROM event e WHERE e.at < $1 AND NOT EXISTS (SELECT 1 FROM delivery d WHERE d.sequence = e.sequence)',
        [before],
      )
      return rowCount ?? 0
    })
  }

  async close(): Promise<void> {
    await this.#pool.end()
  }

  async #all(sql: string, values: readonly unknown[]): Promise<readonly Row[]> {
    return (await this.#pool.query<Row>(sql, [...values])).rows
  }

  async #transaction<Result>(work: (client: PoolClient) => Promise<Result>): Promise<Result> {
    const client = await this.#pool.connect()
    let broken: Error | undefined
    const onError = (error: Error): void => {
      broken = error
    }
    // Without a listener a connection that breaks between two queries would end the process.
    client.on('error', onError)
    try {
      await client.query('BEGIN')
      const result = await work(client)
      await client.query('COMMIT')
      return result
    } catch (error) {
      // A connection that broke cannot roll back; its transaction ended with it.
      await client.query('ROLLBACK').catch(onError)
      throw error
    } finally {
      client.off('error', onError)
      client.release(broken)
    }
  }
}

async function writeStates(client: PoolClient, states: readonly RecordedState[]): Promise<void> {
  await client.query(
    `INSERT INTO state (kind, id, state, generation, reason, since)
     SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::bigint[])
     ON CONFLICT (kind, id) DO UPDATE SET state = excluded.state, generation = excluded.generation, reason = excluded.reason, since = excluded.since`,
    [
      states.map(({ kind }) => kind),
      states.map(({ id }) => id),
      states.map(({ state }) => state),
      states.map(({ generation }) => generation),
      states.map(({ reason }) => reason ?? null),
      states.map(({ since }) => since),
    ],
  )
}

async function append(
  client: PoolClient,
  { id, at, resourceType, resourceId, oldState, newState, extraData }: StateEvent,
): Promise<void> {
  const { rows } = await client.query<{ readonly sequence: string }>(
    `INSERT INTO event (id, at, resource_type, resource_id, old_state, new_state, extra_data)
     VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO NOTHING RETURNING sequence`,
    [id, at, resourceType, resourceId, oldState, newState, JSON.stringify(extraData)],
  )
  const sequence = rows[0]?.sequence
  if (sequence === undefined) return
  await client.query(
    `INSERT INTO delivery (receiver, sequence, status, attempts, next_attempt_at)
     SELECT r.id, $1, 'open', 0, $2 FROM receiver r WHERE r.deleted_at IS NULL`,
    [sequence, at],
  )
}
