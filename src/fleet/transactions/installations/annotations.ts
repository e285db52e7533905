/** Placement annotations of an installation. */
import { FleetError } from '../../errors.ts'
import type { Id } from '../../ids.ts'
import type { Installation } from '../../intents.ts'
import type { Transaction } from '../../transaction.ts'
import { changeOf, requireInstallation, requireUnlocked, trailersOf } from './common.ts'

/** Names that are there already are fine. @throws FleetError (in the transaction) `guarded` when the cluster lacks one */
export function addInstallationAnnotations(input: {
  readonly id: Id
  readonly names: readonly string[]
}): Transaction<Installation> {
  return (fleet) => {
    const before = requireInstallation(fleet, input.id)
    requireUnlocked(before)
    const cluster =
      before.spec.placement === undefined ? undefined : fleet.cluster(before.spec.placement.cluster)
    const missing =
      cluster === undefined
        ? []
        : input.names.filter((name) => !(cluster.metadata.annotations ?? []).includes(name))
    if (missing.length > 0) {
      throw new FleetError(
        'guarded',
        `Cluster ${cluster?.metadata.name} lacks the annotation ${missing.join(', ')}; add it there first.`,
      )
    }
    return withAnnotations(fleet, before, [...(before.metadata.annotations ?? []), ...input.names])
  }
}

export function deleteInstallationAnnotation(input: {
  readonly id: Id
  readonly name: string
}): Transaction<Installation> {
  return (fleet) => {
    const before = requireInstallation(fleet, input.id)
    requireUnlocked(before)
    return withAnnotations(
      fleet,
      before,
      (before.metadata.annotations ?? []).filter((name) => name !== input.name),
    )
  }
}

function withAnnotations(
  fleet: Parameters<Transaction<Installation>>[0],
  before: Installation,
  names: readonly string[],
): ReturnType<Transaction<Installation>> {
  const present = before.metadata.annotations ?? []
  const next = [...new Set(names)].sort()
  const subject = `Annotate installation ${before.metadata.name}`
  const trailers = trailersOf(fleet, before)
  if (next.join() === present.join()) return { changes: [], text: { subject, trailers }, value: before }
  const { annotations: _, ...metadata } = before.metadata
  const after: Installation = {
    ...before,
    metadata: next.length === 0 ? metadata : { ...metadata, annotations: next },
  }
  const body = `Annotations: ${present.join(', ') || '(none)'} → ${next.join(', ') || '(none)'}`
  return { changes: changeOf(fleet, after), text: { subject, body, trailers }, value: after }
}
