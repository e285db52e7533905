import { t as suite, test } from 'tap'
import { openPostgresStore } from '../../src/store/postgres/store.ts'
import { missingPostgres, type Postgres, startPostgres } from '../support/postgres.ts'
import { storeContract } from './contract.ts'

const skip = missingPostgres() ?? false
const server: Postgres | undefined = skip === false ? await startPostgres() : undefined
let count = 0

function newDatabase(): string {
  if (server === undefined) throw new Error('PostgreSQL was not started')
  count += 1
  return server.database(`store_${count}`)
}

const onError = (): void => undefined

storeContract(
  'postgres',
  async () => {
    const url = newDatabase()
    return { open: () => openPostgresStore({ url, onError }), remove: async () => undefined }
  },
  skip,
)

test('postgres: replicas that start at once make the tables once', { skip }, async (t) => {
  const url = newDatabase()
  const stores = await Promise.all(Array.from({ length: 4 }, () => openPostgresStore({ url, onError })))
  t.equal(stores.length, 4)
  await Promise.all(stores.map((store) => store.close()))
})

test('postgres: a database that is not there is said without its password', { skip }, async (t) => {
  const url = newDatabase()
    .replace('fleetwright@', 'fleetwright:very-secret@')
    .replace(/store_\d+$/, 'nowhere')
  const error = await openPostgresStore({ url, onError }).then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  t.match(String(error), /database "nowhere" does not exist/)
  t.notMatch(String(error), /very-secret/)
})

test('postgres: what was recorded survives a crash of the server, and the store goes on', {
  skip,
}, async (t) => {
  const store = await openPostgresStore({ url: newDatabase(), onError })
  t.teardown(() => store.close())
  const state = { kind: 'fleet', id: 'fleet' as never, state: '', generation: 1, since: 1 } as const
  await store.record([state], [])
  // Idle connections break with the server; the store is told and goes on.
  await server?.crash()
  await t.rejects(store.record([{ ...state, generation: 2 }], []))
  await server?.start()
  await store.record([{ ...state, generation: 3 }], [])
  const generations: number[] = []
  await store.states(({ generation }) => generations.push(generation))
  t.strictSame(generations, [3])
})

suite.teardown(async () => {
  await server?.stop()
})
