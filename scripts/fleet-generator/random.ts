/** Numbers that look random and are the same for the same seed. */
import { type Id, idFromBytes } from '../../src/fleet/ids.ts'

export interface SeededRandom {
  /** 0 to below 1. */
  next(): number
  /** Whole number, 0 to below `limit`. */
  below(limit: number): number
  /** True in this share of calls, 0 to 1. */
  chance(share: number): boolean
  id(): Id
  /** One of the values, each as often as its weight says. */
  weighted<Value>(choices: readonly (readonly [weight: number, value: Value])[]): Value
}

/** Mulberry32. @param seed 32-bit integer */
export function seededRandom(seed: number): SeededRandom {
  let state = seed >>> 0
  function next(): number {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (limit: number): number => Math.floor(next() * limit)
  return {
    next,
    below,
    chance: (share) => next() < share,
    id: () => idFromBytes(Uint8Array.from({ length: 26 }, () => below(256))),
    weighted(choices) {
      let rest = next() * choices.reduce((sum, [weight]) => sum + weight, 0)
      for (const [weight, value] of choices) {
        rest -= weight
        if (rest < 0) return value
      }
      const last = choices.at(-1)
      if (last === undefined) throw new RangeError('nothing to choose from')
      return last[1]
    },
  }
}
