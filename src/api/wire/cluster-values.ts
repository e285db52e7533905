/** What several requests about clusters have in common. */
import type { JsonObject, PgbouncerSettings } from '../../fleet/intents.ts'
import { anyObject, type Decoded, integer, object, text } from '../shapes.ts'
import type { Need } from './need.ts'

export const NODE_GROUP = object({ InstanceType: text(), MinCount: integer(), MaxCount: integer() })
export const ROTATOR = anyObject('How nodes are drained')
export const PGBOUNCER = object({
  MinPoolSize: integer(),
  DefaultPoolSize: integer(),
  ReservePoolSize: integer(),
  MaxClientConnections: integer(),
  MaxDatabaseConnectionsPerPool: integer(),
  ServerIdleTimeout: integer(),
  ServerLifetime: integer(),
  ServerResetQueryAlways: integer(),
})

export const VERSION = /^(?:\d+\.\d+(?:\.\d+)?|latest)$/
export const PGBOUNCER_DEFAULTS: PgbouncerSettings = {
  minPoolSize: 1,
  defaultPoolSize: 5,
  reservePoolSize: 10,
  maxClientConnections: 25_000,
  maxDatabaseConnectionsPerPool: 50,
  serverIdleTimeout: 30,
  serverLifetime: 300,
  serverResetQueryAlways: 0,
}

/** Only what is given. */
export function pgbouncerOf(given: Decoded<typeof PGBOUNCER> | undefined): Partial<PgbouncerSettings> {
  const all = {
    minPoolSize: given?.MinPoolSize,
    defaultPoolSize: given?.DefaultPoolSize,
    reservePoolSize: given?.ReservePoolSize,
    maxClientConnections: given?.MaxClientConnections,
    maxDatabaseConnectionsPerPool: given?.MaxDatabaseConnectionsPerPool,
    serverIdleTimeout: given?.ServerIdleTimeout,
    serverLifetime: given?.ServerLifetime,
    serverResetQueryAlways: given?.ServerResetQueryAlways,
  }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
}

export function checkPgbouncer(given: Decoded<typeof PGBOUNCER> | undefined, need: Need): void {
  for (const [name, value] of Object.entries(given ?? {})) {
    const pointer = `/pgbouncer-config/${name}`
    if (name === 'ServerResetQueryAlways') need(value === 0 || value === 1, pointer, 'must be 0 or 1')
    else if (name === 'ReservePoolSize') need(Number(value) >= 0, pointer, 'must be 0 or more')
    else need(Number(value) >= 1, pointer, 'must be 1 or more')
  }
}

const ROTATOR_NUMBERS = [
  'max-scaling',
  'max-drain-retries',
  'evict-grace-period',
  'wait-between-rotations',
  'wait-between-drains',
  'wait-between-pod-evictions',
] as const

export function checkRotator(given: JsonObject | undefined, need: Need): void {
  if (given === undefined) return
  const use = given['use-rotator']
  need(typeof use === 'boolean', '/rotatorConfig/use-rotator', 'must be true or false')
  if (use !== true) return
  for (const name of ROTATOR_NUMBERS) {
    const value = given[name]
    need(
      Number.isSafeInteger(value) && Number(value) >= 0,
      `/rotatorConfig/${name}`,
      'must be a whole number, 0 or more',
    )
  }
}
