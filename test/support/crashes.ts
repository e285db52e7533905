/** Writers that end at each point of a window, and what they leave behind. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import type { Test } from 'tap'
import { gitIn } from '../git/home-contract.ts'
import type { CrashOrder } from './crash-process.ts'
import { importCluster, requestContext, writerOn } from './git-writer.ts'
import type { Victim } from './kills.ts'

const WORKER = join(import.meta.dirname, 'crash-process.ts')
const MOST_POINTS = 60

interface Ended {
  readonly carriedOut: readonly number[]
  /** Undefined: it died before. */
  readonly points: number | undefined
}

/** @throws Error when the process ended in any other way than it was told */
export async function runWriter(order: CrashOrder): Promise<Ended> {
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

export async function importFirst(victim: Victim): Promise<void> {
  const writer = await writerOn(await victim.open())
  await writer.submit(importCluster('prod-1', 900), requestContext(0))
  await writer.close()
}

/** Each once, and the repository as it has to be. */
export function mustBeWhole(t: Test, directory: string, numbers: readonly number[]): void {
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
export async function dieEverywhere(t: Test, victim: Victim): Promise<void> {
  await importFirst(victim)
  const asked: number[] = []
  const known = new Set<number>()
  const order = { repository: victim.repository, folder: victim.folder, inTurn: false }
  let survived = 0
  let crash = 1
  for (; crash <= MOST_POINTS && survived === 0; crash += 1) {
    asked.push(...[1, 2, 3].map((number) => crash * 10 + number))
    const numbers = asked.filter((number) => !known.has(number))
    const ended = await runWriter({ ...order, numbers, crash, children: crash % 2 === 1 })
    for (const number of ended.carriedOut) known.add(number)
    survived = ended.points ?? 0
  }
  t.ok(crash > 8, `${crash - 2} points, and then it got through`)
  t.not(survived, 0)
  t.equal(
    (await runWriter({ ...order, numbers: asked, crash: 0, children: false })).carriedOut.length,
    asked.length,
  )
  mustBeWhole(t, victim.directory, asked)
}
