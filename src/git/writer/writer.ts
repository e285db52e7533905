/**
 * The one writer of a fleet repository. Requests queue; a window takes what waits, makes one commit a request and pushes
 * them in one atomic push with the old tips as the lease. A lost race fetches and runs the window's transactions again.
 * Meanwhile the next window is built on top of it. A request is answered only when its commit is on the home. Several
 * writers are safe: the lease is the fence.
 */
import { FleetError, isFleetError } from '../../fleet/errors.ts'
import type { Problem } from '../../fleet/files.ts'
import type { Fleet } from '../../fleet/fleet.ts'
import type { ObjectId } from '../../fleet/ids.ts'
import type { RequestContext, Transaction } from '../../fleet/transaction.ts'
import type { OpenReview, Proposed, ReviewRequest } from '../../ports/change-reviews.ts'
import type { Committed, EarlierRequest, HeadChange, HomeContact, Plan } from '../../ports/writer.ts'
import { ownIdentity } from './commit-message.ts'
import { Contact } from './contact.ts'
import { followUps } from './follow-up.ts'
import type { Head, Taken } from './head.ts'
import type { IdempotencyMemory } from './idempotency.ts'
import { landWindow } from './landing.ts'
import { NextWindow } from './next-window.ts'
import { planTransaction } from './plan.ts'
import { proposeChange } from './propose.ts'
import { Queue } from './queue.ts'
import type { BuiltItem, Look, RepositoryWriter, WindowItem, WriterOptions } from './types.ts'
import { type BuiltWindow, type WindowBase, WindowBuilder } from './window.ts'

const WINDOW_LIMIT = 256
const QUEUE_LIMIT = 10_000
const MOST_RACES = 30
/** Commits of others that are looked through for idempotency keys at once. */
const MOST_COMMITS = 20_000

export class Writer implements RepositoryWriter {
  readonly #options: WriterOptions
  readonly #state: Head
  readonly #memory: IdempotencyMemory
  readonly #contact: Contact
  readonly #next: NextWindow
  readonly #listeners = new Set<(change: HeadChange) => void>()
  readonly #queue = new Queue()
  #running: Promise<void> | undefined
  #closed = false

  constructor(options: WriterOptions, head: Head, memory: IdempotencyMemory) {
    this.#options = options
    this.#state = head
    this.#memory = memory
    this.#contact = new Contact(options.home, options.clock)
    this.#next = new NextWindow({
      head,
      builder: (below) => new WindowBuilder({ ...this.#base(), head: below.head }, options, below),
      take: (most) => this.#takeAhead(most),
      putBack: (items) => this.#queue.putBack(items),
      windowLimit: this.#windowLimit,
    })
  }

  get fleet(): Fleet {
    return this.#state.committed
  }

  get head(): ObjectId {
    return this.#state.commit
  }

  problems(): readonly Problem[] {
    return [...this.#contact.problems(), ...[...this.#state.problems.values()].flat()]
  }

  get contact(): HomeContact {
    return this.#contact
  }

  findByIdempotencyKey(key: string): EarlierRequest | undefined {
    return this.#memory.find(key)
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
      this.#queue.looks.push({ look, settle })
      this.#wake()
    })
  }

  async propose<Value>(request: ReviewRequest<Value>): Promise<Proposed<Value>> {
    const proposed = await this.atHead((base) =>
      proposeChange(base, request, this.#state.reviews, this.#options),
    )
    return proposed as Proposed<Value>
  }

  openReviews(): readonly OpenReview[] {
    return this.#state.reviews.list()
  }

  reviewOutcome(id: string): ReturnType<RepositoryWriter['reviewOutcome']> {
    return this.#state.reviews.outcome(id)
  }

  async poll(): Promise<void> {
    if (this.#closed) return
    await new Promise<void>((resolve, reject) => {
      this.#queue.polls.push({ resolve: () => resolve(), reject })
      this.#wake()
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#running
    await this.#options.home.close()
  }

  /** Follow-ups of commits of others go through the same windows, first. */
  follow(items: readonly WindowItem[]): void {
    this.#queue.following.push(...items)
    this.#wake()
  }

  /** Those that waited for something else. What comes too late is found by the next start. */
  followLate(items: readonly WindowItem[]): void {
    if (!this.#closed) this.follow(items)
  }

  get #windowLimit(): number {
    return this.#options.windowLimit ?? WINDOW_LIMIT
  }

  #enqueue(item: WindowItem): void {
    this.#queue.push(item)
    this.#tellQueue()
    this.#wake()
  }

  #tellQueue(): void {
    this.#options.observer.queued(this.#waiting)
  }

  /** Requests that are not on their way to the home. */
  get #waiting(): number {
    return this.#queue.requests + this.#next.size
  }

  /** For the window after the one that is being pushed. What needs the head to stand still comes before it. */
  #takeAhead(most: number): readonly WindowItem[] {
    return this.#queue.hasUrgent ? [] : this.#withoutCarriedOut(this.#queue.takeRequests(most))
  }

  #admit(): void {
    if (this.#closed)
      throw new FleetError('writer-closed', 'The server is stopping; send the request again to the next one')
    const waiting = this.#waiting
    if (waiting < (this.#options.queueLimit ?? QUEUE_LIMIT)) return
    throw new FleetError('writer-busy', `${waiting} changes wait to be written; try again in some seconds`)
  }

  #wake(): void {
    this.#next.wake()
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined
      if (this.#queue.hasWork) this.#wake()
    })
  }

  async #run(): Promise<void> {
    // Lets requests that arrived in the same turn share the window.
    await new Promise((resolve) => setImmediate(resolve))
    let built: BuiltWindow | undefined
    while (built !== undefined || this.#queue.hasWork) {
      if (built !== undefined) {
        this.#tellQueue()
        built = await this.#window([], built.asked, built)
        continue
      }
      await this.#servePolls()
      await this.#serveLooks()
      const { following, requests } = this.#queue.takeWindow(this.#windowLimit)
      this.#tellQueue()
      if (following.length + requests.length > 0) built = await this.#window(following, requests)
    }
  }

  async #servePolls(): Promise<void> {
    const polls = this.#queue.polls.splice(0)
    if (polls.length === 0) return
    try {
      await this.#sync()
      await this.#projectOthers()
      for (const poll of polls) poll.resolve()
    } catch (error) {
      for (const poll of polls) poll.reject(error)
    }
  }

  async #serveLooks(): Promise<void> {
    for (const { look, settle } of this.#queue.looks.splice(0)) {
      try {
        settle.resolve(await look({ ...this.#base(), head: this.head, heldFiles: this.#state.heldFiles }))
      } catch (error) {
        settle.reject(error)
      }
    }
  }

  #base(): WindowBase {
    const { home, render } = this.#options
    const { ahead, editor, documents, problems, commit } = this.#state
    return { head: commit, index: ahead, editor, documents, reader: home.objects, render, held: problems }
  }

  /**
   * @param prebuilt what was made of the same requests, on the head as it is now
   * @returns the window that was built on top meanwhile
   */
  async #window(
    first: readonly WindowItem[],
    asked: readonly WindowItem[],
    prebuilt?: BuiltWindow,
  ): Promise<BuiltWindow | undefined> {
    const uncertain: BuiltWindow[] = []
    let following = first
    let requests = asked
    for (let race = 0; race < MOST_RACES; race += 1) {
      if (race > 0) following = [...following, ...this.#queue.following.splice(0)]
      let window = race === 0 ? prebuilt : undefined
      if (window === undefined) {
        following = this.#withoutCarriedOut(following)
        requests = this.#withoutCarriedOut(requests)
        if (following.length + requests.length === 0) return undefined
        window = await this.#build([...following, ...requests])
        if (window === undefined) return undefined
      }
      const landing = await landWindow(this.#landingParts(), window, { uncertain, race })
      if (landing.outcome === 'accepted') {
        this.#answer(landing.window)
        return this.#next.finish()
      }
      if (landing.outcome === 'failed') {
        await this.#failed(window.asked, landing.error)
        return undefined
      }
    }
    this.#rejectAll(
      [...following, ...requests],
      new FleetError('stale-lease', `Lost the race to the remote ${MOST_RACES} times; try again`),
    )
    return undefined
  }

  /** Undefined: they are refused, and nothing was built. */
  async #build(items: readonly WindowItem[]): Promise<BuiltWindow | undefined> {
    const builder = new WindowBuilder(this.#base(), this.#options)
    try {
      for (const item of items) await builder.add(item)
      return builder.window()
    } catch (error) {
      this.#state.undo(builder.window())
      this.#rejectAll(items, error)
      return undefined
    }
  }

  async #failed(items: readonly WindowItem[], error: unknown): Promise<void> {
    if (items.length === 1 || !isFleetError(error) || error.code !== 'remote-refused')
      return this.#rejectAll(items, error)
    // One of them is what the remote does not take: each alone, so that the others go in.
    for (const item of items) await this.#alone(item)
  }

  async #alone(item: WindowItem): Promise<void> {
    const next = await this.#window([], [item])
    if (next === undefined) return
    // Those that wait are not to be mixed with what the remote may not take.
    this.#state.undo(next)
    this.#queue.putBack(next.asked)
  }

  #landingParts(): Parameters<typeof landWindow>[0] {
    return {
      options: this.#options,
      head: this.#state,
      contact: this.#contact,
      sync: () => this.#sync(),
      isClosed: () => this.#closed,
      next: this.#next,
    }
  }

  /** Another replica may have carried out a request meanwhile that was sent to both. */
  #withoutCarriedOut(items: readonly WindowItem[]): readonly WindowItem[] {
    return items.filter((item) => {
      if (item.review !== undefined) return this.#state.reviews.outcome(item.review) === undefined
      const key = item.context.idempotencyKey
      const earlier = key === undefined ? undefined : this.#memory.find(key)
      if (earlier === undefined) return true
      item.settle.reject(
        new FleetError('carried-out-already', `The request was carried out as commit ${earlier.commit}.`),
      )
      return false
    })
  }

  #answer(window: BuiltWindow): void {
    const commits = window.items.filter((item) => item.commit !== undefined)
    for (const built of commits) this.#remember(built)
    for (const { item, value, commit, files } of window.items) item.settle.resolve({ value, commit, files })
    for (const { item, error } of window.refused) item.settle.reject(error)
    const bytes = window.objects.reduce((sum, object) => sum + object.content.length, 0)
    this.#options.observer.window({
      commits: commits.length,
      refused: window.refused.length,
      milliseconds: this.#options.clock.monotonic() - window.startedAt,
      bytes,
    })
    if (commits.length === 0) return
    this.#announce({
      to: this.head,
      by: 'fleetwright',
      changes: window.items.flatMap((item) => item.changes),
      paths: [...window.items.flatMap((item) => item.files), ...this.#state.takeProjected()],
    })
  }

  /** A commit of others from which no file follows moves projections too, unless a replica did it. What follows first goes in with them. */
  async #projectOthers(): Promise<void> {
    if (this.#queue.following.length > 0 || !this.#state.hasUnprojected) return
    const projections = await this.#state.project({ paths: new Set() }, ownIdentity(this.#options))
    if (projections.updates.length > 0) {
      const pushed = await this.#options.home.push(projections.updates, projections.objects)
      // Another replica was first; the next poll shows what it did.
      if (pushed.outcome === 'stale') return
    }
    this.#state.projected(projections)
    const paths = this.#state.takeProjected()
    this.#announce({ to: this.head, by: 'others', changes: [], paths })
  }

  #remember(built: BuiltItem): void {
    const { commit, trailers: said } = built
    const { body = '' } = built.item.kind === 'files' ? built.item.text : {}
    if (commit !== undefined)
      this.#state.reviews.remember(commit, this.#options.committer.name, { trailers: said, body })
    const { idempotencyKey, requestDigest } = built.item.context
    if (built.commit === undefined || idempotencyKey === undefined || built.item.kind !== 'transaction')
      return
    const trailers = {
      ...built.trailers,
      'Idempotency-Key': idempotencyKey,
      'Request-Digest': requestDigest ?? '',
    }
    this.#memory.remember(built.commit, trailers)
  }

  #rejectAll(items: readonly WindowItem[], error: unknown): void {
    this.#options.observer.failed(error)
    for (const item of items) item.settle.reject(error)
  }

  #announce(change: HeadChange): void {
    for (const listener of this.#listeners) listener(change)
  }

  /** Takes in what others pushed, and queues what follows from it. */
  async #sync(): Promise<void> {
    const { main, tips } = await this.#contact.fetch()
    if (main === this.#state.commit && !this.#state.mayRelease)
      return await this.#state.followProjections(tips)
    const from = this.#state.commit
    const entries = await this.#options.history.log({ limit: MOST_COMMITS, since: from })
    const taken = await this.#state.take(main, tips, entries)
    for (const entry of [...entries].reverse()) this.#memory.remember(entry.commit, entry.trailers)
    await this.#after(taken)
  }

  async #after(taken: Taken): Promise<void> {
    this.#options.observer.ingested(taken.accepted.length, this.#state.problems.size)
    this.follow(await followUps(this.#state, taken, this.#options, (items) => this.followLate(items)))
    const { accepted } = taken
    const paths = accepted.map(({ path }) => path)
    this.#announce({ to: this.head, by: 'others', changes: accepted, paths })
  }
}
