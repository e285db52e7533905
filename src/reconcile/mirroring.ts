/** Keeps a mirror up with the fleet repository: after changes, many at once, in the background, again after failures. */
import { type FleetError, isFleetError } from '../fleet/errors.ts'
import type { Problem } from '../fleet/files.ts'
import type { Clock, Randomness } from '../ports/clock.ts'
import type { Mirror } from '../ports/mirror.ts'
import type { FleetWriter } from '../ports/writer.ts'
import { startLoop } from './loop.ts'

const BEAT_MILLISECONDS = 1_000
/** Between two pushes: what changes meanwhile goes together. */
const PAUSE_MILLISECONDS = 10_000
const MOST_PAUSE_MILLISECONDS = 5 * 60_000

export interface MirroringOptions {
  readonly mirror: Mirror
  readonly writer: Pick<FleetWriter, 'onChange'>
  readonly clock: Clock
  readonly randomness: Randomness
  readonly pauseMilliseconds?: number
  readonly onPushed: (result: 'accepted' | 'failed') => void
  readonly onError: (error: unknown) => void
}

export interface Mirroring {
  /** Milliseconds since the oldest change that the mirror may not have; 0: it has everything. */
  behind(): number
  problems(): readonly Problem[]
  close(): Promise<void>
}

/** Starts with a push: what happened while no process ran is not known. */
export function startMirroring(options: MirroringOptions): Mirroring {
  const { mirror, writer, clock } = options
  const pause = options.pauseMilliseconds ?? PAUSE_MILLISECONDS
  let waitingSince: number | undefined = clock.monotonic()
  let againAt = 0
  let failures = 0
  let trouble: FleetError | undefined
  async function push(signal: AbortSignal): Promise<void> {
    const startedFor = waitingSince
    if (startedFor === undefined || clock.monotonic() < againAt) return
    let changedMeanwhile: number | undefined
    const unsubscribe = writer.onChange(() => {
      changedMeanwhile ??= clock.monotonic()
    })
    try {
      await mirror.push(signal)
      waitingSince = changedMeanwhile
      failures = 0
      trouble = undefined
      againAt = clock.monotonic() + pause
      options.onPushed('accepted')
    } catch (error) {
      if (signal.aborted) return
      failures += 1
      againAt = clock.monotonic() + backOff(failures, options)
      // Anything else is a defect, and is told as one.
      if (isFleetError(error)) trouble = error
      options.onPushed('failed')
      throw error
    } finally {
      unsubscribe()
    }
  }
  const loop = startLoop({ clock, interval: BEAT_MILLISECONDS, run: push, onError: options.onError })
  const unsubscribe = writer.onChange(() => {
    waitingSince ??= clock.monotonic()
    loop.wake()
  })
  const behind = (): number => (waitingSince === undefined ? 0 : clock.monotonic() - waitingSince)
  return {
    behind,
    problems() {
      if (trouble === undefined) return []
      const detail = `The mirror ${mirror.name} is behind by ${Math.round(behind() / 1000)} s: ${trouble.message}`
      return [{ path: '.', line: 0, column: 0, code: 'mirror-behind', detail }]
    },
    async close() {
      unsubscribe()
      await loop.close()
      await mirror.close()
    },
  }
}

function backOff(
  failures: number,
  { randomness, pauseMilliseconds = PAUSE_MILLISECONDS }: MirroringOptions,
): number {
  const longest = Math.min(pauseMilliseconds * 2 ** (failures - 1), MOST_PAUSE_MILLISECONDS)
  return longest * (0.5 + (randomness.bytes(1)[0] ?? 0) / 510)
}
