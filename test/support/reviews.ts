/** Reviews of branches that people made in a repository that a writer works on. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import type { ObjectId, RefName } from '../../src/fleet/ids.ts'
import type { ReviewPlan } from '../../src/fleet/review/plan.ts'
import { openEmbeddedHome } from '../../src/git/embedded/home.ts'
import type { ReviewLimits } from '../../src/git/review/limits.ts'
import { openReviews } from '../../src/git/review/reviews.ts'
import type { RepositoryWriter, WriterOptions } from '../../src/git/writer/types.ts'
import type { OpenReview } from '../../src/ports/change-reviews.ts'
import type { ReviewAuthor, Reviews } from '../../src/ports/reviews.ts'
import { systemClock, systemRandomness } from '../../src/system/clock.ts'
import { type BareRepository, openBareRepository } from './bare-repository.ts'
import { writerOn } from './git-writer.ts'

export interface ReviewedFleet {
  readonly writer: RepositoryWriter
  readonly reviews: Reviews
  readonly repository: BareRepository
  readonly directory: string
  /** A commit on top of main (or another one) with these files, on a branch of its own. */
  propose(files: Readonly<Record<string, string | undefined>>, parent?: ObjectId): Promise<ObjectId>
  /** @param review what was asked for through the API, when the head is of its branch */
  plan(head: ObjectId, author?: ReviewAuthor, review?: OpenReview): Promise<ReviewPlan>
  /** Merges into main as a forge does it, and lets the writer see it. */
  merge(head: ObjectId): Promise<void>
  main(): Promise<ObjectId>
}

const AUTHOR: ReviewAuthor = { login: 'grace', teams: [] }

export async function startReviews(
  t: Test,
  extra: Partial<WriterOptions> = {},
  limits?: ReviewLimits,
): Promise<ReviewedFleet> {
  const folder = await mkdtemp(join(tmpdir(), 'fleetwright-review-'))
  const directory = join(folder, 'fleet.git')
  const home = await openEmbeddedHome(directory)
  const writer = await writerOn(home, extra)
  const reviews = await openReviews({
    writer,
    home,
    folder: join(folder, 'reviews.git'),
    clock: systemClock,
    randomness: systemRandomness,
    placement: 'now',
    ...(limits === undefined ? {} : { limits }),
  })
  t.teardown(async () => {
    await reviews.close()
    await writer.close()
    await rm(folder, { recursive: true, force: true })
  })
  const repository = openBareRepository(directory)
  const main = async (): Promise<ObjectId> => {
    const tip = await repository.tip('refs/heads/main')
    if (tip === undefined) throw new Error('there is no main')
    return tip
  }
  let number = 0
  return {
    writer,
    reviews,
    repository,
    directory,
    main,
    async propose(files, parent) {
      number += 1
      const head = await repository.commit(parent ?? (await main()), files, `Change ${number}`)
      await repository.move(`refs/heads/change-${number}`, head)
      return head
    },
    async plan(head, author = AUTHOR, review) {
      const headRef = 'refs/heads/under-review' as RefName
      await repository.move(headRef, head)
      return await reviews.plan({
        number: 1,
        head,
        headRef,
        author,
        ...(review === undefined ? {} : { review }),
      })
    },
    async merge(head) {
      const tip = await main()
      await repository.move('refs/heads/main', await repository.merge(tip, head, 'merge', 'Merge'))
      await writer.poll()
    },
  }
}
