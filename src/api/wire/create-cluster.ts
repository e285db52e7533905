/** A request for a new cluster in the cloud: validation and the committed intent; the cloud resources follow from it. */
import { requireNewAnnotations } from '../../fleet/annotations.ts'
import type { Cluster, KubernetesIntent } from '../../fleet/intents.ts'
import { addCluster } from '../../fleet/transactions/clusters/clusters.ts'
import type { HandlerContext, Parts } from '../context.ts'
import { type Answer, json } from '../routes.ts'
import { type Decoded, flag, integer, list, map, object, text } from '../shapes.ts'
import { clusterView } from '../views/cluster.ts'
import {
  checkPgbouncer,
  NODE_GROUP,
  PGBOUNCER,
  PGBOUNCER_DEFAULTS,
  pgbouncerOf,
  VERSION,
} from './cluster-values.ts'
import { type Need, requireValid } from './need.ts'
import { checkUtilities, givenUtilities, UTILITY_VERSIONS, usualUtilities } from './utility-versions.ts'
import { newId } from './values.ts'

export const CREATE_CLUSTER = object({
  provider: text(),
  provisioner: text(),
  version: text(),
  zones: list(text()),
  ami: text(),
  'master-instance-type': text(),
  'master-count': integer(),
  'node-instance-type': text(),
  'node-min-count': integer(),
  'node-max-count': integer(),
  'max-pods-per-node': integer(),
  networking: text(),
  vpc: text(),
  'cluster-role-arn': text(),
  'node-role-arn': text(),
  'kms-key-id': text(),
  'additional-node-groups': map(NODE_GROUP),
  'nodegroup-with-public-subnet': list(text()),
  'nodegroup-with-sg': list(text()),
  'allow-installations': flag(),
  'api-security-lock': flag(),
  annotations: list(text()),
  'utility-versions': UTILITY_VERSIONS,
  'pgbouncer-config': PGBOUNCER,
})
type Body = Decoded<typeof CREATE_CLUSTER>

const NETWORKING = ['amazon-vpc-routed-eni', 'amazonvpc', 'weave', 'canal', 'calico']

export async function createClusterHandler(parts: Parts, context: HandlerContext): Promise<Answer> {
  const body = context.decode(CREATE_CLUSTER)
  requireValid((need) => check(body, need))
  const annotations = requireNewAnnotations(body.annotations ?? [], '/annotations')
  const id = newId(parts.randomness)
  const transaction = addCluster({
    id,
    name: '',
    annotations,
    usualUtilities: usualUtilities(body['utility-versions']),
    spec: specOf(body, newId(parts.randomness).slice(0, 6)),
  })
  return await context.submit({ transaction, answer: (cluster) => json(202, clusterView(parts, cluster)) })
}

function isEks(body: Body): boolean {
  return body.provisioner === 'eks'
}

function check(body: Body, need: Need): void {
  need(['', 'aws'].includes(body.provider ?? ''), '/provider', 'must be aws')
  need(['', 'kops', 'eks'].includes(body.provisioner ?? ''), '/provisioner', 'must be kops or eks')
  need(!body.version || VERSION.test(body.version), '/version', 'must be a Kubernetes version or latest')
  need(
    !body.networking || NETWORKING.includes(body.networking),
    '/networking',
    `must be one of ${NETWORKING.join(', ')}`,
  )
  need((body['max-pods-per-node'] || 200) >= 10, '/max-pods-per-node', 'must be 10 or more')
  need((body['master-count'] ?? 1) >= 1, '/master-count', 'must be 1 or more')
  const fewest = body['node-min-count'] || 2
  need(fewest >= 1, '/node-min-count', 'must be 1 or more')
  need(
    (body['node-max-count'] || fewest) === fewest,
    '/node-max-count',
    'must equal node-min-count when a cluster is created',
  )
  checkPgbouncer(body['pgbouncer-config'], need)
  checkUtilities(body['utility-versions'], need)
  if (isEks(body)) checkEks(body, need)
}

function checkEks(body: Body, need: Need): void {
  for (const field of ['ami', 'cluster-role-arn', 'node-role-arn'] as const)
    need(Boolean(body[field]), `/${field}`, 'must be given for eks')
  need((body.zones ?? ['', '']).length >= 2, '/zones', 'must have two zones or more for eks')
  const groups = body['additional-node-groups'] ?? {}
  need(groups.worker === undefined, '/additional-node-groups/worker', 'must have another name')
  for (const field of ['nodegroup-with-public-subnet', 'nodegroup-with-sg'] as const)
    for (const name of body[field] ?? [])
      need(
        name === 'worker' || groups[name] !== undefined,
        `/${field}`,
        `must name known node groups, not ${name}`,
      )
}

function specOf(body: Body, suffix: string): Omit<Cluster['spec'], 'operation' | 'templateSet'> {
  const kubernetes = isEks(body) ? eksChange(body, suffix) : kopsChange(body)
  return {
    provider: 'aws',
    provisioner: isEks(body) ? 'eks' : 'kops',
    zones: body.zones ?? (isEks(body) ? ['us-east-1a', 'us-east-1b'] : ['us-east-1a']),
    kubernetes,
    change: kubernetes,
    utilities: givenUtilities(body['utility-versions']),
    pgbouncer: { ...PGBOUNCER_DEFAULTS, ...pgbouncerOf(body['pgbouncer-config']) },
    allowInstallations: body['allow-installations'] ?? false,
    ...(body['api-security-lock'] === true ? { apiLocked: true } : {}),
  }
}

function kopsChange(body: Body): KubernetesIntent {
  const nodes = body['node-min-count'] || 2
  return {
    version: body.version || 'latest',
    masterInstanceType: body['master-instance-type'] || 't3.medium',
    masterCount: body['master-count'] || 1,
    nodeInstanceType: body['node-instance-type'] || 'm5.large',
    nodeMinCount: nodes,
    nodeMaxCount: nodes,
    maxPodsPerNode: body['max-pods-per-node'] || 200,
    networking: body.networking || 'calico',
    ...optional(body),
  }
}

function optional(body: Body): KubernetesIntent {
  return {
    ...(body.ami ? { ami: body.ami } : {}),
    ...(body['kms-key-id'] ? { kmsKeyId: body['kms-key-id'] } : {}),
    ...(body.vpc ? { vpc: body.vpc } : {}),
  }
}

function eksChange(body: Body, suffix: string): KubernetesIntent {
  const nodes = body['node-min-count'] || 2
  const instanceType = body['node-instance-type'] || 'm5.large'
  const groups = {
    worker: { InstanceType: instanceType, MinCount: nodes, MaxCount: nodes },
    ...body['additional-node-groups'],
  }
  const nodeGroups = Object.entries(groups).map(([type, group]) => {
    const minCount = group.MinCount || nodes
    return [
      type,
      {
        name: `${type}-${suffix}`,
        instanceType: group.InstanceType || instanceType,
        minCount,
        maxCount: group.MaxCount || minCount,
        ...(body['nodegroup-with-public-subnet']?.includes(type) ? { publicSubnet: true } : {}),
        ...(body['nodegroup-with-sg']?.includes(type) ? { securityGroup: true } : {}),
      },
    ] as const
  })
  return {
    version: body.version || '1.23',
    maxPodsPerNode: body['max-pods-per-node'] || 200,
    clusterRoleArn: body['cluster-role-arn'] ?? '',
    nodeRoleArn: body['node-role-arn'] ?? '',
    nodeGroups: Object.fromEntries(nodeGroups),
    ...optional(body),
  }
}
