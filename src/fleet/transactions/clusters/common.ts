/** What all changes of one cluster share. */
import { isDeepStrictEqual } from 'node:util'
import { FleetError } from '../../errors.ts'
import type { Fleet } from '../../fleet.ts'
import type { Id } from '../../ids.ts'
import type { Cluster, ClusterOperation } from '../../intents.ts'
import { clusterPath } from '../../paths.ts'
import { mayRequestOnCluster } from '../../state.ts'
import type { TransactionResult } from '../../transaction.ts'

/** State of a cluster on the wire, from what was observed when the request came in. */
export type ClusterStateOf = (cluster: Cluster) => string

/** @throws FleetError `not-found`, and `invalid-state` for one that was deleted */
export function requireCluster(fleet: Fleet, id: Id): Cluster {
  const cluster = fleet.clusterById(id)
  if (cluster === undefined) throw new FleetError('not-found', `There is no cluster ${id}.`)
  const { name, deletedAt } = cluster.metadata
  if (deletedAt !== undefined)
    throw new FleetError(
      'invalid-state',
      `Cluster ${name} was deleted at ${deletedAt}; it cannot be changed.`,
    )
  return cluster
}

/** @throws FleetError `api-locked` */
export function requireUnlocked({ metadata, spec }: Cluster): void {
  if (spec.apiLocked === true)
    throw new FleetError(
      'api-locked',
      `Cluster ${metadata.name} is locked against changes through the API; unlock it first.`,
    )
}

/** @throws FleetError `invalid-state` */
export function requireState(cluster: Cluster, operation: ClusterOperation, stateOf: ClusterStateOf): string {
  const state = stateOf(cluster)
  if (mayRequestOnCluster(operation, state)) return state
  throw new FleetError(
    'invalid-state',
    `Cluster ${cluster.metadata.name} is ${state}; that does not allow ${operation}.`,
    { state },
  )
}

/** The cluster with the next operation asked for. */
export function withOperation(
  cluster: Cluster,
  kind: ClusterOperation,
  now: number,
  spec: Partial<Cluster['spec']> = {},
): Cluster {
  const generation = cluster.spec.operation.generation + 1
  const operation = { kind, generation, requestedAt: new Date(now).toISOString() }
  return { ...cluster, spec: { ...cluster.spec, ...spec, operation } }
}

export function result(
  after: Cluster,
  before: Cluster | undefined,
  subject: string,
  body: string,
): TransactionResult<Cluster> {
  const changes = isDeepStrictEqual(before, after)
    ? []
    : [{ path: clusterPath(after.metadata.name), before, after }]
  return { changes, text: { subject, body, trailers: { Cluster: after.metadata.id } }, value: after }
}
