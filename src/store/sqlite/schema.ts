/** Tables of the store. A new version appends a step; steps that were taken are never changed. */
import type { DatabaseSync } from 'node:sqlite'

const STEPS: readonly string[] = [
  `CREATE TABLE state (
     kind TEXT NOT NULL, id TEXT NOT NULL, state TEXT NOT NULL, generation INTEGER NOT NULL,
     reason TEXT, since INTEGER NOT NULL, PRIMARY KEY (kind, id)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE event (
     sequence INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, at INTEGER NOT NULL,
     resource_type TEXT NOT NULL, resource_id TEXT NOT NULL, old_state TEXT NOT NULL, new_state TEXT NOT NULL,
     extra_data TEXT NOT NULL
   ) STRICT;
   CREATE INDEX event_by_resource ON event (resource_id, sequence);
   CREATE TABLE receiver (
     id TEXT PRIMARY KEY, kind TEXT NOT NULL, created_at INTEGER NOT NULL, deleted_at INTEGER, document TEXT NOT NULL,
     last_status TEXT, last_attempt_at INTEGER
   ) STRICT;
   CREATE TABLE delivery (
     receiver TEXT NOT NULL, sequence INTEGER NOT NULL, status TEXT NOT NULL, attempts INTEGER NOT NULL,
     next_attempt_at INTEGER NOT NULL, last_error TEXT, PRIMARY KEY (receiver, sequence)
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX delivery_open ON delivery (receiver, sequence) WHERE status = 'open';`,
  // Figures are asked for every few seconds: they may not read the whole log.
  `CREATE INDEX delivery_dead ON delivery (receiver, sequence) WHERE status = 'dead';`,
]

/** Brings the tables to the present version. */
export function migrate(database: DatabaseSync): void {
  const row = database.prepare('PRAGMA user_version').get()
  const version = Number(row?.user_version ?? 0)
  for (let step = version; step < STEPS.length; step += 1) {
    database.exec(`BEGIN IMMEDIATE; ${STEPS[step]} PRAGMA user_version = ${step + 1}; COMMIT`)
  }
}
