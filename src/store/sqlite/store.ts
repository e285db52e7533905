/** The store as one SQLite file. Durable: each `record` is on disk when it resolves. */
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
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
import { attemptOf, backlogOf, deliveryOf, eventOf, receiverOf, settlementOf, stateOf } from '../rows.ts'
import { migrate } from './schema.ts'

const DELIVERY = `SELECT d.receiver, d.sequence, d.attempts, d.next_attempt_at, d.last_error,
  e.id, e.at, e.resource_type, e.resource_id, e.old_state, e.new_state, e.extra_data
  FROM delivery d JOIN event e ON e.sequence = d.sequence`

/** @param path of the file; `:memory:` for none */
export function openSqliteStore(path: string): FleetStore {
  return new SqliteStore(path)
}

class SqliteStore implements FleetStore {
  readonly #database: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()

  constructor(path: string) {
    this.#database = new DatabaseSync(path)
    this.#database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000')
    migrate(this.#database)
  }

  async states(visit: (state: RecordedState) => void): Promise<void> {
    for (const row of this.#prepare('SELECT * FROM state').iterate()) visit(stateOf(row))
  }

  async record(states: readonly RecordedState[], events: readonly StateEvent[]): Promise<void> {
    this.#transaction(() => {
      for (const { kind, id, state, generation, reason, since } of states)
        this.#run(
          'INSERT OR REPLACE INTO state (kind, id, state, generation, reason, since) VALUES (?, ?, ?, ?, ?, ?)',
          kind,
          id,
          state,
          generation,
          reason ?? null,
          since,
        )
      for (const event of events) this.#append(event)
    })
  }

  async forget(objects: Parameters<FleetStore['forget']>[0]): Promise<void> {
    this.#transaction(() => {
      for (const { kind, id } of objects) this.#run('DELETE FROM state WHERE kind = ? AND id = ?', kind, id)
    })
  }

  async events({ resourceType, resourceId, page, perPage }: EventQuery): Promise<readonly StateEvent[]> {
    const rows = this.#all(
      `SELECT * FROM event WHERE (?1 IS NULL OR resource_type = ?1) AND (?2 IS NULL OR resource_id = ?2)
       ORDER BY sequence DESC LIMIT ?3 OFFSET ?4`,
      resourceType ?? null,
      resourceId ?? null,
      perPage,
      perPage < 0 ? 0 : page * perPage,
    )
    return rows.map(eventOf)
  }

  async addReceiver(receiver: Receiver): Promise<void> {
    const { id, kind, createdAt } = receiver
    this.#run(
      'INSERT INTO receiver (id, kind, created_at, document) VALUES (?, ?, ?, ?)',
      id,
      kind,
      createdAt,
      JSON.stringify(receiver),
    )
  }

  async receivers(kind: Receiver['kind']): Promise<readonly Receiver[]> {
    return this.#all(
      'SELECT document, deleted_at FROM receiver WHERE kind = ? ORDER BY created_at, id',
      kind,
    ).map(receiverOf)
  }

  async receiver(id: Id): Promise<Receiver | undefined> {
    const [row] = this.#all('SELECT document, deleted_at FROM receiver WHERE id = ?', id)
    return row === undefined ? undefined : receiverOf(row)
  }

  async removeReceiver(id: Id, at: number): Promise<void> {
    this.#transaction(() => {
      this.#run('UPDATE receiver SET deleted_at = ? WHERE id = ? AND deleted_at IS NULL', at, id)
      this.#run('DELETE FROM delivery WHERE receiver = ?', id)
    })
  }

  async due(now: number, limit: number): Promise<readonly Delivery[]> {
    const rows = this.#all(
      `${DELIVERY} JOIN (SELECT receiver AS r, MIN(sequence) AS first FROM delivery WHERE status = 'open' GROUP BY receiver) o
         ON o.r = d.receiver AND o.first = d.sequence
       WHERE d.next_attempt_at <= ? ORDER BY d.next_attempt_at, d.sequence LIMIT ?`,
      now,
      limit,
    )
    return rows.map(deliveryOf)
  }

  async nextDue(): Promise<number | undefined> {
    const [row] = this.#all(
      `SELECT MIN(d.next_attempt_at) AS at FROM delivery d
         JOIN (SELECT receiver AS r, MIN(sequence) AS first FROM delivery WHERE status = 'open' GROUP BY receiver) o
           ON o.r = d.receiver AND o.first = d.sequence`,
    )
    return row === undefined || row.at === null ? undefined : Number(row.at)
  }

  async settle(
    { event, receiver }: Pick<Delivery, 'event' | 'receiver'>,
    outcome: DeliveryOutcome,
  ): Promise<void> {
    const { status, error, nextAttemptAt: next } = settlementOf(outcome)
    this.#transaction(() => {
      this.#run(
        `UPDATE delivery SET status = ?, attempts = attempts + 1, last_error = ?, next_attempt_at = ?
         WHERE receiver = ? AND sequence = (SELECT sequence FROM event WHERE id = ?)`,
        status,
        error,
        next,
        receiver,
        event.id,
      )
      this.#run(
        'UPDATE receiver SET last_status = ?, last_attempt_at = ? WHERE id = ?',
        status,
        outcome.at,
        receiver,
      )
    })
  }

  async lastAttempt(receiver: Id): ReturnType<FleetStore['lastAttempt']> {
    const [row] = this.#all(
      'SELECT last_status, last_attempt_at FROM receiver WHERE id = ? AND last_status IS NOT NULL',
      receiver,
    )
    return row === undefined ? undefined : attemptOf(row)
  }

  async deadLetters(receiver: Id | undefined, limit: number): Promise<readonly Delivery[]> {
    return this.#all(
      `${DELIVERY} WHERE d.status = 'dead' AND (?1 IS NULL OR d.receiver = ?1) ORDER BY d.sequence LIMIT ?2`,
      receiver ?? null,
      limit,
    ).map(deliveryOf)
  }

  async backlog(): Promise<DeliveryBacklog> {
    const [row] = this.#all(
      `SELECT (SELECT COUNT(*) FROM delivery WHERE status = 'open') AS open,
        (SELECT COUNT(*) FROM delivery WHERE status = 'dead') AS dead,
        (SELECT at FROM event WHERE sequence = (SELECT MIN(sequence) FROM delivery WHERE status = 'open')) AS oldest`,
    )
    return backlogOf(row)
  }

  async replay(receiver: Id, now: number): Promise<number> {
    return this.#run(
      `UPDATE delivery SET status = 'open', attempts = 0, next_attempt_at = ? WHERE receiver = ? AND status = 'dead'`,
      now,
      receiver,
    )
  }

  async prune(before: number): Promise<number> {
    return this.#transaction(() => {
      this.#run(
        `DELETE FROM delivery WHERE status = 'delivered' AND sequence IN (SELECT sequence FROM event WHERE at < ?)`,
        before,
      )
      return this.#run(
        'DELETE FROM event WHERE at < ? AND NOT EXISTS (SELECT 1 FROM delivery d WHERE d.sequence = event.sequence)',
        before,
      )
    })
  }

  async close(): Promise<void> {
    this.#statements.clear()
    this.#database.close()
  }

  #append({ id, at, resourceType, resourceId, oldState, newState, extraData }: StateEvent): void {
    const written = this.#run(
      'INSERT OR IGNORE INTO event (id, at, resource_type, resource_id, old_state, new_state, extra_data) VALUES (?, ?, ?, ?, ?, ?, ?)',
      id,
      at,
      resourceType,
      resourceId,
      oldState,
      newState,
      JSON.stringify(extraData),
    )
    if (written === 0) return
    this.#run(
      `INSERT INTO delivery (receiver, sequence, status, attempts, next_attempt_at)
       SELECT r.id, (SELECT sequence FROM event WHERE id = ?), 'open', 0, ? FROM receiver r WHERE r.deleted_at IS NULL`,
      id,
      at,
    )
  }

  #transaction<Result>(work: () => Result): Result {
    this.#database.exec('BEGIN IMMEDIATE')
    try {
      const result = work()
      this.#database.exec('COMMIT')
      return result
    } catch (error) {
      this.#database.exec('ROLLBACK')
      throw error
    }
  }

  /** @returns how many rows were changed */
  #run(sql: string, ...values: readonly SQLInputValue[]): number {
    return Number(this.#prepare(sql).run(...values).changes)
  }

  #all(sql: string, ...values: readonly SQLInputValue[]): readonly Readonly<Record<string, unknown>>[] {
    return this.#prepare(sql).all(...values)
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql)
    if (statement === undefined) {
      statement = this.#database.prepare(sql)
      this.#statements.set(sql, statement)
    }
    return statement
  }
}
