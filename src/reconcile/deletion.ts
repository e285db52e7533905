/**
 * Deletions that are due, from their time to their end. Level-triggered: the next step follows from what git says and what
 * is seen, so one that was cut off goes on at the next start. Each step is a transaction of its own.
 */
import { deletionHold, deletionPhase } from '../fleet/deletion.ts'
import { isFleetError } from '../fleet/errors.ts'
import type { Problem } from '../fleet/files.ts'
import type { Fleet } from '../fleet/fleet.ts'
import { idFromBytes } from '../fleet/ids.ts'
import type { Installation } from '../fleet/intents.ts'
import { installationPath } from '../fleet/paths.ts'
import { mayRequestOnInstallation } from '../fleet/state.ts'
import type { Actor, Transaction } from '../fleet/transaction.ts'
import type { StateOf } from '../fleet/transactions/installations/common.ts'
import {
  expirePendingDeletion,
  removeUnplaced,
  requestDeletion,
} from '../fleet/transactions/installations/deletion.ts'
import {
  beginRemoval,
  closeTombstone,
  emptyManifest,
  finishRemoval,
} from '../fleet/transactions/installations/removal.ts'
import type { Clock, Randomness } from '../ports/clock.ts'
import type { Observations } from '../ports/observations.ts'
import type { Sights } from '../ports/sights.ts'
import type { FleetWriter } from '../ports/writer.ts'
import { type Loop, startLoop } from './loop.ts'

const INTERVAL_MILLISECONDS = 30_000
/** Steps of one run; the rest follow in the next. */
const MOST_AT_ONCE = 50

export interface DeletionLoopOptions {
  readonly writer: FleetWriter
  readonly clock: Clock
  readonly randomness: Randomness
  readonly actor: Actor
  /** State on the wire, from what is observed. */
  readonly stateOf: StateOf
  readonly observations: Pick<Observations, 'onChange'>
  readonly sights: Pick<Sights, 'installation'>
  readonly onError: (error: unknown) => void
}

export interface DeletionLoop extends Loop {
  /** Deletions whose time has come and that are held back. */
  problems(): readonly Problem[]
}

export function startDeletionLoop(options: DeletionLoopOptions): DeletionLoop {
  const { writer, observations, clock, onError } = options
  const loop = startLoop({ clock, interval: INTERVAL_MILLISECONDS, run: () => deleteDue(options), onError })
  const unsubscribe = [
    writer.onChange(({ changes }) => {
      if (changes.some(({ after }) => after?.kind === 'Tombstone' || isDeletion(after))) loop.wake()
    }),
    observations.onChange((kind, id) => {
      if (kind === 'installation' && isDeletion(writer.fleet.installation(id))) loop.wake()
    }),
  ]
  return {
    wake: loop.wake,
    problems: () => heldBack(writer.fleet, clock.now()),
    async close() {
      for (const end of unsubscribe) end()
      await loop.close()
    },
  }
}

function isDeletion(intent: { readonly kind: string; readonly spec: object } | undefined): boolean {
  if (intent?.kind !== 'Installation' && intent?.kind !== 'InstallationRequest') return false
  const { operation } = intent.spec as Partial<Installation['spec']>
  return operation?.kind === 'deletion' || operation?.kind === 'deletion-pending'
}

async function deleteDue(options: DeletionLoopOptions): Promise<void> {
  const { writer, clock, randomness, actor, onError } = options
  const { fleet } = writer
  const now = clock.now()
  const open = fleet.openTombstones().filter(({ metadata }) => fleet.installation(metadata.id) === undefined)
  const transactions: readonly Transaction<Installation>[] = [
    ...open.map(({ metadata }) => closeTombstone({ id: metadata.id })),
    ...[...fleet.ending()]
      .sort(byRequest)
      .flatMap((installation) => stepsOf(options, fleet, installation, now)),
  ]
  const submitted = transactions.slice(0, MOST_AT_ONCE).map(async (transaction) => {
    await writer.submit(transaction, { requestId: idFromBytes(randomness.bytes(26)), actor, now })
  })
  for (const result of await Promise.allSettled(submitted))
    if (result.status === 'rejected' && !isOvertaken(result.reason)) onError(result.reason)
}

/** The first to be asked for is the first to go: what is over the limit waits its turn. */
function byRequest(a: Installation, b: Installation): number {
  return Date.parse(a.spec.operation.requestedAt) - Date.parse(b.spec.operation.requestedAt)
}

/** Somebody else was faster, took the deletion back, or the limit was reached by another one of the same run. */
function isOvertaken(error: unknown): boolean {
  return isFleetError(error) && (error.code === 'invalid-state' || error.code === 'guarded')
}

function stepsOf(
  { stateOf, sights }: DeletionLoopOptions,
  fleet: Fleet,
  installation: Installation,
  now: number,
): readonly Transaction<Installation>[] {
  const { id } = installation.metadata
  const { operation, placement } = installation.spec
  if (operation.kind === 'deletion' && placement === undefined) return [removeUnplaced({ id })]
  if (isScheduled(fleet, installation, now, stateOf))
    return [requestDeletion({ id, stateOf, scheduled: true })]
  if (!isTime(fleet, installation, now, stateOf) || deletionHold(fleet, installation, now)) return []
  if (operation.kind === 'deletion-pending') return [expirePendingDeletion({ id, stateOf })]
  const phase = deletionPhase(installation, fleet.tombstone(id))
  if (phase === 'lives') return [beginRemoval({ id })]
  const step = sights.installation(id)?.verdict.removalStep
  if (phase === 'leaving') return step === 'empty' ? [emptyManifest({ id })] : []
  return step === 'finish' ? [finishRemoval({ id })] : []
}

/** It was asked for, or its pending time is up. */
function isTime(fleet: Fleet, installation: Installation, now: number, stateOf: StateOf): boolean {
  const { operation, deletion } = installation.spec
  if (operation.kind === 'deletion') return true
  if (operation.kind !== 'deletion-pending' || deletion?.pendingExpiresAt === undefined) return false
  return Date.parse(deletion.pendingExpiresAt) <= now && stateOf(fleet, installation) === 'deletion-pending'
}

/** A lock holds back a scheduled deletion as it holds back one that is asked for. */
function isScheduled(fleet: Fleet, installation: Installation, now: number, stateOf: StateOf): boolean {
  const { deletion, operation, deletionLocked, apiLocked } = installation.spec
  const at = deletion?.scheduledAt
  if (at === undefined || Date.parse(at) > now || deletionLocked === true || apiLocked === true) return false
  if (operation.kind === 'deletion-pending' || operation.kind === 'deletion') return false
  const state = stateOf(fleet, installation)
  return mayRequestOnInstallation('deletion-pending', state) || mayRequestOnInstallation('deletion', state)
}

function heldBack(fleet: Fleet, now: number): readonly Problem[] {
  return fleet.ending().flatMap((installation) => {
    const { operation, placement, deletion } = installation.spec
    const due =
      operation.kind === 'deletion' ||
      (operation.kind === 'deletion-pending' && Date.parse(deletion?.pendingExpiresAt ?? '') <= now)
    const hold = due ? deletionHold(fleet, installation, now) : undefined
    if (hold === undefined || placement === undefined) return []
    const path = installationPath(placement.cluster, installation.metadata.id)
    return [{ path, line: 0, column: 0, code: hold.code, detail: hold.detail }]
  })
}
