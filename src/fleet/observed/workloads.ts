/** Pods and Deployments of an installation, counted; nodes of a cluster, added up. */
import type { JsonObject } from '../intents.ts'
import { conditionsOf, isJsonObject, listAt, numberAt, objectAt, pick, textAt } from './json.ts'
import { keepMetadata, type LiveObject } from './objects.ts'
import type { PodSight } from './sight.ts'

const MOST_PROBLEMS = 5

export function keepPod({ apiVersion, kind, metadata, spec, status }: LiveObject): LiveObject {
  const waiting = [...listAt(status, 'initContainerStatuses'), ...listAt(status, 'containerStatuses')]
    .filter(isJsonObject)
    .map((container) => ({
      ready: container.ready ?? false,
      started: container.started ?? false,
      restartCount: container.restartCount ?? 0,
      state: container.state ?? {},
    }))
  return {
    apiVersion,
    kind,
    metadata: {
      ...keepMetadata(metadata),
      ...(metadata.labels === undefined
        ? {}
        : { labels: pick(metadata.labels, ['app', 'installation.mattermost.com/installation']) }),
    },
    spec: pick(spec, ['nodeName']),
    status: { ...pick(status, ['phase', 'reason', 'conditions']), containers: waiting },
  }
}

/** @param wanted replicas that the deployment is to have */
export function podSight(pods: Iterable<LiveObject>, wanted: number): PodSight {
  let [total, running, started, ready] = [0, 0, 0, 0]
  const problems = new Map<string, { reason: string; message?: string; count: number }>()
  for (const pod of pods) {
    if (pod.metadata.deletionTimestamp !== undefined || textAt(pod.status, 'phase') === 'Succeeded') continue
    const problem = problemOf(pod)
    total += 1
    if (textAt(pod.status, 'phase') === 'Running') running += 1
    if (hasStarted(pod)) started += 1
    if (conditionsOf(pod.status)?.some(({ type, status }) => type === 'Ready' && status === 'True') === true)
      ready += 1
    else if (problem !== undefined) {
      const known = problems.get(problem.reason)
      problems.set(problem.reason, { ...problem, ...known, count: (known?.count ?? 0) + 1 })
    }
  }
  const worst = [...problems.values()].sort((a, b) => b.count - a.count || (a.reason < b.reason ? -1 : 1))
  return { wanted, total, running, started, ready, problems: worst.slice(0, MOST_PROBLEMS) }
}

/** Init containers that are done are not started any more. */
function hasStarted(pod: LiveObject): boolean {
  const containers = listAt(pod.status, 'containers').filter(isJsonObject)
  return (
    containers.length > 0 &&
    containers.every(
      (container) =>
        container.started === true || objectAt(objectAt(container, 'state'), 'terminated') !== undefined,
    )
  )
}

function problemOf(pod: LiveObject): { readonly reason: string; readonly message?: string } | undefined {
  for (const container of listAt(pod.status, 'containers').filter(isJsonObject)) {
    const state = objectAt(container, 'state')
    const stopped = objectAt(state, 'waiting') ?? objectAt(state, 'terminated')
    const reason = textAt(stopped, 'reason')
    if (
      reason !== undefined &&
      reason !== 'Completed' &&
      reason !== 'ContainerCreating' &&
      reason !== 'PodInitializing'
    )
      return withMessage(reason, stopped)
  }
  const scheduled = conditionsOf(pod.status)?.find(({ type }) => type === 'PodScheduled')
  if (scheduled?.status === 'False')
    return { reason: scheduled.reason || 'NotScheduled', message: scheduled.message }
  const reason = textAt(pod.status, 'reason')
  return reason === undefined ? undefined : { reason }
}

function withMessage(
  reason: string,
  state: JsonObject | undefined,
): { readonly reason: string; readonly message?: string } {
  const message = textAt(state, 'message')
  return message === undefined ? { reason } : { reason, message }
}

export function keepDeployment({ apiVersion, kind, metadata, spec, status }: LiveObject): LiveObject {
  return {
    apiVersion,
    kind,
    metadata: keepMetadata(metadata),
    spec: pick(spec, ['replicas']),
    status: pick(status, [
      'observedGeneration',
      'replicas',
      'updatedReplicas',
      'readyReplicas',
      'availableReplicas',
      'conditions',
    ]),
  }
}

/** What is free on a cluster, for placement and people. */
export interface NodeCapacity {
  readonly nodes: number
  readonly ready: number
  readonly pods: number
}

export function nodeCapacity(nodes: Iterable<LiveObject>): NodeCapacity {
  let count = 0
  let ready = 0
  let pods = 0
  for (const { status } of nodes) {
    count += 1
    if (
      conditionsOf(status)?.some((condition) => condition.type === 'Ready' && condition.status === 'True') !==
      true
    )
      continue
    ready += 1
    const allocatable = objectAt(status, 'allocatable')
    pods += Number(textAt(allocatable, 'pods') ?? numberAt(allocatable, 'pods') ?? 0)
  }
  return { nodes: count, ready, pods }
}

export function keepNode({ apiVersion, kind, metadata, spec, status }: LiveObject): LiveObject {
  return {
    apiVersion,
    kind,
    metadata: keepMetadata(metadata),
    spec: pick(spec, ['unschedulable']),
    status: {
      ...pick(status, ['allocatable']),
      conditions: listAt(status, 'conditions').filter(
        (condition) => isJsonObject(condition) && condition.type === 'Ready',
      ),
    },
  }
}
