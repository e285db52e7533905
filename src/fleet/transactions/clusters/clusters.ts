/** Clusters: import, create, change, annotate, lock. What runs in the cloud follows from the intent. */
import { FleetError } from '../../errors.ts'
import type { Id } from '../../ids.ts'
import type { Fleet } from '../../fleet.ts'
import { API_VERSION, type Cluster, type Utilities } from '../../intents.ts'
import { slugFor } from '../../slugs.ts'
import type { Transaction } from '../../transaction.ts'
import { changeLine, lines } from '../text.ts'
import { requireCluster, requireUnlocked, result } from './common.ts'

export interface AddCluster {
  readonly id: Id
  /** What the folder is named after, when it is free. */
  readonly name: string
  readonly annotations: readonly string[]
  readonly spec: Omit<Cluster['spec'], 'operation' | 'templateSet'>
  /** Utilities it gets beside those of `spec`, unless the fleet says what every cluster has. */
  readonly usualUtilities?: Utilities
}

/** A new cluster, imported or to be created. */
export function addCluster({
  id,
  name,
  annotations,
  spec,
  usualUtilities,
}: AddCluster): Transaction<Cluster> {
  return (fleet, context) => {
    const createdAt = new Date(context.now).toISOString()
    const slug = slugFor(name, 'cluster', id, (candidate) => fleet.cluster(candidate) !== undefined)
    const utilities = utilitiesFor(fleet, spec.utilities, usualUtilities)
    const cluster: Cluster = {
      apiVersion: API_VERSION,
      kind: 'Cluster',
      metadata: {
        id,
        name: slug,
        createdAt,
        ...(annotations.length === 0 ? {} : { annotations: [...annotations].sort() }),
      },
      spec: {
        ...spec,
        ...(utilities === undefined ? {} : { utilities }),
        templateSet: fleet.settings.spec.templateSet,
        operation: { kind: 'creation', generation: 1, requestedAt: createdAt },
      },
    }
    const verb = spec.provisioner === 'external' ? 'Import' : 'Create'
    return result(cluster, undefined, `${verb} cluster ${slug}`, `Provisioner: ${spec.provisioner}`)
  }
}

/** What the fleet pins is not written down again: the next version of the fleet is then the cluster's as well. */
function utilitiesFor(
  fleet: Fleet,
  given: Utilities | undefined,
  usual: Utilities | undefined,
): Utilities | undefined {
  if (usual === undefined) return given
  const everywhere: Readonly<Record<string, unknown>> = fleet.settings.spec.utilities ?? {}
  const added = Object.entries(usual).filter(([name]) => everywhere[name] === undefined)
  return { ...Object.fromEntries(added), ...given }
}

export function updateCluster(input: {
  readonly id: Id
  readonly name?: string
  readonly allowInstallations?: boolean
}): Transaction<Cluster> {
  return (fleet) => {
    const before = requireCluster(fleet, input.id)
    requireUnlocked(before)
    const spec = {
      ...before.spec,
      ...(input.name === undefined ? {} : { displayName: input.name }),
      allowInstallations: input.allowInstallations ?? before.spec.allowInstallations,
    }
    const body = lines(
      changeLine('Name', before.spec.displayName, spec.displayName),
      changeLine('Takes installations', before.spec.allowInstallations, spec.allowInstallations),
    )
    return result({ ...before, spec }, before, `Update cluster ${before.metadata.name}`, body)
  }
}

export function annotateCluster(input: {
  readonly id: Id
  readonly add?: readonly string[]
  readonly remove?: string
}): Transaction<Cluster> {
  return (fleet) => {
    const before = requireCluster(fleet, input.id)
    requireUnlocked(before)
    const { remove } = input
    const user =
      remove === undefined
        ? undefined
        : fleet
            .installationsOn(before.metadata.name)
            .find(({ metadata }) => metadata.annotations?.includes(remove))
    if (user !== undefined)
      throw new FleetError(
        'guarded',
        `Installation ${user.metadata.name} on cluster ${before.metadata.name} needs the annotation ${remove}; take it from there first.`,
      )
    const present = before.metadata.annotations ?? []
    const next = [...new Set([...present, ...(input.add ?? [])])].filter((name) => name !== remove).sort()
    const { annotations: _, ...metadata } = before.metadata
    const after = { ...before, metadata: next.length === 0 ? metadata : { ...metadata, annotations: next } }
    return result(
      after,
      before,
      `Annotate cluster ${before.metadata.name}`,
      lines(changeLine('Annotations', present, next)),
    )
  }
}

export function lockCluster(input: { readonly id: Id; readonly locked: boolean }): Transaction<Cluster> {
  return (fleet) => {
    const before = requireCluster(fleet, input.id)
    const { apiLocked: _, ...spec } = before.spec
    const after: Cluster = { ...before, spec: input.locked ? { ...spec, apiLocked: true } : spec }
    return result(after, before, `${input.locked ? 'Lock' : 'Unlock'} cluster ${before.metadata.name}`, '')
  }
}
