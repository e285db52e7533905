/**
 * Sweeps every cluster from time to time, one at a time: what a watch did not tell is found then. Clusters take turns, spread
 * over the interval.
 */
import type { Id } from '../fleet/ids.ts'
import type { Slug } from '../fleet/intents.ts'
import type { Clock, Randomness } from '../ports/clock.ts'
import type { DriftDetector } from './drift-detector.ts'
import { type Loop, startLoop } from './loop.ts'
import type { SweepResult } from './sweep-cluster.ts'

const BEAT_MILLISECONDS = 1_000

export interface DriftSweepOptions {
  readonly detector: Pick<DriftDetector, 'sweep'>
  /** Those that are there now and in contact. */
  readonly clusters: () => readonly Slug[]
  readonly installationsOn: (cluster: Slug) => readonly Id[]
  /** Between two sweeps of a cluster, give or take a tenth; milliseconds. */
  readonly interval: number
  readonly clock: Clock
  readonly randomness: Randomness
  readonly onError: (error: unknown) => void
  readonly onSwept?: (cluster: Slug, seconds: number, result: SweepResult) => void
}

export function startDriftSweep(options: DriftSweepOptions): Loop {
  const { clusters, clock, interval } = options
  const due = new Map<Slug, number>()
  async function run(signal: AbortSignal): Promise<void> {
    const names = clusters()
    const known = new Set(names)
    for (const name of due.keys()) if (!known.has(name)) due.delete(name)
    for (const name of names)
      if (!due.has(name)) due.set(name, clock.monotonic() + interval * fraction(options))
    for (const name of names) {
      if (signal.aborted) return
      if ((due.get(name) ?? 0) > clock.monotonic()) continue
      await sweepOne(options, name, signal)
      due.set(name, clock.monotonic() + interval * (0.9 + 0.2 * fraction(options)))
    }
  }
  return startLoop({
    clock,
    interval: Math.min(BEAT_MILLISECONDS, interval),
    run,
    onError: options.onError,
  })
}

/** A cluster that cannot be swept does not keep the others waiting. */
async function sweepOne(options: DriftSweepOptions, cluster: Slug, signal: AbortSignal): Promise<void> {
  const { detector, installationsOn, clock, onError, onSwept } = options
  const started = clock.monotonic()
  try {
    const result = await detector.sweep(cluster, installationsOn(cluster), signal)
    onSwept?.(cluster, (clock.monotonic() - started) / 1000, result)
  } catch (error) {
    onError(error)
  }
}

/** 0 to 1. */
function fraction({ randomness }: DriftSweepOptions): number {
  return (randomness.bytes(1)[0] ?? 0) / 256
}
