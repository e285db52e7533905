/** Deletion: asked for, held back for a while, cancelled, scheduled, and the end of an installation that no cluster has. */
import { FleetError } from '../../errors.ts'
import { deletionHold, deletionPhase } from '../../deletion.ts'
import type { Fleet, IntentChange } from '../../fleet.ts'
import type { Id } from '../../ids.ts'
import { API_VERSION, type Installation, type InstallationSpec, type Tombstone } from '../../intents.ts'
import { requestPath, tombstonePath, unplacedTombstonePath } from '../../paths.ts'
import { mayRequestOnInstallation } from '../../state.ts'
import type { Transaction, TransactionResult } from '../../transaction.ts'
import { changeLine } from '../text.ts'
import {
  changeOf,
  requireInstallation,
  requireState,
  requireUnlocked,
  type StateOf,
  timestamp,
  trailersOf,
  withOperation,
} from './common.ts'

export interface DeletionRequest {
  readonly id: Id
  readonly stateOf: StateOf
}

/** Asks for the deletion. One that ran keeps its data and sleeps until its time is up; one that never ran goes at once. */
export function requestDeletion({
  id,
  stateOf,
  scheduled = false,
}: DeletionRequest & {
  /** It was planned before, by whoever planned it. */
  readonly scheduled?: boolean
}): Transaction<Installation> {
  return (fleet, context) => {
    const before = requireInstallation(fleet, id)
    requireUnlocked(before)
    const { name } = before.metadata
    if (before.spec.deletionLocked === true)
      throw new FleetError(
        'deletion-locked',
        `Installation ${name} is locked against deletion; unlock it first.`,
      )
    const state = stateOf(fleet, before)
    const planner = scheduled ? before.spec.deletion?.requestedBy : undefined
    const deletion = { ...before.spec.deletion, requestedBy: planner ?? context.actor.name }
    if (mayRequestOnInstallation('deletion-pending', state))
      return pending(fleet, before, state, deletion, context.now)
    requireState(fleet, before, 'deletion', stateOf)
    const again = before.spec.operation.kind === 'deletion'
    const after = withOperation(before, 'deletion', timestamp(context.now), { deletion })
    const body = `State: ${state} → deletion-requested`
    const subject = again
      ? `Delete installation ${name}, asked for again`
      : `Delete installation ${name}, which never ran`
    return changed(fleet, after, subject, body)
  }
}

/**
 * The time of a pending deletion is up: it begins.
 * @throws FleetError (in the transaction) `invalid-state`, `api-locked`, `deletion-locked`
 */
export function expirePendingDeletion({ id, stateOf }: DeletionRequest): Transaction<Installation> {
  return (fleet, context) => {
    const before = requireInstallation(fleet, id)
    const hold = deletionHold(fleet, before, context.now)
    if (hold !== undefined) throw new FleetError(hold.code, `${hold.detail}.`)
    const { name } = before.metadata
    const { deletion, operation } = before.spec
    const expiresAt = deletion?.pendingExpiresAt
    const state = stateOf(fleet, before)
    if (operation.kind !== 'deletion-pending' || state !== 'deletion-pending')
      throw new FleetError('invalid-state', `Installation ${name} is ${state}; its deletion is not pending.`)
    if (expiresAt === undefined || Date.parse(expiresAt) > context.now)
      throw new FleetError(
        'invalid-state',
        `The deletion of installation ${name} is pending until ${expiresAt}.`,
      )
    const after = withOperation(before, 'deletion', timestamp(context.now))
    const body = `State: ${state} → deletion-requested\nIt was pending until ${expiresAt}`
    return changed(fleet, after, `Delete installation ${name}, whose time is up`, body)
  }
}

function pending(
  fleet: Fleet,
  before: Installation,
  state: string,
  deletion: NonNullable<InstallationSpec['deletion']>,
  now: number,
): TransactionResult<Installation> {
  const pendingExpiresAt = timestamp(now + fleet.settings.spec.deletion.pendingSeconds * 1000)
  const after = withOperation(before, 'deletion-pending', timestamp(now), {
    hibernated: true,
    deletion: { ...deletion, pendingExpiresAt },
  })
  const body = `State: ${state} → deletion-pending-requested\nNothing is deleted before ${pendingExpiresAt}`
  return changed(fleet, after, `Delete installation ${before.metadata.name}`, body)
}

/**
 * Takes the deletion back: the installation runs again, and no other deletion is scheduled. Works from the time that it is
 * pending until its manifest is emptied; a tombstone that was written goes.
 */
export function cancelDeletion({ id, stateOf }: DeletionRequest): Transaction<Installation> {
  return (fleet, context) => {
    const before = requireInstallation(fleet, id)
    requireUnlocked(before)
    if (!isExpiredAndWhole(fleet, before)) requireState(fleet, before, 'deletion-cancellation', stateOf)
    const { hibernated: _, ...spec } = before.spec
    // The time stays as a record of what was cancelled; it counts only while a deletion is pending.
    const { scheduledAt: _scheduled, requestedBy: _requestedBy, ...deletion } = spec.deletion ?? {}
    const after = withOperation(
      { ...before, spec: withDeletion(spec, deletion) },
      'deletion-cancellation',
      timestamp(context.now),
    )
    const result = changed(fleet, after, `Cancel the deletion of installation ${before.metadata.name}`, '')
    return { ...result, changes: [...withdrawnTombstone(fleet, before), ...result.changes] }
  }
}

/** It ran once, its time is up, and nothing of it has been removed yet. */
function isExpiredAndWhole(fleet: Fleet, installation: Installation): boolean {
  const { operation, deletion } = installation.spec
  if (operation.kind !== 'deletion' || deletion?.pendingExpiresAt === undefined) return false
  return deletionPhase(installation, fleet.tombstone(installation.metadata.id)) !== 'emptied'
}

function withdrawnTombstone(fleet: Fleet, { metadata, spec }: Installation): readonly IntentChange[] {
  const before = fleet.tombstone(metadata.id)
  if (before === undefined || spec.placement === undefined) return []
  return [{ path: tombstonePath(spec.placement.cluster, metadata.id), before, after: undefined }]
}

/** @param expiresAt milliseconds since 1970; undefined leaves it */
export function moveDeletionExpiry(
  input: DeletionRequest & { readonly expiresAt: number | undefined },
): Transaction<Installation> {
  return (fleet) => {
    const before = requireInstallation(fleet, input.id)
    requireUnlocked(before)
    const state = input.stateOf(fleet, before)
    const { name } = before.metadata
    if (state !== 'deletion-pending')
      throw new FleetError(
        'invalid-state',
        `Installation ${name} is ${state}; its deletion is not pending.`,
        {
          state,
        },
      )
    const subject = `Move the end of the pending deletion of installation ${name}`
    if (input.expiresAt === undefined) return unchanged(fleet, before, subject)
    const deletion = { ...before.spec.deletion, pendingExpiresAt: timestamp(input.expiresAt) }
    return planned(fleet, before, deletion, subject)
  }
}

/** @param at milliseconds since 1970; 0 clears, undefined leaves it */
export function scheduleDeletion(input: {
  readonly id: Id
  readonly at: number | undefined
}): Transaction<Installation> {
  return (fleet, context) => {
    const before = requireInstallation(fleet, input.id)
    requireUnlocked(before)
    const { scheduledAt: _, ...rest } = before.spec.deletion ?? {}
    const subject = `Schedule the deletion of installation ${before.metadata.name}`
    if (input.at === undefined) return unchanged(fleet, before, subject)
    const { requestedBy: _requestedBy, ...unasked } = rest
    const { kind } = before.spec.operation
    const cleared = kind === 'deletion' || kind === 'deletion-pending' ? rest : unasked
    const deletion =
      input.at === 0
        ? cleared
        : { ...rest, requestedBy: context.actor.name, scheduledAt: timestamp(input.at) }
    return planned(fleet, before, deletion, subject)
  }
}

/**
 * The end of an installation that no cluster has: nothing runs and nothing holds data, so its tombstone is all that stays.
 * @throws FleetError (in the transaction) `invalid-state` when its deletion was not asked for or a cluster has it
 */
export function removeUnplaced({ id }: { readonly id: Id }): Transaction<Installation> {
  return (fleet, context) => {
    const before = requireInstallation(fleet, id)
    const path = requestPath(id)
    const { placement, operation } = before.spec
    if (placement !== undefined || operation.kind !== 'deletion')
      throw new FleetError('invalid-state', `Installation ${before.metadata.name} is not to be removed.`)
    const { keepDatabase, keepFilestore } = fleet.settings.spec.deletion
    const tombstone: Tombstone = {
      apiVersion: API_VERSION,
      kind: 'Tombstone',
      metadata: before.metadata,
      spec: {
        actor: before.spec.deletion?.requestedBy ?? context.actor.name,
        notBefore: timestamp(context.now),
        keep: { database: keepDatabase, filestore: keepFilestore },
        removedAt: timestamp(context.now),
        installation: before,
      },
    }
    return {
      changes: [
        { path, before: fleet.intent(path), after: undefined },
        { path: unplacedTombstonePath(id), before: undefined, after: tombstone },
      ],
      text: {
        subject: `Remove installation ${before.metadata.name}, which never ran`,
        trailers: trailersOf(fleet, before),
      },
      value: before,
    }
  }
}

function planned(
  fleet: Fleet,
  before: Installation,
  deletion: NonNullable<InstallationSpec['deletion']>,
  subject: string,
): TransactionResult<Installation> {
  const was = before.spec.deletion
  const body = [
    changeLine('Scheduled', was?.scheduledAt, deletion.scheduledAt),
    changeLine('Nothing is deleted before', was?.pendingExpiresAt, deletion.pendingExpiresAt),
  ].filter((line) => line !== undefined)
  if (body.length === 0) return unchanged(fleet, before, subject)
  const after = { ...before, spec: withDeletion(before.spec, deletion) }
  return changed(fleet, after, subject, body.join('\n'))
}

function withDeletion(
  spec: InstallationSpec,
  deletion: NonNullable<InstallationSpec['deletion']>,
): InstallationSpec {
  const { deletion: _, ...rest } = spec
  return Object.keys(deletion).length === 0 ? rest : { ...rest, deletion }
}

function changed(
  fleet: Fleet,
  after: Installation,
  subject: string,
  body: string,
): TransactionResult<Installation> {
  const text = { subject, body, trailers: trailersOf(fleet, after) }
  return { changes: changeOf(fleet, after), text, value: after }
}

function unchanged(fleet: Fleet, before: Installation, subject: string): TransactionResult<Installation> {
  return { changes: [], text: { subject, trailers: trailersOf(fleet, before) }, value: before }
}
