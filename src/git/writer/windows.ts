/** Brings requests to the home in windows: builds them, lands them, again after a lost race, and answers everybody. */
import { FleetError, isFleetError } from '../../fleet/errors.ts'
import { type Landing, landWindow, lookAgain } from './landing.ts'
import type { NextWindow } from './next-window.ts'
import { baseOf, type WriterParts } from './parts.ts'
import type { BuiltItem, WindowItem } from './types.ts'
import { type BuiltWindow, WindowBuilder } from './window.ts'

const MOST_RACES = 30

export interface WindowsOptions extends WriterParts {
  readonly next: NextWindow
  /** Most requests in the next window. */
  readonly limit: () => number
  /** Takes in what others pushed. */
  readonly sync: () => Promise<void>
  /** Resolves when a push may be made, or none will be any more. */
  readonly turn: () => Promise<void>
  readonly isClosed: () => boolean
}

export class Windows {
  readonly #parts: WindowsOptions

  constructor(parts: WindowsOptions) {
    this.#parts = parts
  }

  /**
   * Never rejects; everybody is answered, or waits in the queue again.
   * @param prebuilt what was made of the same requests, on the head as it is now
   * @returns the window that was built on top meanwhile
   */
  async push(
    first: readonly WindowItem[],
    asked: readonly WindowItem[],
    prebuilt?: BuiltWindow,
  ): Promise<BuiltWindow | undefined> {
    const { queue, limit, pace } = this.#parts
    const uncertain: BuiltWindow[] = []
    let following = first
    let requests = asked
    let window = prebuilt
    for (let race = 0; race < MOST_RACES; ) {
      following = this.withoutCarriedOut(following)
      if (window === undefined) {
        requests = this.withoutCarriedOut(requests)
        if (following.length + requests.length === 0) return undefined
        window = await this.#build([...following, ...requests])
        if (window === undefined) return undefined
      }
      const pushed = await landWindow(this.#parts, window, { uncertain, race })
      const landing = await this.#afterPause(pushed, uncertain)
      if (landing.outcome === 'accepted') return this.#landed(landing.window, following, requests)
      if (landing.outcome === 'failed') {
        await this.#failed(window.asked, landing.error)
        return undefined
      }
      if (pushed.outcome === 'again') race += 1
      following = [...following, ...queue.following.splice(0)]
      const room = limit() - following.length - requests.length
      if (pace.isPressed && room > 0) requests = [...requests, ...queue.takeRequests(room)]
      window = undefined
    }
    return this.reject(
      [...following, ...requests],
      new FleetError('stale-lease', `Lost the race to the remote ${MOST_RACES} times; try again`),
    )
  }

  /** Another replica may have carried out a request meanwhile that was sent to both. */
  withoutCarriedOut(items: readonly WindowItem[]): readonly WindowItem[] {
    const { memory, head } = this.#parts
    return items.filter((item) => {
      if (item.review !== undefined) return head.reviews.outcome(item.review) === undefined
      const key = item.context.idempotencyKey
      const earlier = key === undefined ? undefined : memory.find(key)
      if (earlier === undefined) return true
      item.settle.reject(
        new FleetError('carried-out-already', `The request was carried out as commit ${earlier.commit}.`),
      )
      return false
    })
  }

  reject(items: readonly WindowItem[], error: unknown): undefined {
    this.#parts.options.observer.failed(error)
    for (const item of items) item.settle.reject(error)
  }

  /** What is next when a try did not get in: at once, or after the pause that the pace wants. */
  async #afterPause(
    landing: Landing,
    uncertain: readonly BuiltWindow[],
  ): Promise<Exclude<Landing, { readonly outcome: 'limited' }>> {
    const { pace, turn, isClosed } = this.#parts
    if (landing.outcome === 'accepted' || landing.outcome === 'failed') return landing
    if (landing.outcome === 'again' && pace.delay === 0) return landing
    await turn()
    if (landing.outcome === 'limited' && isClosed()) return { outcome: 'failed', error: landing.error }
    // Others may have pushed meanwhile.
    return await lookAgain(this.#parts, uncertain)
  }

  /** Undefined: they are refused, and nothing was built. */
  async #build(items: readonly WindowItem[]): Promise<BuiltWindow | undefined> {
    const builder = new WindowBuilder(baseOf(this.#parts), this.#parts.options)
    try {
      for (const item of items) await builder.add(item)
      return builder.window()
    } catch (error) {
      this.#parts.head.undo(builder.window())
      return this.reject(items, error)
    }
  }

  #landed(
    window: BuiltWindow,
    following: readonly WindowItem[],
    requests: readonly WindowItem[],
  ): BuiltWindow | undefined {
    const { queue, next } = this.#parts
    this.#answer(window)
    // An earlier try had less in it.
    const asked = new Set(window.asked)
    queue.following.unshift(...following.filter((item) => !asked.has(item)))
    queue.putBack(requests.filter((item) => !asked.has(item)))
    return next.finish()
  }

  async #failed(items: readonly WindowItem[], error: unknown): Promise<void> {
    if (items.length === 1 || !isFleetError(error) || error.code !== 'remote-refused')
      return this.reject(items, error)
    // One of them is what the remote does not take: each alone, so that the others go in.
    for (const item of items) await this.#alone(item)
  }

  async #alone(item: WindowItem): Promise<void> {
    await this.#parts.turn()
    const next = await this.push([], [item])
    if (next === undefined) return
    // Those that wait are not to be mixed with what the remote may not take.
    this.#parts.head.undo(next)
    this.#parts.queue.putBack(next.asked)
  }

  #answer(window: BuiltWindow): void {
    const { options, head, announce } = this.#parts
    const commits = window.items.filter((item) => item.commit !== undefined)
    for (const built of commits) this.#remember(built)
    for (const { item, value, commit, files } of window.items) item.settle.resolve({ value, commit, files })
    for (const { item, error } of window.refused) item.settle.reject(error)
    const bytes = window.objects.reduce((sum, object) => sum + object.content.length, 0)
    options.observer.window({
      commits: commits.length,
      refused: window.refused.length,
      milliseconds: options.clock.monotonic() - window.startedAt,
      bytes,
    })
    if (commits.length === 0) return
    announce({
      to: head.commit,
      by: 'fleetwright',
      changes: window.items.flatMap((item) => item.changes),
      paths: [...window.items.flatMap((item) => item.files), ...head.takeProjected()],
    })
  }

  #remember(built: BuiltItem): void {
    const { head, memory, options } = this.#parts
    const { commit, trailers: said } = built
    const { body = '' } = built.item.kind === 'files' ? built.item.text : {}
    if (commit !== undefined) head.reviews.remember(commit, options.committer.name, { trailers: said, body })
    const { idempotencyKey, requestDigest } = built.item.context
    if (built.commit === undefined || idempotencyKey === undefined || built.item.kind !== 'transaction')
      return
    const trailers = {
      ...built.trailers,
      'Idempotency-Key': idempotencyKey,
      'Request-Digest': requestDigest ?? '',
    }
    memory.remember(built.commit, trailers)
  }
}
