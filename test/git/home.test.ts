import { execFileSync } from 'node:child_process'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEmbeddedHome } from '../../src/git/embedded/home.ts'
import { remoteHome } from '../support/git-server/home.ts'
import { startGitServer } from '../support/git-server/server.ts'
import { type HomeSubject, testHome } from './home-contract.ts'

async function embedded(prepare: (directory: string) => void): Promise<HomeSubject> {
  const folder = await mkdtemp(join(tmpdir(), 'fleetwright-'))
  const directory = join(folder, 'fleet.git')
  prepare(directory)
  const hook = join(directory, 'hooks', 'reference-transaction')
  return {
    directory,
    open: () => openEmbeddedHome(directory),
    async refuse(words) {
      if (words === undefined) return await rm(hook)
      await mkdir(join(directory, 'hooks'), { recursive: true })
      await writeFile(hook, `#!/bin/sh\necho '${words}' >&2\nexit 1\n`)
      await chmod(hook, 0o755)
    },
    close: () => rm(folder, { recursive: true, force: true }),
  }
}

testHome('embedded', () => embedded(() => undefined))

testHome('a path on this disk', () =>
  embedded(
    (directory) =>
      void execFileSync('git', ['init', '--quiet', '--bare', '--initial-branch=main', directory]),
  ),
)

testHome('remote', async () => {
  const server = await startGitServer()
  const folder = await mkdtemp(join(tmpdir(), 'fleetwright-'))
  return {
    directory: server.directory,
    open: () => remoteHome(server, folder),
    refuse: (words) => server.refusePushes(words),
    async close() {
      await server.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
})
