import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openSqliteStore } from '../../src/store/sqlite/store.ts'
import { storeContract } from './contract.ts'

storeContract('sqlite', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'fleetwright-store-'))
  return {
    open: async () => openSqliteStore(join(folder, 'store.sqlite')),
    remove: () => rm(folder, { recursive: true, force: true }),
  }
})
