/** A writer that ends at each point of a window, one after another. */
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'tap'
import { openEmbeddedHome } from '../../src/git/embedded/home.ts'
import { dieEverywhere } from '../support/crashes.ts'

async function leftovers(directory: string): Promise<readonly string[]> {
  const names = await readdir(directory, { recursive: true })
  return names.filter((name) => /\.lock$|(^|\/)tmp_/.test(name))
}

test('embedded: a crash at every point of a window', { timeout: 600_000 }, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'fleetwright-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const directory = join(folder, 'fleet.git')
  const victim = { repository: directory, directory, folder, open: () => openEmbeddedHome(directory) }
  await dieEverywhere(t, victim)
  t.same(await leftovers(directory), [], 'nothing half is left')
})
