/** Waiting for what another process will do. */
import { setTimeout as wait } from 'node:timers/promises'

export interface WaitOptions {
  /** Milliseconds; 60,000 by default. */
  readonly within?: number
  /** Milliseconds between two looks; 50 by default. */
  readonly every?: number
}

/**
 * Looks until there is something.
 * @param what said when it does not come: "the CR of acme on prod-1"
 * @throws Error with the last error of `look`, if it had one
 */
export async function waitFor<Value>(
  what: string,
  look: () => Promise<Value | undefined | false>,
  { within = 60_000, every = 50 }: WaitOptions = {},
): Promise<Value> {
  const deadline = performance.now() + within
  let cause: unknown
  for (;;) {
    try {
      const value = await look()
      if (value !== undefined && value !== false) return value
    } catch (error) {
      cause = error
    }
    if (performance.now() > deadline)
      throw new Error(`waited ${within / 1000} s in vain for ${what}`, { cause })
    await wait(every)
  }
}
