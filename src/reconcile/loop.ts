import type { Clock } from '../ports/clock.ts'

export interface Loop {
  /** Asks for a run soon; many calls while one is under way cause exactly one more. */
  wake(): void
  /** Resolves when the run under way has ended. */
  close(): Promise<void>
}

export interface LoopOptions {
  readonly clock: Clock
  /** Runs at least this often, milliseconds. */
  readonly interval: number
  readonly run: (signal: AbortSignal) => Promise<void>
  /** An error of a run; the loop goes on. */
  readonly onError: (error: unknown) => void
}

/** A level-triggered loop: serial, woken by events, with a slow beat as the safety net. */
export function startLoop(options: LoopOptions): Loop {
  const stop = new AbortController()
  let asked = false
  let rouse: (() => void) | undefined
  const wake = (): void => {
    asked = true
    rouse?.()
  }
  const running = beat()
  async function beat(): Promise<void> {
    while (!stop.signal.aborted) {
      asked = false
      await options.run(stop.signal).catch(options.onError)
      if (!asked && !stop.signal.aborted) await pause()
    }
  }
  async function pause(): Promise<void> {
    const woken = new AbortController()
    rouse = () => woken.abort()
    const signal = AbortSignal.any([stop.signal, woken.signal])
    if (asked) woken.abort()
    await options.clock.sleep(options.interval, signal).catch((error: unknown) => {
      if (!signal.aborted) throw error
    })
    rouse = undefined
  }
  return {
    wake,
    async close() {
      stop.abort()
      await running
    },
  }
}
