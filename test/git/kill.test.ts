import { execFileSync, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'tap'
import { clusterPath } from '../../src/fleet/paths.ts'
import { embeddedWriter, requestContext } from '../support/git-writer.ts'
import { cluster } from '../support/intents.ts'

const KILLS = 50
const WORKER = join(import.meta.dirname, '../support/writer-process.ts')

/** Lets a writer work and kills it some milliseconds after it is ready; what it acknowledged. */
async function killed(directory: string, first: number, after: number): Promise<readonly number[]> {
  const child = spawn(process.execPath, [WORKER, directory, String(first), `run-${first}`], {
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

test(`${KILLS} kills lose nothing and double nothing`, { timeout: 240_000 }, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'fleetwright-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const directory = join(folder, 'fleet.git')
  const git = (...args: readonly string[]): string =>
    execFileSync('git', ['--git-dir', directory, ...args], { encoding: 'utf8', maxBuffer: 1 << 28 })
  const start = await embeddedWriter(directory)
  const after = cluster('prod-1', 900, { capacity: { installations: 1_000_000 } })
  await start.submit(
    () => ({
      changes: [{ path: clusterPath('prod-1'), before: undefined, after }],
      text: { subject: 'Import cluster prod-1', trailers: {} },
      value: undefined,
    }),
    requestContext(0),
  )
  await start.close()
  const acknowledged: number[] = []
  for (let kill = 0; kill < KILLS; kill += 1) {
    const numbers = await killed(directory, 1_000 + kill * 10_000, Math.floor(Math.random() * 120))
    acknowledged.push(...numbers)
  }
  const last = await embeddedWriter(directory)
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
  t.ok(acknowledged.length > KILLS, `${acknowledged.length} acknowledged`)
  t.equal(
    git('rev-parse', 'main:clusters/prod-1'),
    git('rev-parse', 'cluster/prod-1^{tree}'),
    'the projection follows main',
  )
  t.equal(git('fsck', '--strict', '--no-dangling'), '')
})
