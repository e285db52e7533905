/** Operations on clusters: what is asked for becomes intent; engines and loops make it so. */
import { requireCluster } from '../../fleet/transactions/clusters/common.ts'
import { deleteCluster, provisionCluster, retryCluster } from '../../fleet/transactions/clusters/lifecycle.ts'
import { UTILITIES } from '../../fleet/utilities.ts'
import type { HandlerContext, Parts } from '../context.ts'
import { requireFree } from '../leases.ts'
import { type Answer, empty, type Route } from '../routes.ts'
import { flag, object } from '../shapes.ts'
import { clusterStateOf } from '../views/cluster-seen.ts'
import { schemaOf } from '../views/schemas.ts'
import { changeCluster } from './change-cluster.ts'
import {
  createNodeGroupsHandler,
  deleteNodeGroupHandler,
  NODE_GROUPS,
  RESIZE,
  resizeHandler,
  UPGRADE,
  upgradeHandler,
} from './cluster-kubernetes.ts'
import { checkPgbouncer, PGBOUNCER, PGBOUNCER_DEFAULTS, pgbouncerOf } from './cluster-values.ts'
import { requireValid } from './need.ts'
import { checkUtilities, UTILITY_VERSIONS } from './utility-versions.ts'

const PROVISION = object({
  force: flag('Applies again what runs'),
  'utility-versions': UTILITY_VERSIONS,
  'pgbouncer-config': PGBOUNCER,
})
const CLUSTER = { description: 'The cluster', schema: schemaOf('Cluster') }

export function clusterOperationRoutes(parts: Parts, replay: NonNullable<Route['replay']>): readonly Route[] {
  const wire = { wire: true, role: 'writer', responses: { 202: CLUSTER } } as const
  return [
    {
      ...wire,
      method: 'POST',
      path: '/api/cluster/{id}',
      operationId: 'retryClusterCreation',
      summary: 'Retry the creation of a cluster',
      replay,
      handler: (context) =>
        changeCluster(parts, context, retryCluster({ id: context.id(), stateOf: clusterStateOf(parts) })),
    },
    {
      ...wire,
      method: 'DELETE',
      path: '/api/cluster/{id}',
      operationId: 'deleteCluster',
      summary: 'Delete a cluster',
      responses: { 202: { description: 'Accepted', schema: null } },
      async handler(context) {
        requireCluster(parts.writer.fleet, context.id())
        requireFree(parts.leases, 'cluster', context.id(), 'scheduling')
        const transaction = deleteCluster({ id: context.id(), stateOf: clusterStateOf(parts) })
        return await changeCluster(parts, context, transaction, () => empty(202))
      },
    },
    {
      ...wire,
      method: 'POST',
      path: '/api/cluster/{id}/provision',
      operationId: 'provisionCluster',
      summary: 'Provision the utilities of a cluster again',
      request: PROVISION,
      replay,
      handler: (context) => provision(parts, context),
    },
    {
      ...wire,
      method: 'PUT',
      path: '/api/cluster/{id}/kubernetes',
      operationId: 'upgradeCluster',
      summary: 'Upgrade the Kubernetes of a cluster',
      request: UPGRADE,
      handler: (context) => upgradeHandler(parts, context),
    },
    {
      ...wire,
      method: 'PUT',
      path: '/api/cluster/{id}/size',
      operationId: 'resizeCluster',
      summary: 'Resize a cluster',
      request: RESIZE,
      handler: (context) => resizeHandler(parts, context),
    },
    {
      ...wire,
      method: 'POST',
      path: '/api/cluster/{id}/nodegroups',
      operationId: 'createNodegroups',
      summary: 'Create node groups',
      request: NODE_GROUPS,
      replay,
      handler: (context) => createNodeGroupsHandler(parts, context),
    },
    {
      ...wire,
      method: 'DELETE',
      path: '/api/cluster/{id}/nodegroup/{nodegroup}',
      operationId: 'deleteNodegroup',
      summary: 'Delete a node group',
      handler: (context) => deleteNodeGroupHandler(parts, context),
    },
  ]
}

async function provision(parts: Parts, context: HandlerContext): Promise<Answer> {
  const body = context.decode(PROVISION)
  const given = body['utility-versions']
  requireValid((need) => {
    checkPgbouncer(body['pgbouncer-config'], need)
    checkUtilities(given, need)
    for (const name of Object.keys(given ?? {}))
      need(
        UTILITIES.some((utility) => utility.name === name),
        `/utility-versions/${name}`,
        `must be one of ${UTILITIES.map((utility) => utility.name).join(', ')}`,
      )
  })
  const asked = Object.entries(given ?? {}).map(([name, utility]) => {
    return [name, { chart: utility.Chart ?? '', valuesPath: utility.ValuesPath ?? '' }] as const
  })
  const transaction = provisionCluster({
    id: context.id(),
    stateOf: clusterStateOf(parts),
    utilities: given === undefined ? undefined : Object.fromEntries(asked),
    pgbouncer: pgbouncerOf(body['pgbouncer-config']),
    defaults: PGBOUNCER_DEFAULTS,
    reapply:
      body.force === true ? (parts.observations.get('cluster', context.id())?.utilities ?? {}) : undefined,
  })
  return await changeCluster(parts, context, transaction)
}
