/** Takes in what others pushed, queues what follows from it, and moves the projections where nothing does. */
import type { HeadChange } from '../../ports/writer.ts'
import { ownIdentity } from './commit-message.ts'
import { followUps } from './follow-up.ts'
import type { Taken } from './head.ts'
import type { WriterParts } from './parts.ts'
import type { WindowItem } from './types.ts'

/** Commits of others that are looked through for idempotency keys at once. */
const MOST_COMMITS = 20_000

/** Where follow-ups wait for their window. */
interface FollowLine {
  follow(items: readonly WindowItem[]): void
  followLate(items: readonly WindowItem[]): void
}

export class Others {
  readonly #parts: WriterParts
  readonly #line: FollowLine

  constructor(parts: WriterParts, line: FollowLine) {
    this.#parts = parts
    this.#line = line
  }

  /** @throws FleetError what `Contact.fetch` throws */
  async sync(): Promise<void> {
    const { contact, head, memory, options } = this.#parts
    const { main, tips } = await contact.fetch()
    if (main === head.commit && !head.mayRelease) return await head.followProjections(tips)
    const from = head.commit
    const entries = await options.history.log({ limit: MOST_COMMITS, since: from })
    const taken = await head.take(main, tips, entries)
    for (const entry of [...entries].reverse())
      if (entry.committer === options.committer.name) memory.remember(entry.commit, entry.trailers)
    await this.#after(taken)
  }

  /**
   * A commit of others from which no file follows moves projections too, unless a replica did it. What follows first goes in
   * with them.
   */
  async project(): Promise<void> {
    const { options, head, queue, pace } = this.#parts
    if (queue.following.length > 0 || !head.hasUnprojected || pace.delay > 0) return
    const projections = await head.project({ paths: new Set() }, ownIdentity(options))
    if (projections.updates.length > 0) {
      const pushed = await options.home.push(projections.updates, projections.objects)
      // Another replica was first; the next poll shows what it did.
      if (pushed.outcome === 'stale') return
    }
    head.projected(projections)
    this.#announce([], head.takeProjected())
  }

  async #after(taken: Taken): Promise<void> {
    const { options, head } = this.#parts
    options.observer.ingested(taken.accepted.length, head.problems.size)
    this.#line.follow(await followUps(head, taken, options, (items) => this.#line.followLate(items)))
    const { accepted } = taken
    this.#announce(
      accepted,
      accepted.map(({ path }) => path),
    )
  }

  #announce(changes: HeadChange['changes'], paths: HeadChange['paths']): void {
    this.#parts.announce({ to: this.#parts.head.commit, by: 'others', changes, paths })
  }
}
