/** Changes of Kubernetes and its machines: upgrade, size, node groups. */
import { isDeepStrictEqual } from 'node:util'
import { FleetError } from '../../errors.ts'
import type { Id } from '../../ids.ts'
import type {
  Cluster,
  ClusterOperation,
  KubernetesChange,
  KubernetesIntent,
  NodeGroup,
  NodeGroupChange,
} from '../../intents.ts'
import type { Transaction } from '../../transaction.ts'
import { changeLine } from '../text.ts'
import {
  type ClusterStateOf,
  requireCluster,
  requireState,
  requireUnlocked,
  result,
  withOperation,
} from './common.ts'

export interface KubernetesRequest {
  readonly id: Id
  readonly stateOf: ClusterStateOf
  /** What was seen to be there; empty when nothing was. */
  readonly actual: KubernetesIntent
  /** Undefined: nothing was said about draining. */
  readonly rotatorConfig: KubernetesChange['rotatorConfig']
  /** Ends the names of new node groups. */
  readonly suffix: string
}

export interface UpgradeCluster extends KubernetesRequest {
  readonly wanted: Pick<KubernetesChange, 'version' | 'ami' | 'maxPodsPerNode' | 'kmsKeyId'>
}

/** Another version, image or limit. What runs already is no change. An imported cluster is upgraded by whoever runs it. */
export function upgradeCluster(input: UpgradeCluster): Transaction<Cluster> {
  return kubernetesTransaction(input, 'upgrade', 'Upgrade', ({ spec }) => {
    if (spec.provisioner === 'external') return NOTHING
    const wanted = withoutUndefined(input.wanted)
    const change = different(wanted, input.actual)
    if (spec.provisioner !== 'eks' || Object.keys(change).length === 0) return { change, wanted }
    // EKS node groups are replaced, never changed.
    const types = Object.keys(input.actual.nodeGroups ?? {})
    if (types.length === 0) return { change, wanted }
    const nodeGroups = Object.fromEntries(types.map((type) => [type, renamed(type, input)]))
    return { change: { ...change, nodeGroups }, wanted: { ...wanted, nodeGroups } }
  })
}

export interface ResizeCluster extends KubernetesRequest {
  readonly wanted: Pick<
    KubernetesChange,
    'masterInstanceType' | 'nodeInstanceType' | 'nodeMinCount' | 'nodeMaxCount'
  >
  /** EKS: which groups; may be left out when there is one. */
  readonly nodeGroups: readonly string[]
}

export function resizeCluster(input: ResizeCluster): Transaction<Cluster> {
  return kubernetesTransaction(input, 'resize', 'Resize', (before) => {
    if (before.spec.provisioner === 'external') return NOTHING
    return before.spec.provisioner === 'eks' ? resizedGroups(before, input) : resizedKops(before, input)
  })
}

function resizedKops({ spec }: Cluster, { wanted, actual }: ResizeCluster): Asked {
  const { nodeMinCount, nodeMaxCount } = { ...spec.kubernetes, ...actual }
  requireOrder(wanted.nodeMinCount ?? nodeMinCount, wanted.nodeMaxCount ?? nodeMaxCount)
  return { change: different(wanted, actual), wanted: withoutUndefined(wanted) }
}

function resizedGroups({ metadata }: Cluster, input: ResizeCluster): Asked {
  const { wanted, actual } = input
  const present = actual.nodeGroups ?? {}
  const types = Object.keys(present)
  if (types.length === 0)
    throw new FleetError(
      'invalid-state',
      `No node group of cluster ${metadata.name} is known yet; try again later.`,
    )
  if (wanted.masterInstanceType !== undefined)
    throw invalid('/master-instance-type', 'cannot be set for eks, which runs the masters itself')
  if (input.nodeGroups.length === 0 && types.length > 1)
    throw invalid('/nodeGroups', `must name node groups of ${types.join(', ')}`)
  const chosen = input.nodeGroups.length === 0 ? types : input.nodeGroups
  const groups = chosen.map((type, at) => {
    const group = present[type]
    if (group === undefined) throw invalid(`/nodeGroups/${at}`, `must be one of ${types.join(', ')}`)
    const minCount = wanted.nodeMinCount ?? group.minCount
    const maxCount = wanted.nodeMaxCount ?? group.maxCount
    requireOrder(minCount, maxCount)
    const next = different(
      { instanceType: wanted.nodeInstanceType, minCount: wanted.nodeMinCount, maxCount: wanted.nodeMaxCount },
      group,
    )
    return [type, next] as const
  })
  const changed = groups.filter(([, next]) => Object.keys(next).length > 0)
  if (changed.length === 0) return NOTHING
  return whole({
    nodeGroups: Object.fromEntries(
      changed.map(([type, next]) => [type, { ...renamed(type, input), ...next }]),
    ),
  })
}

export interface CreateNodeGroups extends KubernetesRequest {
  readonly nodeGroups: Readonly<Record<string, Omit<NodeGroup, 'name'>>>
}

/** @throws FleetError (in the transaction) `invalid-state` for clusters other than EKS, `name-taken` */
export function createNodeGroups(input: CreateNodeGroups): Transaction<Cluster> {
  return kubernetesTransaction(input, 'nodegroups-creation', 'Add node groups to', (before) => {
    const present = { ...before.spec.kubernetes?.nodeGroups, ...input.actual.nodeGroups }
    const taken = Object.keys(input.nodeGroups).find((type) => present[type] !== undefined)
    if (taken !== undefined)
      throw invalid(`/nodegroups/${taken}`, 'must have a name that no node group of the cluster has')
    const added = Object.entries(input.nodeGroups).map(([type, group]) => [
      type,
      { ...renamed(type, input), ...group },
    ])
    return whole({ nodeGroups: Object.fromEntries(added) })
  })
}

export function deleteNodeGroup(input: KubernetesRequest & { readonly type: string }): Transaction<Cluster> {
  return (fleet, context) => {
    const before = requireCluster(fleet, input.id)
    requireUnlocked(before)
    requireEks(before)
    requireState(before, 'nodegroups-deletion', input.stateOf)
    const { type } = input
    const { nodeGroups = {}, ...rest } = before.spec.kubernetes ?? {}
    const present = { ...nodeGroups, ...input.actual.nodeGroups }
    const group = present[type]
    if (group === undefined)
      throw new FleetError('invalid-state', `Cluster ${before.metadata.name} has no node group ${type}.`)
    if (type === 'worker')
      throw new FleetError(
        'invalid-state',
        'The node group worker carries the installations and cannot be deleted.',
      )
    const { [type]: _, ...left } = nodeGroups
    const after = withOperation(before, 'nodegroups-deletion', context.now, {
      kubernetes: { ...rest, nodeGroups: left },
      change: { nodeGroups: { [type]: group } },
    })
    return result(after, before, `Delete node group ${type} of cluster ${before.metadata.name}`, '')
  }
}

interface Asked {
  /** What is not as it was seen to be. */
  readonly change: KubernetesIntent
  /** What becomes part of all that is wanted. */
  readonly wanted: KubernetesIntent
}

const NOTHING: Asked = { change: {}, wanted: {} }

function whole(change: KubernetesIntent): Asked {
  return { change, wanted: change }
}

/** What they share: checks in the order of the original, the sum in `kubernetes`, the request in `change`. */
function kubernetesTransaction(
  input: KubernetesRequest,
  operation: ClusterOperation,
  verb: string,
  askedOf: (before: Cluster) => Asked,
): Transaction<Cluster> {
  return (fleet, context) => {
    const before = requireCluster(fleet, input.id)
    requireUnlocked(before)
    if (operation === 'nodegroups-creation') requireEks(before)
    requireState(before, operation, input.stateOf)
    const { change, wanted } = askedOf(before)
    const subject = `${verb} cluster ${before.metadata.name}`
    const present = before.spec.kubernetes ?? {}
    const kubernetes = merged(present, wanted)
    const nothing = Object.keys(change).length === 0
    if (nothing && isDeepStrictEqual(kubernetes, present)) return result(before, before, subject, '')
    const after = withOperation(before, operation, context.now, {
      kubernetes,
      change: nothing ? without(before.spec.change ?? {}, wanted) : withRotator(before, change, input),
    })
    return result(after, before, subject, describe(present, kubernetes))
  }
}

function withRotator(
  { spec }: Cluster,
  change: KubernetesIntent,
  { rotatorConfig }: KubernetesRequest,
): KubernetesChange {
  return spec.provisioner === 'kops' ? { ...change, rotatorConfig: rotatorConfig ?? null } : change
}

/** Fields that are asked for and are not as they are. */
function different<Fields extends object>(wanted: Fields, actual: Partial<Fields>): Partial<Fields> {
  const entries = Object.entries(wanted) as [keyof Fields, Fields[keyof Fields]][]
  const changed = entries.filter(([key, value]) => value !== undefined && value !== actual[key])
  // Some of the fields of an object of that type.
  return Object.fromEntries(changed) as Partial<Fields>
}

function merged(base: KubernetesIntent, change: KubernetesIntent): KubernetesIntent {
  if (change.nodeGroups === undefined) return { ...base, ...change }
  const nodeGroups: Record<string, NodeGroupChange> = { ...base.nodeGroups }
  for (const [type, group] of Object.entries(change.nodeGroups))
    nodeGroups[type] = { ...nodeGroups[type], ...group }
  return { ...base, ...change, nodeGroups }
}

/** What is wanted as it is seen to be is no longer asked for. */
function without(change: KubernetesChange, settled: KubernetesIntent): KubernetesChange {
  return Object.fromEntries(Object.entries(change).filter(([key]) => !(key in settled)))
}

function withoutUndefined(intent: KubernetesIntent): KubernetesIntent {
  return Object.fromEntries(Object.entries(intent).filter(([, value]) => value !== undefined))
}

function renamed(type: string, { suffix }: KubernetesRequest): { readonly name: string } {
  return { name: `${type}-${suffix}` }
}

/** @throws FleetError `invalid-request` */
function requireOrder(fewest: number | undefined, most: number | undefined): void {
  if (fewest !== undefined && most !== undefined && fewest > most)
    throw invalid('/node-max-count', `must be ${fewest} or more, the fewest nodes`)
}

function requireEks({ metadata, spec }: Cluster): void {
  if (spec.provisioner !== 'eks')
    throw new FleetError(
      'invalid-state',
      `Cluster ${metadata.name} is of ${spec.provisioner}; only clusters of eks have node groups.`,
    )
}

function invalid(pointer: string, detail: string): FleetError {
  return new FleetError('invalid-request', `${pointer.slice(1)} ${detail}.`, {
    errors: [{ pointer, detail }],
  })
}

function describe(before: KubernetesIntent, after: KubernetesIntent): string {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])] as (keyof KubernetesIntent)[]
  return keys
    .map((key) => changeLine(key, before[key], after[key]))
    .filter((line) => line !== undefined)
    .join('\n')
}
