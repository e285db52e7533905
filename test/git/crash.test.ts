/** A writer that ends at each point of a window, one after another, and two that work on one repository. */
import { spawn } from 'node:child_process'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Test, test } from 'tap'
import { openEmbeddedHome } from '../../src/git/embedded/home.ts'
import type { CrashOrder } from '../support/crash-process.ts'
import { remoteHome } from '../support/git-server/home.ts'
import { startGitServer } from '../support/git-server/server.ts'
import { importCluster, requestContext, writerOn } from '../support/git-writer.ts'
import type { Victim } from '../support/kills.ts'
import { gitIn } from './home-contract.ts'

const WORKER = join(import.meta.dirname, '../support/crash-process.ts')
const MOST_POINTS = 60

interface Ended {
  readonly carriedOut: readonly number[]
  /** Undefined: it died before. */
  readonly points: number | undefined
}

/** @throws Error when the process ended in any other way than it was told */
async function run(order: CrashOrder): Promise<Ended> {
  const child = spawn(process.execPath, [WORKER, JSON.stringify(order)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_COMPILE_CACHE: join(order.folder, 'compiled') },
  })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
  })
  const [code, signal] = await new Promise<readonly [number | null, string | null]>((resolve) =>
    child.once('close', (...how) => resolve(how)),
  )
  if (code !== 0 && signal !== 'SIGKILL') throw new Error(`the writer ended by itself (${code}, ${signal})`)
  const lines = text.split('\n')
  const points = lines.find((line) => line.startsWith('points '))?.slice('points '.length)
  return {
    carriedOut: lines.filter((line) => /^\d+$/.test(line)).map(Number),
    points: points === undefined ? undefined : Number(points),
  }
}

async function begin(victim: Victim): Promise<void> {
  const writer = await writerOn(await victim.open())
  await writer.submit(importCluster('prod-1', 900), requestContext(0))
  await writer.close()
}

/** Each once, and the repository as it has to be. */
function mustBeWhole(t: Test, directory: string, numbers: readonly number[]): void {
  const found = gitIn(directory, 'log', '--format=%(trailers:key=Request-Id,valueonly)', 'main')
    .split('\n')
    .filter((line) => line.startsWith('run-'))
    .map((line) => Number(line.slice('run-'.length)))
  t.same(found.sort(byNumber), [...numbers].sort(byNumber), 'each request is in the history once')
  const documents = gitIn(directory, 'ls-tree', '-r', '--name-only', 'main')
    .split('\n')
    .filter((path) => path.endsWith('/installation.yaml'))
  t.equal(documents.length, numbers.length, 'and so is what it made')
  t.equal(
    gitIn(directory, 'rev-parse', 'main:clusters/prod-1'),
    gitIn(directory, 'rev-parse', 'cluster/prod-1^{tree}'),
    'the projection follows main',
  )
  t.equal(gitIn(directory, 'fsck', '--strict', '--no-dangling'), '')
}

function byNumber(a: number, b: number): number {
  return a - b
}

/**
 * Dies at the first point, then at the second, and so on until it gets through; each one asks for what is left. By turns
 * git dies with it, as when the power fails, and lives on.
 */
async function dieEverywhere(t: Test, victim: Victim): Promise<void> {
  await begin(victim)
  const asked: number[] = []
  const known = new Set<number>()
  const order = { repository: victim.repository, folder: victim.folder, inTurn: false }
  let survived = 0
  let crash = 1
  for (; crash <= MOST_POINTS && survived === 0; crash += 1) {
    asked.push(...[1, 2, 3].map((number) => crash * 10 + number))
    const numbers = asked.filter((number) => !known.has(number))
    const ended = await run({ ...order, numbers, crash, children: crash % 2 === 1 })
    for (const number of ended.carriedOut) known.add(number)
    survived = ended.points ?? 0
  }
  t.ok(crash > 8, `${crash - 2} points, and then it got through`)
  t.not(survived, 0)
  t.equal(
    (await run({ ...order, numbers: asked, crash: 0, children: false })).carriedOut.length,
    asked.length,
  )
  mustBeWhole(t, victim.directory, asked)
}

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
  await begin({ repository: url, directory, folder, open: () => remoteHome(server, join(folder, 'one')) })
  const odd = Array.from({ length: 12 }, (_, at) => 1 + at * 2)
  const even = odd.map((number) => number + 1)
  const order = { repository: url, children: true, inTurn: true }
  const steady = run({ ...order, folder: join(folder, 'one'), numbers: odd, crash: 0 })
  const mortal = { ...order, folder: join(folder, 'two'), numbers: even }
  t.equal((await run({ ...mortal, crash: 25 })).points, undefined, 'it died')
  const [first, second] = await Promise.all([steady, run({ ...mortal, crash: 0 })])
  t.equal(first.carriedOut.length, odd.length)
  t.equal(second.carriedOut.length, even.length)
  mustBeWhole(t, directory, [...odd, ...even])
})
