/** Retry and deletion of installations that never ran, and locks. */
import { FleetError } from '../../errors.ts'
import type { Id } from '../../ids.ts'
import { API_VERSION, type Installation, type InstallationSpec, type Tombstone } from '../../intents.ts'
import { requestPath, unplacedTombstonePath } from '../../paths.ts'
import type { Transaction } from '../../transaction.ts'
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

/** Asks for the creation once more. */
export function retryInstallation(input: {
  readonly id: Id
  readonly stateOf: StateOf
}): Transaction<Installation> {
  return (fleet, context) => {
    const before = requireInstallation(fleet, input.id)
    requireUnlocked(before)
    const state = requireState(fleet, before, 'creation', input.stateOf)
    const subject = `Retry creation of installation ${before.metadata.name}`
    const trailers = trailersOf(fleet, before)
    if (state === 'creation-requested') return { changes: [], text: { subject, trailers }, value: before }
    const after = withOperation(before, 'creation', timestamp(context.now))
    return {
      changes: changeOf(fleet, after),
      text: { subject, body: `State: ${state} → creation-requested`, trailers },
      value: after,
    }
  }
}

export interface DeleteUnplaced {
  readonly id: Id
  readonly stateOf: StateOf
}

/**
 * Deletes an installation that no cluster has: nothing runs and nothing holds data, so its tombstone is all that stays.
 * @throws FleetError (in the transaction) `not-implemented` for one that a cluster has
 */
export function deleteUnplacedInstallation({ id, stateOf }: DeleteUnplaced): Transaction<Installation> {
  return (fleet, context) => {
    const before = requireInstallation(fleet, id)
    requireUnlocked(before)
    const { name } = before.metadata
    if (before.spec.deletionLocked === true)
      throw new FleetError(
        'deletion-locked',
        `Installation ${name} is locked against deletion; unlock it first.`,
      )
    requireState(fleet, before, 'deletion', stateOf)
    if (before.spec.placement !== undefined)
      throw new FleetError(
        'not-implemented',
        `Installation ${name} is on cluster ${before.spec.placement.cluster}; deleting it there is not available yet, and nothing was changed.`,
      )
    const now = timestamp(context.now)
    const gone = withOperation(before, 'deletion', now)
    const path = requestPath(id)
    const { keepDatabase, keepFilestore } = fleet.settings.spec.deletion
    const tombstone: Tombstone = {
      apiVersion: API_VERSION,
      kind: 'Tombstone',
      metadata: gone.metadata,
      spec: {
        actor: context.actor.name,
        notBefore: now,
        keep: { database: keepDatabase, filestore: keepFilestore },
        installation: gone,
      },
    }
    const changes = [
      { path, before: fleet.intent(path), after: undefined },
      { path: unplacedTombstonePath(id), before: undefined, after: tombstone },
    ]
    return {
      changes,
      text: { subject: `Delete installation ${name}, which never ran`, trailers: trailersOf(fleet, before) },
      value: gone,
    }
  }
}

type Lock = 'apiLocked' | 'deletionLocked'

/** Locks need no state and no unlocked installation: they are how one is unlocked. */
export function lockInstallation(input: {
  readonly id: Id
  readonly lock: Lock
  readonly locked: boolean
}): Transaction<Installation> {
  return (fleet) => {
    const before = requireInstallation(fleet, input.id)
    const verb = input.locked ? 'Lock' : 'Unlock'
    const against = input.lock === 'apiLocked' ? 'changes through the API' : 'deletion'
    const text = {
      subject: `${verb} installation ${before.metadata.name} ${input.locked ? 'against' : 'for'} ${against}`,
      trailers: trailersOf(fleet, before),
    }
    if ((before.spec[input.lock] ?? false) === input.locked) return { changes: [], text, value: before }
    const { [input.lock]: _, ...rest } = before.spec
    const spec: InstallationSpec = input.locked ? { ...rest, [input.lock]: true } : rest
    const after: Installation = { ...before, spec }
    return { changes: changeOf(fleet, after), text, value: after }
  }
}
