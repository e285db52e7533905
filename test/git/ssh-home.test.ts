import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'tap'
import { sshHome } from '../support/ssh-server/home.ts'
import { noSshd, startSshServer } from '../support/ssh-server/server.ts'
import { testHome } from './home-contract.ts'

if (noSshd !== false) test('remote over ssh', { skip: noSshd }, async () => undefined)
else
  testHome('remote over ssh', async () => {
    const server = await startSshServer()
    const folder = await mkdtemp(join(tmpdir(), 'fleetwright-'))
    return {
      directory: server.directory,
      open: () => sshHome(server, folder),
      refuse: (words) => server.refusePushes(words),
      async close() {
        await server.close()
        await rm(folder, { recursive: true, force: true })
      },
    }
  })
