/** Retry, hibernation and locks. */
import { FleetError } from '../../errors.ts'
import type { Fleet } from '../../fleet.ts'
import type { Id } from '../../ids.ts'
import type { Installation, InstallationSpec } from '../../intents.ts'
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
import { describeUpdate, patched, type UpdateInstallation } from './update.ts'

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

/** Stops the pods and lets nobody in; all data stays. */
export function hibernateInstallation(input: {
  readonly id: Id
  readonly stateOf: StateOf
}): Transaction<Installation> {
  return (fleet, context) => {
    const before = requireInstallation(fleet, input.id)
    requireUnlocked(before)
    const state = requireState(fleet, before, 'hibernation', input.stateOf)
    const after = withOperation(before, 'hibernation', timestamp(context.now), { hibernated: true })
    return {
      changes: changeOf(fleet, after),
      text: {
        subject: `Hibernate installation ${before.metadata.name}`,
        body: `State: ${state} → hibernation-requested`,
        trailers: trailersOf(fleet, before),
      },
      value: after,
    }
  }
}

/** Starts the pods again, with a new configuration when a patch is given. */
export function wakeUpInstallation({ id, stateOf, patch }: UpdateInstallation): Transaction<Installation> {
  return (fleet, context) => {
    const before = requireInstallation(fleet, id)
    requireUnlocked(before)
    requireState(fleet, before, 'wake-up', stateOf)
    const { hibernated: _, ...spec } = patched(before.spec, patch)
    const after = withOperation({ ...before, spec }, 'wake-up', timestamp(context.now))
    return {
      changes: changeOf(fleet, after),
      text: {
        subject: `Wake up installation ${before.metadata.name}`,
        body: describeUpdate(before.spec, spec),
        trailers: trailersOf(fleet, before),
      },
      value: after,
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

/** Locks one deployment of an installation. @throws FleetError (in the transaction) `not-found` */
export function lockClusterInstallation(input: {
  readonly id: Id
  readonly locked: boolean
}): Transaction<Installation> {
  return (fleet) => {
    const before = requireClusterInstallation(fleet, input.id)
    const clusterInstallations = (before.spec.clusterInstallations ?? []).map((deployment) => {
      if (deployment.id !== input.id) return deployment
      const { apiLocked: _, ...rest } = deployment
      return input.locked ? { ...rest, apiLocked: true } : rest
    })
    const verb = input.locked ? 'Lock' : 'Unlock'
    const text = {
      subject: `${verb} a deployment of installation ${before.metadata.name}`,
      body: `Cluster installation: ${input.id}`,
      trailers: trailersOf(fleet, before),
    }
    const present = before.spec.clusterInstallations?.find(({ id }) => id === input.id)
    if ((present?.apiLocked ?? false) === input.locked) return { changes: [], text, value: before }
    const after: Installation = { ...before, spec: { ...before.spec, clusterInstallations } }
    return { changes: changeOf(fleet, after), text, value: after }
  }
}

/** The installation that has the deployment. @throws FleetError `not-found` */
export function requireClusterInstallation(fleet: Fleet, id: Id): Installation {
  const installation = fleet.installationByDeployment(id)
  if (installation === undefined) throw new FleetError('not-found', `There is no cluster installation ${id}.`)
  return installation
}
