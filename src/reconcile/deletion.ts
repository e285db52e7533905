/** Deletions that are due: scheduled ones begin, and installations that never had a cluster go. */
import type { Fleet } from '../fleet/fleet.ts'
import { idFromBytes } from '../fleet/ids.ts'
import type { Installation } from '../fleet/intents.ts'
import { mayRequestOnInstallation } from '../fleet/state.ts'
import type { Actor, Transaction } from '../fleet/transaction.ts'
import type { StateOf } from '../fleet/transactions/installations/common.ts'
import { removeUnplaced, requestDeletion } from '../fleet/transactions/installations/deletion.ts'
import type { Clock, Randomness } from '../ports/clock.ts'
import type { FleetWriter } from '../ports/writer.ts'
import { type Loop, startLoop } from './loop.ts'

const INTERVAL_MILLISECONDS = 30_000
/** Begun in one run; the rest follow in the next. */
const MOST_AT_ONCE = 50

export interface DeletionLoopOptions {
  readonly writer: FleetWriter
  readonly clock: Clock
  readonly randomness: Randomness
  readonly actor: Actor
  /** State on the wire, from what is observed. */
  readonly stateOf: StateOf
  readonly onError: (error: unknown) => void
}

export function startDeletionLoop(options: DeletionLoopOptions): Loop {
  const { writer, clock, onError } = options
  const loop = startLoop({ clock, interval: INTERVAL_MILLISECONDS, run: () => deleteDue(options), onError })
  const unsubscribe = writer.onChange(({ changes }) => {
    if (
      changes.some(
        ({ after }) => after?.kind === 'InstallationRequest' && after.spec.operation?.kind === 'deletion',
      )
    )
      loop.wake()
  })
  return {
    wake: loop.wake,
    async close() {
      unsubscribe()
      await loop.close()
    },
  }
}

async function deleteDue({
  writer,
  clock,
  randomness,
  actor,
  stateOf,
  onError,
}: DeletionLoopOptions): Promise<void> {
  const { fleet } = writer
  const now = clock.now()
  const gone = fleet.waiting().filter(({ spec }) => spec.operation.kind === 'deletion')
  const due = fleet.installations().filter((installation) => isDue(fleet, installation, now, stateOf))
  const transactions: readonly Transaction<Installation>[] = [
    ...gone.map(({ metadata }) => removeUnplaced({ id: metadata.id })),
    ...due.map(({ metadata }) => requestDeletion({ id: metadata.id, stateOf })),
  ]
  const submitted = transactions.slice(0, MOST_AT_ONCE).map(async (transaction) => {
    await writer.submit(transaction, { requestId: idFromBytes(randomness.bytes(26)), actor, now })
  })
  for (const result of await Promise.allSettled(submitted))
    if (result.status === 'rejected') onError(result.reason)
}

/** A lock holds back a scheduled deletion as it holds back one that is asked for. */
function isDue(fleet: Fleet, installation: Installation, now: number, stateOf: StateOf): boolean {
  const { deletion, operation, deletionLocked, apiLocked } = installation.spec
  const at = deletion?.scheduledAt
  if (at === undefined || Date.parse(at) > now || deletionLocked === true || apiLocked === true) return false
  if (operation.kind === 'deletion-pending' || operation.kind === 'deletion') return false
  const state = stateOf(fleet, installation)
  const unplaced = installation.spec.placement === undefined
  return (
    mayRequestOnInstallation('deletion-pending', state) ||
    (unplaced && mayRequestOnInstallation('deletion', state))
  )
}
