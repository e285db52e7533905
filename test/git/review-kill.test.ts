/** A process that dies at each point of putting a change up for review, and of taking a merge in. */
import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Test, test } from 'tap'
import { installationPath } from '../../src/fleet/paths.ts'
import { creation, embeddedWriter, importCluster, requestContext } from '../support/git-writer.ts'
import { id } from '../support/intents.ts'
import { git } from '../support/person.ts'
import type { ReviewOrder } from '../support/review-process.ts'

const WORKER = join(import.meta.dirname, '../support/review-process.ts')
const MOST_POINTS = 60

/** @returns how many points there were; undefined: it died before */
async function run(order: ReviewOrder, folder: string): Promise<number | undefined> {
  const child = spawn(process.execPath, [WORKER, JSON.stringify(order)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_COMPILE_CACHE: join(folder, 'compiled') },
  })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
  })
  const [code, signal] = await new Promise<readonly [number | null, string | null]>((resolve) =>
    child.once('close', (...how) => resolve(how)),
  )
  if (code !== 0 && signal !== 'SIGKILL') throw new Error(`it ended by itself (${code}, ${signal})`)
  const points = /^points (\d+)$/m.exec(text)?.[1]
  return points === undefined ? undefined : Number(points)
}

async function repository(t: Test): Promise<{ readonly folder: string; readonly directory: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'fleetwright-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const directory = join(folder, 'fleet.git')
  const writer = await embeddedWriter(directory)
  await writer.submit(importCluster('prod-1', 900), requestContext(0))
  await writer.submit(creation(1), requestContext(1))
  await writer.close()
  return { folder, directory }
}

function mustBeWhole(t: Test, directory: string): void {
  t.equal(git(directory, 'fsck', '--strict', '--no-dangling'), '')
  t.equal(
    git(directory, 'rev-parse', 'main:clusters/prod-1'),
    git(directory, 'rev-parse', 'cluster/prod-1^{tree}'),
    'the projection follows main',
  )
}

test('a review that was being pushed is there whole, or not at all', { timeout: 300_000 }, async (t) => {
  const { folder, directory } = await repository(t)
  const main = git(directory, 'rev-parse', 'main')
  let points: number | undefined
  let crash = 1
  for (; points === undefined && crash < MOST_POINTS; crash += 1) {
    const number = 700 + crash
    points = await run({ directory, what: 'propose', number, crash, children: crash % 2 === 1 }, folder)
    const writer = await embeddedWriter(directory)
    const found = writer.openReviews()
    t.ok(found.length <= 1)
    for (const review of found) {
      t.match(review, { idempotencyKey: /^key-/, subject: /acme-1/, isEdited: false })
      git(directory, 'update-ref', '-d', `refs/heads/${review.branch}`)
    }
    await writer.close()
    mustBeWhole(t, directory)
  }
  t.ok(crash > 3, `${crash - 2} points, and then it got through`)
  t.equal(git(directory, 'rev-parse', 'main'), main)
})

test('a merge that was being taken in counts once', { timeout: 300_000 }, async (t) => {
  const { folder, directory } = await repository(t)
  const path = installationPath('prod-1', id(1))
  await run({ directory, what: 'propose', number: 700, crash: 0, children: false }, folder)
  const branch = `fleetwright/review/${id(700)}`
  git(directory, 'update-ref', 'refs/heads/main', `refs/heads/${branch}`)
  const merged = git(directory, 'rev-parse', 'main').trim()
  let points: number | undefined
  let crash = 1
  for (; points === undefined && crash < MOST_POINTS; crash += 1)
    points = await run({ directory, what: 'take in', number: 700, crash, children: crash % 2 === 1 }, folder)
  t.ok(crash > 3, `${crash - 2} points, and then it got through`)
  const writer = await embeddedWriter(directory)
  t.teardown(() => writer.close())
  t.match(writer.reviewOutcome(id(700)), { outcome: 'completed' })
  t.match(writer.fleet.intent(path), { spec: { size: '1000users', operation: { generation: 2 } } })
  t.ok(writer.findByIdempotencyKey('key-700'))
  const records = git(
    directory,
    'log',
    '--format=%(trailers:key=Review-Outcome,valueonly)',
    `${merged}..main`,
  )
  t.equal(records.split('\n').filter((line) => line === 'completed').length, 1, 'it is recorded once')
  mustBeWhole(t, directory)
})
