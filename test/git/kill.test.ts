import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'tap'
import { openEmbeddedHome } from '../../src/git/embedded/home.ts'
import { killAgainAndAgain } from '../support/kills.ts'

test('50 kills lose nothing and double nothing', { timeout: 240_000 }, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'fleetwright-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const directory = join(folder, 'fleet.git')
  const victim = { repository: directory, directory, folder, open: () => openEmbeddedHome(directory) }
  await killAgainAndAgain(t, victim, 50, 120)
})
