import { copyFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'tap'
import { remoteHome } from '../support/git-server/home.ts'
import { startGitServer } from '../support/git-server/server.ts'
import { killAgainAndAgain, type Victim } from '../support/kills.ts'
import { sshHome } from '../support/ssh-server/home.ts'
import { noSshd, startSshServer } from '../support/ssh-server/server.ts'
import { gitIn } from './home-contract.ts'

test('12 kills lose nothing and double nothing on a git server', { timeout: 240_000 }, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'fleetwright-'))
  const server = await startGitServer()
  t.teardown(async () => {
    await server.close()
    await rm(folder, { recursive: true, force: true })
  })
  const { url, directory } = server
  const victim = { repository: url, directory, folder, open: () => remoteHome(server, folder) }
  await killAgainAndAgain(t, victim, 12, 600)
  t.equal(
    gitIn((await onlyClone(victim)).directory, 'fsck', '--strict', '--no-dangling'),
    '',
    'the clone is whole',
  )
})

test('6 kills lose nothing and double nothing over ssh', { skip: noSshd, timeout: 240_000 }, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'fleetwright-'))
  const server = await startSshServer()
  t.teardown(async () => {
    await server.close()
    await rm(folder, { recursive: true, force: true })
  })
  const { url, directory, keyFile, knownHostsFile } = server
  await copyFile(keyFile, join(folder, 'key'))
  await copyFile(knownHostsFile, join(folder, 'known_hosts'))
  const victim = { repository: url, directory, folder, open: () => sshHome(server, folder) }
  await killAgainAndAgain(t, victim, 6, 600)
  t.equal(gitIn((await onlyClone(victim)).directory, 'fsck', '--strict', '--no-dangling'), '')
})

async function onlyClone(victim: Victim): Promise<{ readonly directory: string }> {
  const home = await victim.open()
  await home.close()
  return { directory: home.gitDirectory }
}
