/** On a git server: a writer that ends at each point of a window, and two that work on one repository. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'tap'
import { dieEverywhere, importFirst, mustBeWhole, runWriter } from '../support/crashes.ts'
import { remoteHome } from '../support/git-server/home.ts'
import { startGitServer } from '../support/git-server/server.ts'

test('remote: a crash at every point of a window', { timeout: 600_000 }, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'fleetwright-'))
  const server = await startGitServer()
  t.teardown(async () => {
    await server.close()
    await rm(folder, { recursive: true, force: true })
  })
  const { url, directory } = server
  await dieEverywhere(t, { repository: url, directory, folder, open: () => remoteHome(server, folder) })
})

test('two processes on one repository, one of which dies and comes back', { timeout: 600_000 }, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'fleetwright-'))
  const server = await startGitServer()
  t.teardown(async () => {
    await server.close()
    await rm(folder, { recursive: true, force: true })
  })
  const { url, directory } = server
  await importFirst({
    repository: url,
    directory,
    folder,
    open: () => remoteHome(server, join(folder, 'one')),
  })
  const odd = Array.from({ length: 12 }, (_, at) => 1 + at * 2)
  const even = odd.map((number) => number + 1)
  const order = { repository: url, children: true, inTurn: true }
  const steady = runWriter({ ...order, folder: join(folder, 'one'), numbers: odd, crash: 0 })
  const mortal = { ...order, folder: join(folder, 'two'), numbers: even }
  t.equal((await runWriter({ ...mortal, crash: 25 })).points, undefined, 'it died')
  const [first, second] = await Promise.all([steady, runWriter({ ...mortal, crash: 0 })])
  t.equal(first.carriedOut.length, odd.length)
  t.equal(second.carriedOut.length, even.length)
  mustBeWhole(t, directory, [...odd, ...even])
})
