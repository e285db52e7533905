/** A forge in memory before a real repository, a writer on it, and the loop between both, with a plan that is quick to check. */
import type { Test } from 'tap'
import { createDocuments } from '../../src/fleet/documents.ts'
import type { Problem } from '../../src/fleet/files.ts'
import type { FleetPath, ObjectId } from '../../src/fleet/ids.ts'
import { concernsOf } from '../../src/fleet/review/concerns.ts'
import type { ReviewPlan } from '../../src/fleet/review/plan.ts'
import { git } from '../../src/git/child-process.ts'
import type { Clock } from '../../src/ports/clock.ts'
import type { PullRequest } from '../../src/ports/forge.ts'
import type { FleetWriter } from '../../src/ports/writer.ts'
import type { ReviewWords } from '../../src/reconcile/pull-requests/check.ts'
import { ForgeContact } from '../../src/reconcile/pull-requests/forge-contact.ts'
import {
  type PullRequestLoop,
  type PullRequestLoopOptions,
  startPullRequestLoop,
} from '../../src/reconcile/pull-requests/loop.ts'
import { systemRandomness } from '../../src/system/clock.ts'
import { startWriter } from './git-writer.ts'
import { hurriedClock } from './hurried-clock.ts'
import { createMemoryForge, type MemoryForge } from './memory-forge.ts'

const NOTHING = {
  placements: [],
  impact: { added: [], changed: [], removed: [], clusters: [], waves: [], shared: [] },
}

export interface PullRequestWorld {
  readonly forge: MemoryForge
  readonly writer: FleetWriter
  readonly directory: string
  readonly folder: string
  readonly clock: Clock
  /** Numbers of the pull requests that were planned, in order. */
  readonly plans: number[]
  readonly errors: unknown[]
  readonly loop: PullRequestLoop
  /** As the process would begin again. */
  restart(): Promise<void>
}

export interface WorldOptions {
  /** Whether hooks arrive. */
  readonly hooks?: boolean
  readonly pollMilliseconds?: number
  readonly times?: number
  readonly review?: (pull: PullRequest, plan: () => Promise<ReviewPlan>) => Promise<ReviewPlan>
}

export async function pullRequestWorld(t: Test, options: WorldOptions = {}): Promise<PullRequestWorld> {
  const { hooks = true, pollMilliseconds = 60_000, times = 20 } = options
  const clock = hurriedClock(times)
  const { writer, directory, folder } = await startWriter(t, 'embedded')
  let loop: PullRequestLoop | undefined
  const forge = createMemoryForge({
    directory,
    now: clock.now,
    onEvent(event) {
      if (hooks && event.event === 'pull-request') loop?.wake(event.number)
    },
  })
  const plans: number[] = []
  const errors: unknown[] = []
  const onError = (error: unknown): void => void errors.push(error)
  const ignore = (): void => undefined
  function start(): PullRequestLoop {
    const loopOptions: PullRequestLoopOptions = {
      forge,
      contact: new ForgeContact({ clock, randomness: systemRandomness, onFailure: ignore }),
      writer,
      async review(pull) {
        plans.push(pull.number)
        const plan = (): Promise<ReviewPlan> => quickPlan(directory, writer, pull)
        return await (options.review?.(pull, plan) ?? plan())
      },
      wordsOf,
      pollMilliseconds,
      ...{ clock, randomness: systemRandomness, onError },
      metrics: { open: ignore, planned: ignore },
      onOpen: async () => undefined,
      onEnded: ignore,
      onPlanned: ignore,
    }
    return startPullRequestLoop(loopOptions)
  }
  loop = start()
  t.teardown(() => loop?.close())
  return {
    ...{ forge, writer, directory, folder, clock, plans, errors },
    get loop() {
      return loop ?? start()
    },
    async restart() {
      await loop?.close()
      loop = start()
    },
  }
}

/** Documents that are new at the head: what cannot be read, and DNS names that are in use. */
async function quickPlan(directory: string, writer: FleetWriter, pull: PullRequest): Promise<ReviewPlan> {
  const base = writer.head
  const run = async (...args: string[]): Promise<string> => (await git(args, { directory })).toString('utf8')
  const names = await run('diff', '--name-only', '--diff-filter=AM', `${base}...${pull.head}`)
  const documents = createDocuments()
  const problems: Problem[] = []
  const concerns = new Set<string>()
  const paths = names.split('\n').filter((name) => name !== '')
  for (const path of paths as FleetPath[]) {
    const read = documents.parse(path, await run('cat-file', 'blob', `${pull.head}:${path}`))
    problems.push(...read.problems)
    if (read.intent?.kind !== 'InstallationRequest') continue
    const change = { path, before: undefined, after: read.intent }
    for (const key of concernsOf(writer.fleet, [change])) concerns.add(key)
    for (const name of read.intent.spec.dns ?? []) {
      const other = writer.fleet.installationByDns(typeof name === 'string' ? name : name.name)
      if (other === undefined) continue
      const detail = `in use by ${other.metadata.name}`
      problems.push({ path, line: 1, column: 1, code: 'dns-taken', detail })
    }
  }
  const files = paths.map((path) => ({ path, change: 'added' as const, added: 1, removed: 0 }))
  const object = { kind: 'other', name: 'all', change: 'added', fields: [], files, diff: '' } as const
  return {
    ...NOTHING,
    base,
    head: pull.head as ObjectId,
    problems,
    warnings: [],
    objects: [object],
    concerns: [...concerns],
  }
}

export function wordsOf(plan: ReviewPlan): ReviewWords {
  const { problems } = plan
  return {
    result: problems.length === 0 ? 'success' : 'failure',
    title: problems.length === 0 ? 'fine' : `${problems.length} problems`,
    summary: `on ${plan.base}`,
    annotations: problems.map(({ path, line, column, code, detail }) => ({
      ...{ path, line, column, title: code, message: detail },
      level: 'failure',
    })),
    comment: `${problems.map(({ detail }) => detail).join('\n')}\n\nplanned on ${plan.base}`,
  }
}

/** A document under `requests/`. */
export function requestText(name: string, dns = `${name}.cloud.example.com`): string {
  return [
    'apiVersion: fleet.fleetwright.dev/v1',
    'kind: InstallationRequest',
    'metadata:',
    `  name: ${name}`,
    'spec:',
    '  owner: team',
    `  dns: [${dns}]`,
    '',
  ].join('\n')
}
