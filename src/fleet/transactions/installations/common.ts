/** What all changes of one installation share. */
import { FleetError } from '../../errors.ts'
import type { Fleet, IntentChange } from '../../fleet.ts'
import type { Id } from '../../ids.ts'
import type { Installation, InstallationOperation, InstallationSpec, Timestamp } from '../../intents.ts'
import { installationPath, requestPath } from '../../paths.ts'
import { requestOf } from '../../requests.ts'
import { mayRequestOnInstallation } from '../../state.ts'

/** State of an installation on the wire, from what was observed when the request came in. */
export type StateOf = (fleet: Fleet, installation: Installation) => string

/** @throws FleetError `not-found`, and `invalid-state` for one that was deleted */
export function requireInstallation(fleet: Fleet, id: Id): Installation {
  const installation = fleet.installation(id)
  if (installation !== undefined) return installation
  const name = fleet.tombstone(id)?.metadata.name
  if (name === undefined) throw new FleetError('not-found', `There is no installation ${id}.`)
  throw new FleetError('invalid-state', `Installation ${name} was deleted; it cannot be changed.`)
}

/** @throws FleetError `api-locked` */
export function requireUnlocked({ metadata, spec }: Installation): void {
  if (spec.apiLocked !== true) return
  throw new FleetError(
    'api-locked',
    `Installation ${metadata.name} is locked against changes through the API; unlock it first.`,
  )
}

/** @throws FleetError `invalid-state` */
export function requireState(
  fleet: Fleet,
  installation: Installation,
  operation: InstallationOperation,
  stateOf: StateOf,
): string {
  const state = stateOf(fleet, installation)
  if (mayRequestOnInstallation(operation, state)) return state
  throw new FleetError(
    'invalid-state',
    `Installation ${installation.metadata.name} is ${state}; that does not allow ${operation}.`,
    { state },
  )
}

/** The documents that change when an installation becomes `after`: its own, or its request while it waits. */
export function changeOf(fleet: Fleet, after: Installation): readonly IntentChange[] {
  const { id } = after.metadata
  const placement = after.spec.placement
  if (placement !== undefined) {
    const path = installationPath(placement.cluster, id)
    return [{ path, before: fleet.intent(path), after }]
  }
  const path = requestPath(id)
  const before = fleet.intent(path)
  const waitingFor = before?.kind === 'InstallationRequest' ? before.spec.waitingFor : undefined
  return [{ path, before, after: requestOf(after, waitingFor) }]
}

/** The installation with the next operation asked for. */
export function withOperation(
  installation: Installation,
  kind: InstallationOperation,
  requestedAt: Timestamp,
  spec: Partial<InstallationSpec> = {},
): Installation {
  const generation = installation.spec.operation.generation + 1
  return {
    ...installation,
    spec: { ...installation.spec, ...spec, operation: { kind, generation, requestedAt } },
  }
}

export function trailersOf(fleet: Fleet, { metadata, spec }: Installation): Readonly<Record<string, string>> {
  const cluster =
    spec.placement === undefined ? undefined : fleet.cluster(spec.placement.cluster)?.metadata.id
  return { Installation: metadata.id, ...(cluster === undefined ? {} : { Cluster: cluster }) }
}

export function timestamp(milliseconds: number): Timestamp {
  return new Date(milliseconds).toISOString()
}
