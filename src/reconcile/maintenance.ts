/** Keeps the clone quick to read: every window leaves a pack, and many packs make every look-up slower. */
import type { Clock } from '../ports/clock.ts'
import type { FleetWriter } from '../ports/writer.ts'
import { type Loop, startLoop } from './loop.ts'

const INTERVAL_MILLISECONDS = 60_000
/** Packs that may pile up before they are put together. */
const EVERY = 100

export interface MaintenanceOptions {
  readonly writer: Pick<FleetWriter, 'onChange'>
  readonly maintain: () => Promise<void>
  /** Windows between two turns. */
  readonly every?: number
  readonly clock: Clock
  readonly onError: (error: unknown) => void
}

/** Once at the start (the last process may have ended before its turn), then whenever enough was written. */
export function startMaintenance({
  writer,
  maintain,
  every = EVERY,
  clock,
  onError,
}: MaintenanceOptions): Loop {
  let changes = every
  const loop = startLoop({
    clock,
    interval: INTERVAL_MILLISECONDS,
    async run() {
      if (changes < every) return
      const taken = changes
      await maintain()
      changes -= taken
    },
    onError,
  })
  const unsubscribe = writer.onChange(() => {
    changes += 1
    if (changes === every) loop.wake()
  })
  return {
    wake: loop.wake,
    async close() {
      unsubscribe()
      await loop.close()
    },
  }
}
