/** Kills writers and looks at what they leave behind. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import type { Test } from 'tap'
import type { RepositoryHome } from '../../src/git/contracts.ts'
import { gitIn } from '../git/home-contract.ts'
import { importCluster, requestContext, writerOn } from './git-writer.ts'

const WORKER = join(import.meta.dirname, 'writer-process.ts')

export interface Victim {
  /** Path or URL. */
  readonly repository: string
  /** The repository that counts. */
  readonly directory: string
  readonly folder: string
  open(): Promise<RepositoryHome>
}

/** Lets a writer work and kills it some milliseconds after a line of it came; what it acknowledged. */
async function killed(
  { repository, folder }: Victim,
  first: number,
  line: number,
  after: number,
): Promise<readonly number[]> {
  const child = spawn(process.execPath, [WORKER, repository, folder, String(first), `run-${first}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const acknowledged: number[] = []
  let rest = ''
  let seen = 0
  child.stdout.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString('utf8')).split('\n')
    rest = lines.pop() ?? ''
    for (const text of lines) {
      if (seen === line) setTimeout(() => child.kill('SIGKILL'), after)
      seen += 1
      if (text !== 'ready') acknowledged.push(Number(text))
    }
  })
  const signal = await new Promise((resolve) => child.once('close', (_code, name) => resolve(name)))
  if (signal !== 'SIGKILL') throw new Error(`the writer ended by itself (${String(signal)})`)
  return acknowledged
}

/** Kills a writer again and again; what was acknowledged is there once afterwards. */
export async function killAgainAndAgain(
  t: Test,
  victim: Victim,
  kills: number,
  longest: number,
): Promise<void> {
  const git = (...args: readonly string[]): string => gitIn(victim.directory, ...args)
  const start = await writerOn(await victim.open())
  await start.submit(importCluster('prod-1', 900), requestContext(0))
  await start.close()
  const acknowledged: number[] = []
  for (let kill = 0; kill < kills; kill += 1) {
    // By turns from the start and from the first answer, so that a slow machine answers something too.
    const after = Math.floor(Math.random() * longest)
    const numbers = await killed(victim, 1_000 + kill * 10_000, kill % 2, after)
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
  t.ok(acknowledged.length >= Math.floor(kills / 2), `${acknowledged.length} acknowledged`)
  t.equal(
    git('rev-parse', 'main:clusters/prod-1'),
    git('rev-parse', 'cluster/prod-1^{tree}'),
    'the projection follows main',
  )
  t.equal(git('fsck', '--strict', '--no-dangling'), '')
}
