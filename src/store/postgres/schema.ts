/** Tables of the store. A new version appends a step; steps that were taken are never changed. */
import type { PoolClient } from 'pg'

const STEPS: readonly string[] = [
  `CREATE TABLE state (
     kind TEXT NOT NULL, id TEXT NOT NULL, state TEXT NOT NULL, generation BIGINT NOT NULL,
     reason TEXT, since BIGINT NOT NULL, PRIMARY KEY (kind, id)
   );
   CREATE TABLE event (
     sequence BIGINT PRIMARY KEY GENERATED ALWAYS AS IDENTITY, id TEXT NOT NULL UNIQUE, at BIGINT NOT NULL,
     resource_type TEXT NOT NULL, resource_id TEXT NOT NULL, old_state TEXT NOT NULL, new_state TEXT NOT NULL,
     extra_data TEXT NOT NULL
   );
   CREATE INDEX event_by_resource ON event (resource_id, sequence);
   CREATE TABLE receiver (
     id TEXT PRIMARY KEY, kind TEXT NOT NULL, created_at BIGINT NOT NULL, deleted_at BIGINT, document TEXT NOT NULL,
     last_status TEXT, last_attempt_at BIGINT
   );
   CREATE TABLE delivery (
     receiver TEXT NOT NULL, sequence BIGINT NOT NULL, status TEXT NOT NULL, attempts INTEGER NOT NULL,
     next_attempt_at BIGINT NOT NULL, last_error TEXT, PRIMARY KEY (receiver, sequence)
   );
   CREATE INDEX delivery_open ON delivery (receiver, sequence) WHERE status = 'open';`,
  // Figures are asked for every few seconds: they may not read the whole log.
  `CREATE INDEX delivery_dead ON delivery (receiver, sequence) WHERE status = 'dead';`,
]

/** Any number; the same for all replicas, so that one of them migrates. */
const LOCK = 7_331_901

/** Brings the tables to the present version; replicas wait for each other. */
export async function migrate(client: PoolClient): Promise<void> {
  await client.query('BEGIN')
  try {
    await client.query('SELECT pg_advisory_xact_lock($1)', [LOCK])
    await client.query('CREATE TABLE IF NOT EXISTS store_version (version INTEGER NOT NULL)')
    const { rows } = await client.query<{ readonly version: number }>('SELECT version FROM store_version')
    const version = rows[0]?.version ?? 0
    for (const step of STEPS.slice(version)) await client.query(step)
    if (rows.length === 0) await client.query('INSERT INTO store_version VALUES ($1)', [STEPS.length])
    else await client.query('UPDATE store_version SET version = $1', [STEPS.length])
    await client.query('COMMIT')
  } catch (error) {
    await client.query('ROLLBACK')
    throw error
  }
}
