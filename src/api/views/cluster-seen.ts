/** What was observed of a cluster, in the words of the intents. */
import type { JsonObject, JsonValue, KubernetesIntent, NodeGroup } from '../../fleet/intents.ts'
import { clusterState } from '../../fleet/state.ts'
import type { ClusterStateOf } from '../../fleet/transactions/clusters/common.ts'
import type { Observation } from '../../ports/observations.ts'
import type { Parts } from '../context.ts'

/** State of a cluster from what was observed. */
export function clusterStateOf({ observations }: Pick<Parts, 'observations'>): ClusterStateOf {
  return (cluster) => clusterState(cluster, observations.get('cluster', cluster.metadata.id))
}

/** What runs, as far as it is known. */
export function actualKubernetes(seen: Observation | undefined): KubernetesIntent {
  const { metadata } = seen ?? {}
  if (metadata === undefined) return {}
  const text = (name: string): string | undefined => textOf(metadata[name])
  const number = (name: string): number | undefined => numberOf(metadata[name])
  const groups = isObject(metadata.NodeGroups) ? Object.entries(metadata.NodeGroups).flatMap(groupOf) : []
  const all = {
    version: text('Version'),
    ami: text('AMI'),
    maxPodsPerNode: number('MaxPodsPerNode'),
    kmsKeyId: text('KmsKeyId'),
    masterInstanceType: text('MasterInstanceType'),
    masterCount: number('MasterCount'),
    nodeInstanceType: text('NodeInstanceType'),
    nodeMinCount: number('NodeMinCount'),
    nodeMaxCount: number('NodeMaxCount'),
    nodeGroups: groups.length === 0 ? undefined : Object.fromEntries(groups),
  }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
}

function groupOf([type, value]: [string, JsonValue]): readonly (readonly [string, NodeGroup])[] {
  if (!isObject(value)) return []
  const group: NodeGroup = {
    name: textOf(value.Name) ?? '',
    instanceType: textOf(value.InstanceType) ?? '',
    minCount: numberOf(value.MinCount) ?? 0,
    maxCount: numberOf(value.MaxCount) ?? 0,
  }
  return [[type, group]]
}

/** Blank is what the API says of what is not known. */
function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' && value !== 0 ? value : undefined
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
