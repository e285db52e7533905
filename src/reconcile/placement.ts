/** Installations that wait for a cluster are placed as soon as one fits. */
import type { IntentChange } from '../fleet/fleet.ts'
import { idFromBytes } from '../fleet/ids.ts'
import type { Actor } from '../fleet/transaction.ts'
import { placeWaiting, waitsForCluster, wouldBePlaced } from '../fleet/transactions/requests.ts'
import type { Clock, Randomness } from '../ports/clock.ts'
import type { FleetWriter } from '../ports/writer.ts'
import { type Loop, startLoop } from './loop.ts'

const INTERVAL_MILLISECONDS = 60_000
/** Placed in one run; the rest follow in the next. */
const MOST_AT_ONCE = 200

export interface PlacementLoopOptions {
  readonly writer: FleetWriter
  readonly clock: Clock
  readonly randomness: Randomness
  readonly actor: Actor
  readonly onError: (error: unknown) => void
}

/** Starts the loop; it wakes when a change could have made room. */
export function startPlacementLoop(options: PlacementLoopOptions): Loop {
  const { writer, clock } = options
  const loop = startLoop({
    clock,
    interval: INTERVAL_MILLISECONDS,
    run: () => placeAll(options),
    onError: options.onError,
  })
  const unsubscribe = writer.onChange(({ changes }) => {
    if (writer.fleet.waiting().length > 0 && changes.some(makesRoom)) loop.wake()
  })
  return {
    wake: loop.wake,
    async close() {
      unsubscribe()
      await loop.close()
    },
  }
}

/** Clusters, shared databases and settings may open room; so does an installation that leaves or changes. */
function makesRoom({ before, after }: IntentChange): boolean {
  const kind = (after ?? before)?.kind
  if (kind === 'InstallationRequest') return false
  return kind !== 'Installation' || before !== undefined
}

async function placeAll({ writer, clock, randomness, actor, onError }: PlacementLoopOptions): Promise<void> {
  const fitting = writer.fleet
    .waiting()
    .filter((installation) => waitsForCluster(installation) && wouldBePlaced(writer.fleet, installation))
  const submitted = fitting.slice(0, MOST_AT_ONCE).map(async ({ metadata }) => {
    const id = (): ReturnType<typeof idFromBytes> => idFromBytes(randomness.bytes(26))
    const transaction = placeWaiting({
      id: metadata.id,
      ids: Array.from({ length: 8 }, id),
      now: clock.now(),
    })
    await writer.submit(transaction, { requestId: id(), actor, now: clock.now() })
  })
  for (const result of await Promise.allSettled(submitted))
    if (result.status === 'rejected') onError(result.reason)
}
