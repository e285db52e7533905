import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Test, test } from 'tap'
import type { RepositoryHome } from '../../src/git/contracts.ts'
import { openEmbeddedHome } from '../../src/git/embedded/home.ts'
import { remoteHome } from '../support/git-server/home.ts'
import { startGitServer } from '../support/git-server/server.ts'
import { importCluster, requestContext, writerOn } from '../support/git-writer.ts'
import { gitIn } from './home-contract.ts'

const WORKER = join(import.meta.dirname, '../support/writer-process.ts')

interface Victim {
  /** Path or URL. */
  readonly repository: string
  /** The repository that counts. */
  readonly directory: string
  readonly folder: string
  open(): Promise<RepositoryHome>
}

/** Lets a writer work and kills it some milliseconds after it is ready; what it acknowledged. */
async function killed(
  { repository, folder }: Victim,
  first: number,
  after: number,
): Promise<readonly number[]> {
  const child = spawn(process.execPath, [WORKER, repository, folder, String(first), `run-${first}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const acknowledged: number[] = []
  let rest = ''
  child.stdout.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString('utf8')).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      if (line === 'ready') setTimeout(() => child.kill('SIGKILL'), after)
      else acknowledged.push(Number(line))
    }
  })
  const signal = await new Promise((resolve) => child.once('close', (_code, name) => resolve(name)))
  if (signal !== 'SIGKILL') throw new Error(`the writer ended by itself (${String(signal)})`)
  return acknowledged
}

async function killAgainAndAgain(t: Test, victim: Victim, kills: number, longest: number): Promise<void> {
  const git = (...args: readonly string[]): string => gitIn(victim.directory, ...args)
  const start = await writerOn(await victim.open())
  await start.submit(importCluster('prod-1', 900), requestContext(0))
  await start.close()
  const acknowledged: number[] = []
  for (let kill = 0; kill < kills; kill += 1) {
    const numbers = await killed(victim, 1_000 + kill * 10_000, Math.floor(Math.random() * longest))
    acknowledged.push(...numbers)
  }
  const last = await writerOn(await victim.open())
  await last.close()
  const requests = git('log', '--format=%(trailers:key=Request-Id,valueonly)', 'main')
    .split('\n')
    .filter((line) => line.startsWith('run-'))
  const numbers = requests.map((line) => Number(line.split('-').at(-1)))
  t.equal(new Set(numbers).size, numbers.length, 'no request is in the history twice')
  const there = new Set(numbers)
  t.same(
    acknowledged.filter((number) => !there.has(number)),
    [],
    'every acknowledged request is in the history',
  )
  t.ok(acknowledged.length > 0, `${acknowledged.length} acknowledged`)
  t.equal(
    git('rev-parse', 'main:clusters/prod-1'),
    git('rev-parse', 'cluster/prod-1^{tree}'),
    'the projection follows main',
  )
  t.equal(git('fsck', '--strict', '--no-dangling'), '')
}

test('50 kills lose nothing and double nothing', { timeout: 240_000 }, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'fleetwright-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const directory = join(folder, 'fleet.git')
  const victim = { repository: directory, directory, folder, open: () => openEmbeddedHome(directory) }
  await killAgainAndAgain(t, victim, 50, 120)
})

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

async function onlyClone(victim: Victim): Promise<{ readonly directory: string }> {
  const home = await victim.open()
  await home.close()
  return { directory: home.gitDirectory }
}
