/**
 * The one writer of a fleet repository. Requests queue; a window takes what waits, makes one commit a request and pushes
 * them in one atomic push with the old tips as the lease. A lost race fetches and runs the window's transactions again.
 * Meanwhile the next window is built on top of it. A request is answered only when its commit is on the home. Several
 * writers are safe: the lease is the fence.
 */
import { FleetError } from '../../fleet/errors.ts'
import type { Problem } from '../../fleet/files.ts'
import type { Fleet } from '../../fleet/fleet.ts'
import type { ObjectId } from '../../fleet/ids.ts'
import type { RequestContext, Transaction } from '../../fleet/transaction.ts'
import type { OpenReview, Proposed, ReviewRequest } from '../../ports/change-reviews.ts'
import type { Committed, EarlierRequest, HeadChange, HomeContact, Plan } from '../../ports/writer.ts'
import { Contact } from './contact.ts'
import type { Head } from './head.ts'
import type { IdempotencyMemory } from './idempotency.ts'
import { NextWindow } from './next-window.ts'
import { Others } from './others.ts'
import { Pace, pacedHome } from './pace.ts'
import { baseOf, type WriterParts } from './parts.ts'
import { planTransaction } from './plan.ts'
import { proposeChange } from './propose.ts'
import { Queue } from './queue.ts'
import type { Look, RepositoryWriter, WindowItem, WriterOptions } from './types.ts'
import { type BuiltWindow, WindowBuilder } from './window.ts'
import { Windows } from './windows.ts'

const WINDOW_LIMIT = 256
const QUEUE_LIMIT = 10_000
/** How much larger a window may be when its push had to wait. */
const GROWTH = 4

export class Writer implements RepositoryWriter {
  readonly #parts: WriterParts
  readonly #next: NextWindow
  readonly #windows: Windows
  readonly #others: Others
  readonly #listeners = new Set<(change: HeadChange) => void>()
  #running: Promise<void> | undefined
  #rouse: (() => void) | undefined
  readonly #closing = new AbortController()
  #closed = false

  constructor(options: WriterOptions, head: Head, memory: IdempotencyMemory) {
    const { clock, observer } = options
    const pace = new Pace(clock, observer, options.pace)
    const home = pacedHome(options.home, pace, clock)
    const parts: WriterParts = {
      ...{ head, memory, pace },
      options: { ...options, home },
      contact: new Contact(home, clock),
      queue: new Queue(),
      announce: (change) => this.#announce(change),
    }
    this.#parts = parts
    this.#next = new NextWindow({
      head,
      builder: (below) => new WindowBuilder({ ...baseOf(parts), head: below.head }, options, below),
      take: (most) => this.#takeAhead(most),
      putBack: (items) => parts.queue.putBack(items),
      windowLimit: options.windowLimit ?? WINDOW_LIMIT,
    })
    this.#others = new Others(parts, this)
    this.#windows = new Windows({
      ...parts,
      next: this.#next,
      limit: () => this.#windowLimit,
      sync: () => this.#others.sync(),
      turn: () => this.#turn(),
      isClosed: () => this.#closed,
    })
  }

  get fleet(): Fleet {
    return this.#parts.head.committed
  }

  get head(): ObjectId {
    return this.#parts.head.commit
  }

  problems(): readonly Problem[] {
    const { contact, head } = this.#parts
    return [...contact.problems(), ...[...head.problems.values()].flat()]
  }

  get contact(): HomeContact {
    return this.#parts.contact
  }

  findByIdempotencyKey(key: string): EarlierRequest | undefined {
    return this.#parts.memory.find(key)
  }

  onChange(listener: (change: HeadChange) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async submit<Value>(transaction: Transaction<Value>, context: RequestContext): Promise<Committed<Value>> {
    this.#admit()
    return await new Promise<Committed<Value>>((resolve, reject) => {
      const settle = { resolve: (done: Committed<unknown>) => resolve(done as Committed<Value>), reject }
      this.#enqueue({ kind: 'transaction', transaction, context, settle })
    })
  }

  async plan<Value>(transaction: Transaction<Value>, context: RequestContext): Promise<Plan<Value>> {
    return (await this.atHead((base) => planTransaction(base, transaction, context))) as Plan<Value>
  }

  async atHead<Value>(look: Look<Value>): Promise<Value> {
    this.#admit()
    return await new Promise<Value>((resolve, reject) => {
      const settle = { resolve: (found: unknown) => resolve(found as Value), reject }
      this.#parts.queue.looks.push({ look, settle })
      this.#wake()
    })
  }

  async propose<Value>(request: ReviewRequest<Value>): Promise<Proposed<Value>> {
    const { contact, head, options, pace } = this.#parts
    for (;;) {
      await this.#whilePaused()
      // A new branch has no old tip that a repository of another history could refuse.
      if (contact.trouble?.code === 'history-rewritten') throw contact.trouble
      try {
        const proposed = await this.atHead((base) => proposeChange(base, request, head.reviews, options))
        return proposed as Proposed<Value>
      } catch (error) {
        if (!pace.limitedBy(error)) throw error
      }
    }
  }

  /** Beside the loop: what needs no push goes on. @throws FleetError `writer-closed` */
  async #whilePaused(): Promise<void> {
    const { pace, options } = this.#parts
    while (pace.isPaused) {
      if (this.#closing.signal.aborted) throw stoppedInPause()
      try {
        await options.clock.sleep(pace.delay, this.#closing.signal)
      } catch (error) {
        if (!this.#closing.signal.aborted) throw error
      }
    }
  }

  openReviews(): readonly OpenReview[] {
    return this.#parts.head.reviews.list()
  }

  reviewOutcome(id: string): ReturnType<RepositoryWriter['reviewOutcome']> {
    return this.#parts.head.reviews.outcome(id)
  }

  async poll(): Promise<void> {
    if (this.#closed) return
    await new Promise<void>((resolve, reject) => {
      this.#parts.queue.polls.push({ resolve: () => resolve(), reject })
      this.#wake()
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#closing.abort()
    this.#rouse?.()
    await this.#running
    await this.#parts.options.home.close()
  }

  /** Follow-ups of commits of others go through the same windows, first. */
  follow(items: readonly WindowItem[]): void {
    this.#parts.queue.following.push(...items)
    this.#wake()
  }

  /** Those that waited for something else. What comes too late is found by the next start. */
  followLate(items: readonly WindowItem[]): void {
    if (!this.#closed) this.follow(items)
  }

  get #windowLimit(): number {
    const { options, pace } = this.#parts
    return (options.windowLimit ?? WINDOW_LIMIT) * (pace.isPressed ? GROWTH : 1)
  }

  #enqueue(item: WindowItem): void {
    this.#parts.queue.push(item)
    this.#tellQueue()
    this.#wake()
  }

  #tellQueue(): void {
    this.#parts.options.observer.queued(this.#waiting)
  }

  /** Requests that are not on their way to the home. */
  get #waiting(): number {
    return this.#parts.queue.requests + this.#next.size
  }

  /**
   * For the window after the one that is being pushed. What needs the head to stand still comes before it; what has to wait
   * for its turn waits in the queue, where more can join it.
   */
  #takeAhead(most: number): readonly WindowItem[] {
    const { queue, pace } = this.#parts
    if (queue.hasUrgent || pace.delay > 0) return []
    return this.#windows.withoutCarriedOut(queue.takeRequests(most))
  }

  #admit(): void {
    if (this.#closed)
      throw new FleetError('writer-closed', 'The server is stopping; send the request again to the next one')
    const waiting = this.#waiting
    if (waiting < (this.#parts.options.queueLimit ?? QUEUE_LIMIT)) return
    throw new FleetError('writer-busy', `${waiting} changes wait to be written; try again in some seconds`)
  }

  #wake(): void {
    this.#next.wake()
    if (this.#parts.queue.hasUrgent) this.#rouse?.()
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined
      if (this.#parts.queue.hasWork) this.#wake()
    })
  }

  async #run(): Promise<void> {
    // Lets requests that arrived in the same turn share the window.
    await new Promise((resolve) => setImmediate(resolve))
    let built: BuiltWindow | undefined
    while (built !== undefined || this.#parts.queue.hasWork) {
      if (built !== undefined) {
        this.#tellQueue()
        built = await this.#windows.push([], built.asked, built)
        continue
      }
      await this.#servePolls()
      await this.#serveLooks()
      if (await this.#hadToWait()) continue
      const { following, requests } = this.#parts.queue.takeWindow(this.#windowLimit)
      this.#tellQueue()
      if (following.length + requests.length > 0) built = await this.#windows.push(following, requests)
    }
  }

  /** Whether what is to be pushed waited for its turn; something that does not need one may have come meanwhile. */
  async #hadToWait(): Promise<boolean> {
    const { queue, pace } = this.#parts
    if (pace.delay === 0 || queue.requests + queue.following.length === 0) return false
    if (this.#closed && pace.isPaused) this.#rejectQueue()
    else await this.#pause()
    return true
  }

  /** Until a push may be made, or none will be any more. The head stands still. */
  async #turn(): Promise<void> {
    const { pace } = this.#parts
    while (pace.delay > 0 && !(this.#closed && pace.isPaused)) {
      await this.#serveLooks()
      await this.#pause()
    }
  }

  /** Until the pace allows a push, something urgent comes, or the writer is closed. */
  async #pause(): Promise<void> {
    const { pace, options } = this.#parts
    const roused = new AbortController()
    this.#rouse = () => roused.abort()
    const since = options.clock.monotonic()
    try {
      await options.clock.sleep(pace.delay, roused.signal)
    } catch (error) {
      if (!roused.signal.aborted) throw error
    } finally {
      this.#rouse = undefined
      pace.waited(options.clock.monotonic() - since)
    }
  }

  /** The pause that the home wants may be longer than a process has to end. */
  #rejectQueue(): void {
    const { following, requests } = this.#parts.queue.takeWindow(Number.POSITIVE_INFINITY)
    this.#windows.reject([...following, ...requests], stoppedInPause())
  }

  async #servePolls(): Promise<void> {
    const { queue, pace, contact } = this.#parts
    const polls = queue.polls.splice(0)
    if (polls.length === 0) return
    try {
      // Looks are what it wants a pause from as well.
      if (pace.isPaused && contact.trouble !== undefined) throw contact.trouble
      await this.#others.sync()
      await this.#others.project()
      for (const poll of polls) poll.resolve()
    } catch (error) {
      if (error !== contact.trouble || !pace.isPaused) pace.limitedBy(error)
      for (const poll of polls) poll.reject(error)
    }
  }

  async #serveLooks(): Promise<void> {
    const { queue, head } = this.#parts
    for (const { look, settle } of queue.looks.splice(0)) {
      try {
        settle.resolve(await look({ ...baseOf(this.#parts), heldFiles: head.heldFiles }))
      } catch (error) {
        settle.reject(error)
      }
    }
  }

  #announce(change: HeadChange): void {
    for (const listener of this.#listeners) listener(change)
  }
}

function stoppedInPause(): FleetError {
  return new FleetError(
    'writer-closed',
    'The git server asked for a pause while the server is stopping; send the request again',
  )
}
