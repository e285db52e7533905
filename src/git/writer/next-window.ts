/**
 * The window that is built while the one before it is being pushed, on top of it. It is pushed once that one is on the home,
 * and taken back when it did not get there.
 */
import type { Head } from './head.ts'
import type { WindowItem } from './types.ts'
import type { BuiltWindow, WindowBuilder } from './window.ts'

/** Requests built in one turn of the event loop: others must be read and answered meanwhile. */
const SLICE = 4

export interface NextWindowOptions {
  readonly head: Pick<Head, 'undo'>
  readonly builder: (below: BuiltWindow) => WindowBuilder
  /** Takes at most so many requests from the queue; none while something else has to come first. */
  readonly take: (most: number) => readonly WindowItem[]
  /** Puts requests back where they were. */
  readonly putBack: (items: readonly WindowItem[]) => void
  readonly windowLimit: number
}

export class NextWindow {
  readonly #options: NextWindowOptions
  #builder: WindowBuilder | undefined
  #arrived: (() => void) | undefined

  constructor(options: NextWindowOptions) {
    this.#options = options
  }

  /** Requests in it. */
  get size(): number {
    return this.#builder?.size ?? 0
  }

  /** There may be something to take. */
  wake(): void {
    this.#arrived?.()
  }

  /** Builds until the push has ended, whichever way. Never rejects. */
  async build(below: BuiltWindow, pushing: Promise<unknown>): Promise<void> {
    let pushed = false
    const ended = pushing
      .catch(() => undefined)
      .then(() => {
        pushed = true
        this.wake()
      })
    while (!pushed) {
      const items = this.#options.take(Math.min(SLICE, this.#options.windowLimit - this.size))
      if (items.length === 0) await this.#arrival()
      else if (!(await this.#add(below, items))) break
      // Requests that arrive together are built together, and the end of the push is seen between two slices.
      await new Promise((resolve) => setImmediate(resolve))
    }
    await ended
  }

  /** What was built, to be pushed. */
  finish(): BuiltWindow | undefined {
    const window = this.#builder?.window()
    this.#builder = undefined
    return window
  }

  /** As if nothing had been built: the window below did not get to the home. */
  takeBack(): void {
    const window = this.finish()
    if (window === undefined) return
    this.#options.head.undo(window)
    this.#options.putBack(window.asked)
  }

  async #arrival(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#arrived = resolve
    })
    this.#arrived = undefined
  }

  /** What cannot be built is tried again once the push has ended, and refused then. */
  async #add(below: BuiltWindow, items: readonly WindowItem[]): Promise<boolean> {
    const builder = this.#builder ?? this.#options.builder(below)
    this.#builder = builder
    for (const [at, item] of items.entries()) {
      try {
        await builder.add(item)
      } catch {
        this.#options.putBack(items.slice(at + 1))
        this.takeBack()
        return false
      }
    }
    return true
  }
}
