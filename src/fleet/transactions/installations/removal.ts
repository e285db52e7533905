/**
 * A placed installation leaves in three commits: nothing protects it any more; its manifest is emptied and the engine
 * removes it from the cluster; its documents go and the tombstone stays.
 */
import { deletionHold, deletionPhase, keptData } from '../../deletion.ts'
import { FleetError } from '../../errors.ts'
import type { Fleet } from '../../fleet.ts'
import type { Id } from '../../ids.ts'
import { API_VERSION, type Installation, type Slug, type Tombstone } from '../../intents.ts'
import { installationPath, tombstonePath } from '../../paths.ts'
import type { Transaction } from '../../transaction.ts'
import { requireInstallation, timestamp, trailersOf } from './common.ts'

/**
 * The first commit: the tombstone, and manifests without protection; rights to delete data only where it is not kept.
 * @throws FleetError (in the transaction) `invalid-state`, and `guarded`, `deletion-locked`, `api-locked` when held back
 */
export function beginRemoval({ id }: { readonly id: Id }): Transaction<Installation> {
  return (fleet, context) => {
    const { before, cluster } = requireLeaving(fleet, id, 'lives')
    const hold = deletionHold(fleet, before, context.now)
    if (hold !== undefined) throw new FleetError(hold.code, `${hold.detail}.`)
    const keep = keptData(fleet.settings.spec, before)
    const tombstone: Tombstone = {
      apiVersion: API_VERSION,
      kind: 'Tombstone',
      metadata: before.metadata,
      spec: {
        actor: before.spec.deletion?.requestedBy ?? context.actor.name,
        notBefore: timestamp(context.now),
        keep,
        installation: before,
      },
    }
    const kept = [keep.database ? 'database' : '', keep.filestore ? 'file store' : ''].filter(Boolean)
    return {
      changes: [{ path: tombstonePath(cluster, id), before: undefined, after: tombstone }],
      text: {
        subject: `Prepare the removal of installation ${before.metadata.name} from ${cluster}`,
        body: `Asked for by ${tombstone.spec.actor}\nKept: ${kept.length === 0 ? 'nothing' : kept.join(', ')}`,
        trailers: trailersOf(fleet, before),
      },
      value: before,
    }
  }
}

/**
 * The second commit: the engine removes what the manifest named. From here on there is no way back.
 * @throws FleetError (in the transaction) `invalid-state`, `deletion-locked`, `api-locked`
 */
export function emptyManifest({ id }: { readonly id: Id }): Transaction<Installation> {
  return (fleet, context) => {
    const { before, cluster, tombstone } = requireLeaving(fleet, id, 'leaving')
    const hold = deletionHold(fleet, before, context.now)
    if (hold !== undefined) throw new FleetError(hold.code, `${hold.detail}.`)
    const after: Tombstone = {
      ...tombstone,
      spec: { ...tombstone.spec, emptiedAt: timestamp(context.now), installation: before },
    }
    return {
      changes: [{ path: tombstonePath(cluster, id), before: tombstone, after }],
      text: {
        subject: `Remove installation ${before.metadata.name} from ${cluster}`,
        trailers: trailersOf(fleet, before),
      },
      value: before,
    }
  }
}

/**
 * The third commit: nothing of it is left on the cluster but what is kept, so its documents go.
 * @throws FleetError (in the transaction) `invalid-state`
 */
export function finishRemoval({ id }: { readonly id: Id }): Transaction<Installation> {
  return (fleet, context) => {
    const { before, cluster, tombstone } = requireLeaving(fleet, id, 'emptied')
    const removedAt = timestamp(context.now)
    const path = installationPath(cluster, id)
    const after: Tombstone = {
      ...tombstone,
      spec: { ...tombstone.spec, removedAt, installation: withoutDeployments(before, removedAt) },
    }
    return {
      changes: [
        { path, before: fleet.intent(path), after: undefined },
        { path: tombstonePath(cluster, id), before: tombstone, after },
      ],
      text: {
        subject: `Installation ${before.metadata.name} is gone from ${cluster}`,
        body: `State: deletion-final-cleanup → deleted`,
        trailers: trailersOf(fleet, before),
      },
      value: after.spec.installation,
    }
  }
}

/**
 * Somebody removed the documents by a commit of their own, for example because the cluster is lost: only the tombstone is
 * completed.
 * @throws FleetError (in the transaction) `invalid-state`
 */
export function closeTombstone({ id }: { readonly id: Id }): Transaction<Installation> {
  return (fleet, context) => {
    const tombstone = fleet.tombstone(id)
    const cluster = tombstone?.spec.installation.spec.placement?.cluster
    if (tombstone === undefined || cluster === undefined || fleet.installation(id) !== undefined)
      throw new FleetError('invalid-state', `The tombstone of ${id} is not to be closed.`)
    const removedAt = timestamp(context.now)
    const installation = withoutDeployments(tombstone.spec.installation, removedAt)
    const after: Tombstone = { ...tombstone, spec: { ...tombstone.spec, removedAt, installation } }
    return {
      changes: [{ path: tombstonePath(cluster, id), before: tombstone, after }],
      text: {
        subject: `Installation ${installation.metadata.name} was removed from ${cluster} by a commit`,
        trailers: trailersOf(fleet, installation),
      },
      value: installation,
    }
  }
}

interface Leaving {
  readonly before: Installation
  readonly cluster: Slug
  readonly tombstone: Tombstone
}

function requireLeaving(fleet: Fleet, id: Id, phase: 'lives'): Omit<Leaving, 'tombstone'>
function requireLeaving(fleet: Fleet, id: Id, phase: 'leaving' | 'emptied'): Leaving
function requireLeaving(fleet: Fleet, id: Id, phase: string): Omit<Leaving, 'tombstone'> & Partial<Leaving> {
  const before = requireInstallation(fleet, id)
  const tombstone = fleet.tombstone(id)
  const cluster = before.spec.placement?.cluster
  const here = deletionPhase(before, tombstone)
  if (cluster === undefined || before.spec.operation.kind !== 'deletion' || here !== phase)
    throw new FleetError(
      'invalid-state',
      `Installation ${before.metadata.name} is not at this step of its removal.`,
    )
  return { before, cluster, ...(tombstone === undefined ? {} : { tombstone }) }
}

function withoutDeployments(installation: Installation, deletedAt: string): Installation {
  const { clusterInstallations } = installation.spec
  if (clusterInstallations === undefined) return installation
  return {
    ...installation,
    spec: {
      ...installation.spec,
      clusterInstallations: clusterInstallations.map((deployment) => ({
        ...deployment,
        active: false,
        deletedAt: deployment.deletedAt ?? deletedAt,
      })),
    },
  }
}
