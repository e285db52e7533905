/** Requests that change Kubernetes and the machines of a cluster. */
import type { Cluster } from '../../fleet/intents.ts'
import {
  createNodeGroups,
  deleteNodeGroup,
  type KubernetesRequest,
  resizeCluster,
  upgradeCluster,
} from '../../fleet/transactions/clusters/kubernetes.ts'
import type { HandlerContext, Parts } from '../context.ts'
import { type Answer, json } from '../routes.ts'
import { type Decoded, integer, list, map, object, text } from '../shapes.ts'
import { actualKubernetes, clusterStateOf } from '../views/cluster-seen.ts'
import { clusterView } from '../views/cluster.ts'
import { changeCluster } from './change-cluster.ts'
import { checkRotator, NODE_GROUP, ROTATOR, VERSION } from './cluster-values.ts'
import { type Need, requireValid } from './need.ts'
import { newId } from './values.ts'

export const UPGRADE = object({
  version: text(),
  ami: text(),
  MaxPodsPerNode: integer(),
  kmsKeyId: text(),
  rotatorConfig: ROTATOR,
})
export const RESIZE = object({
  'node-instance-type': text(),
  'node-min-count': integer(),
  'node-max-count': integer(),
  'master-instance-type': text(),
  nodeGroups: list(text()),
  rotatorConfig: ROTATOR,
})
export const NODE_GROUPS = object({
  nodegroups: map(NODE_GROUP),
  'nodegroup-with-public-subnet': list(text()),
  'nodegroup-with-sg': list(text()),
})
const KMS_KEY = /^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[0-9a-f-]{36}$/

function requestOf(
  parts: Parts,
  context: HandlerContext,
): Omit<KubernetesRequest, 'rotatorConfig'> & { readonly rotatorConfig: undefined } {
  return {
    id: context.id(),
    stateOf: clusterStateOf(parts),
    actual: actualKubernetes(parts.observations.get('cluster', context.id())),
    rotatorConfig: undefined,
    suffix: newId(parts.randomness).slice(0, 6),
  }
}

export async function upgradeHandler(parts: Parts, context: HandlerContext): Promise<Answer> {
  const body = context.decode(UPGRADE)
  requireValid((need) => {
    need(
      body.version === undefined || VERSION.test(body.version),
      '/version',
      'must be a Kubernetes version or latest',
    )
    need((body.MaxPodsPerNode ?? 10) >= 10, '/MaxPodsPerNode', 'must be 10 or more')
    need(
      body.kmsKeyId === undefined || KMS_KEY.test(body.kmsKeyId),
      '/kmsKeyId',
      'must be the ARN of a KMS key',
    )
    checkRotator(body.rotatorConfig, need)
  })
  const transaction = upgradeCluster({
    ...requestOf(parts, context),
    rotatorConfig: body.rotatorConfig,
    wanted: {
      ...(body.version === undefined ? {} : { version: body.version }),
      ...(body.ami === undefined ? {} : { ami: body.ami }),
      ...(body.MaxPodsPerNode === undefined ? {} : { maxPodsPerNode: body.MaxPodsPerNode }),
      ...(body.kmsKeyId === undefined ? {} : { kmsKeyId: body.kmsKeyId }),
    },
  })
  return await changeCluster(parts, context, transaction, rotated(parts))
}

export async function resizeHandler(parts: Parts, context: HandlerContext): Promise<Answer> {
  const body = context.decode(RESIZE)
  requireValid((need) => checkResize(body, need))
  const { 'node-min-count': fewest, 'node-max-count': most } = body
  const { 'node-instance-type': nodeType, 'master-instance-type': masterType } = body
  const transaction = resizeCluster({
    ...requestOf(parts, context),
    rotatorConfig: body.rotatorConfig,
    nodeGroups: body.nodeGroups ?? [],
    wanted: {
      ...(masterType === undefined ? {} : { masterInstanceType: masterType }),
      ...(nodeType === undefined ? {} : { nodeInstanceType: nodeType }),
      ...(fewest === undefined ? {} : { nodeMinCount: fewest }),
      ...(most === undefined ? {} : { nodeMaxCount: most }),
    },
  })
  return await changeCluster(parts, context, transaction, rotated(parts))
}

function checkResize(body: Decoded<typeof RESIZE>, need: Need): void {
  for (const field of ['node-instance-type', 'master-instance-type'] as const)
    need(body[field] !== '', `/${field}`, 'must not be empty')
  const fewest = body['node-min-count']
  need((fewest ?? 1) >= 1, '/node-min-count', 'must be 1 or more')
  need(
    (body['node-max-count'] ?? fewest ?? 1) >= (fewest ?? 1),
    '/node-max-count',
    'must be node-min-count or more',
  )
  checkRotator(body.rotatorConfig, need)
}

/** The original shows how nodes would be drained even when nothing had to be changed. */
function rotated(parts: Parts): (cluster: Cluster) => Answer {
  return (cluster) => json(202, clusterView(parts, cluster, { withRotator: true }))
}

export async function createNodeGroupsHandler(parts: Parts, context: HandlerContext): Promise<Answer> {
  const body = context.decode(NODE_GROUPS)
  const given = Object.entries(body.nodegroups ?? {})
  const { 'nodegroup-with-public-subnet': publicSubnets = [], 'nodegroup-with-sg': securityGroups = [] } =
    body
  requireValid((need) => {
    need(given.length > 0, '/nodegroups', 'must have at least one node group')
    for (const [field, names] of [
      ['nodegroup-with-public-subnet', publicSubnets],
      ['nodegroup-with-sg', securityGroups],
    ] as const)
      for (const name of names)
        need(
          body.nodegroups?.[name] !== undefined,
          `/${field}`,
          `must name node groups of the request, not ${name}`,
        )
    for (const [name, group] of given)
      need(
        (group.MaxCount || group.MinCount || 2) >= (group.MinCount || 2),
        `/nodegroups/${name}/MaxCount`,
        'must be MinCount or more',
      )
  })
  const nodeGroups = given.map(([type, group]) => {
    const minCount = group.MinCount || 2
    return [
      type,
      {
        instanceType: group.InstanceType || 'm5.large',
        minCount,
        maxCount: group.MaxCount || minCount,
        ...(publicSubnets.includes(type) ? { publicSubnet: true } : {}),
        ...(securityGroups.includes(type) ? { securityGroup: true } : {}),
      },
    ] as const
  })
  const transaction = createNodeGroups({
    ...requestOf(parts, context),
    nodeGroups: Object.fromEntries(nodeGroups),
  })
  return await changeCluster(parts, context, transaction)
}

export async function deleteNodeGroupHandler(parts: Parts, context: HandlerContext): Promise<Answer> {
  const transaction = deleteNodeGroup({ ...requestOf(parts, context), type: context.param('nodegroup') })
  return await changeCluster(parts, context, transaction)
}
