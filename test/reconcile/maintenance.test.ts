import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'tap'
import { openEmbeddedHome } from '../../src/git/embedded/home.ts'
import { startMaintenance } from '../../src/reconcile/maintenance.ts'
import { systemClock } from '../../src/system/clock.ts'
import { creation, requestContext, writerOn } from '../support/git-writer.ts'

test('packs do not pile up, and what was written while they are put together is there', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'fleetwright-'))
  const home = await openEmbeddedHome(join(folder, 'fleet.git'))
  const writer = await writerOn(home)
  const maintenance = startMaintenance({
    writer,
    maintain: () => home.maintain(),
    every: 10,
    clock: systemClock,
    onError: (error) => t.fail(String(error)),
  })
  t.teardown(async () => {
    await maintenance.close()
    await rm(folder, { recursive: true, force: true })
  })
  const count = 30
  // One after another, so that each is a window of its own.
  for (let at = 1; at <= count; at += 1) await writer.submit(creation(at), requestContext(at))
  maintenance.wake()
  await maintenance.close()
  const packs = (await readdir(join(folder, 'fleet.git/objects/pack'))).filter((name) =>
    name.endsWith('.pack'),
  )
  t.ok(packs.length < count / 2, `${packs.length} packs after ${count} windows`)
  await writer.close()
  const reopened = await openEmbeddedHome(join(folder, 'fleet.git'))
  const again = await writerOn(reopened)
  t.teardown(() => again.close())
  t.equal(again.fleet.waiting().length, count, 'everything is read back')
})
