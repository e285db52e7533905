/** Plans pull requests: brings the head, examines what it changes, decides on main as it is now. */
import { FleetError } from '../../fleet/errors.ts'
import type { Problem } from '../../fleet/files.ts'
import type { ObjectId } from '../../fleet/ids.ts'
import { concernsOf } from '../../fleet/review/concerns.ts'
import type { Impact, ReviewPlan } from '../../fleet/review/plan.ts'
import { bounded } from '../../fleet/review/problem-list.ts'
import type { Clock, Randomness } from '../../ports/clock.ts'
import type { ReviewRequest, Reviews } from '../../ports/reviews.ts'
import type { RepositoryHome } from '../contracts.ts'
import type { RepositoryWriter, StandingHead } from '../writer/types.ts'
import { describeFiles } from './describe-files.ts'
import { type HeadStore, openHeadStore } from './head-store.ts'
import { REVIEW_LIMITS, type ReviewLimits } from './limits.ts'
import { createObjectSizes } from './object-sizes.ts'
import { createReadObject } from './objects-of-others.ts'
import { type PlannedChanges, planChanges } from './plan-changes.ts'
import { type ChangeSource, readChange, refused } from './read-change.ts'
import type { Merged } from './three-way.ts'

export interface ReviewsOptions {
  readonly writer: Pick<RepositoryWriter, 'atHead' | 'head' | 'fleet'>
  readonly home: Pick<RepositoryHome, 'gitDirectory' | 'objects' | 'native'>
  /** Folder for their heads; it can be thrown away. */
  readonly folder: string
  readonly clock: Clock
  readonly randomness: Randomness
  /** As the writer has it. */
  readonly placement: 'now' | 'deferred'
  readonly limits?: ReviewLimits
}

/** Tries until main stands still where it matters. */
const MOST_TRIES = 8

const NO_IMPACT: Impact = { added: [], changed: [], removed: [], clusters: [], waves: [], shared: [] }

export async function openReviews(options: ReviewsOptions): Promise<Reviews> {
  const { home, folder, limits = REVIEW_LIMITS } = options
  const heads = await openHeadStore({
    directory: folder,
    mainDirectory: home.gitDirectory,
    remote: home.native,
    limits,
  })
  const sizes = createObjectSizes(heads.gitDirectory)
  const source = { ...heads, read: createReadObject(heads.objects, sizes), limits }
  // One at a time: what a pull request may cost is bounded, and so is what many may.
  let last: Promise<unknown> = Promise.resolve()
  async function inTurn<Value>(work: () => Promise<Value>): Promise<Value> {
    const mine = last.then(work, work)
    last = mine.catch(() => undefined)
    return await mine
  }
  return {
    plan: (request) => inTurn(() => bringAndPlan(request, heads, source, options)),
    keepOnly: (numbers) => inTurn(() => heads.keepOnly(numbers)),
    async close() {
      await last
      await sizes.close()
      await heads.close()
    },
  }
}

async function bringAndPlan(
  { number, head: expected, headRef, ...asked }: ReviewRequest,
  heads: HeadStore,
  source: ChangeSource,
  options: ReviewsOptions,
): Promise<ReviewPlan> {
  const brought = await heads.bring(number, headRef, expected)
  if (brought.outcome === 'brought') return await plan(brought.head, asked, source, options)
  const { code, detail } = brought
  return refusal(options.writer.head, expected, refused(code, detail).problems, options)
}

async function plan(
  head: ObjectId,
  asked: Pick<ReviewRequest, 'author' | 'review'>,
  source: ChangeSource,
  options: ReviewsOptions,
): Promise<ReviewPlan> {
  const { writer } = options
  for (let tries = 0; tries < MOST_TRIES; tries += 1) {
    const main = writer.head
    const found = await readChange(source, head, main)
    if (found.outcome === 'refused') return refusal(main, head, found.problems, options)
    const { change } = found
    const decided = await writer.atHead(async (standing) => {
      if (!(await isStill(standing, main, change))) return undefined
      const planned = await planChanges(standing, change, {
        ...options,
        ...asked,
        held: standing.heldFiles,
      })
      return { base: standing.head, planned }
    })
    if (decided !== undefined) return await described(decided, head, change, options)
  }
  throw new FleetError(
    'stale-lease',
    'Main changes what the pull request changes all the time; try again later',
  )
}

/** Whether main has what it had where it matters. */
async function isStill({ head, editor }: StandingHead, main: ObjectId, { onMain }: Merged): Promise<boolean> {
  if (head === main) return true
  for (const [path, oid] of onMain) if ((await editor.at(path)) !== oid) return false
  return true
}

async function described(
  { base, planned }: { readonly base: ObjectId; readonly planned: PlannedChanges },
  head: ObjectId,
  { conflicts }: Merged,
  { home }: ReviewsOptions,
): Promise<ReviewPlan> {
  const { objects, left } = await describeFiles(planned.files, planned.names, home.objects)
  const { placements, impact, concerns } = planned
  return {
    base,
    head,
    problems: bounded([...conflicts, ...planned.problems]),
    warnings: bounded([...planned.warnings, ...notShown(left)]),
    placements,
    objects,
    impact,
    concerns,
  }
}

function notShown(left: number): readonly Problem[] {
  if (left === 0) return []
  const detail = `${left} more files would change; they are not shown one by one`
  return [{ path: '.', line: 0, column: 0, code: 'not-shown', detail }]
}

/** What is wrong with it as a whole: no change of main makes it right, but a new base may. */
function refusal(
  base: ObjectId,
  head: ObjectId,
  problems: readonly Problem[],
  { writer }: ReviewsOptions,
): ReviewPlan {
  const paths = problems.map(({ path }) => path)
  return {
    base,
    head,
    problems: bounded(problems),
    warnings: [],
    placements: [],
    objects: [],
    impact: NO_IMPACT,
    concerns: concernsOf(writer.fleet, [], paths),
  }
}
