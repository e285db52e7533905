/** Clusters, as the original's API has them: import, read, change, annotate. */
import { requireAnnotationNames } from '../../fleet/annotations.ts'
import { FleetError } from '../../fleet/errors.ts'
import { isId } from '../../fleet/ids.ts'
import type { Cluster } from '../../fleet/intents.ts'
import type { Transaction } from '../../fleet/transaction.ts'
import {
  addCluster,
  annotateCluster,
  requireCluster,
  updateCluster,
} from '../../fleet/transactions/clusters/clusters.ts'
import type { HandlerContext, Parts } from '../context.ts'
import { requireFree } from '../leases.ts'
import { PAGING_QUERY, pageOf, readPaging } from '../query.ts'
import { type Answer, empty, json, type Route } from '../routes.ts'
import { flag, list, object, text } from '../shapes.ts'
import { clusterView } from '../views/cluster.ts'
import { CREATE_CLUSTER, createClusterHandler } from './create-cluster.ts'
import { newId } from './values.ts'

const IMPORT = object({
  'external-cluster-secret-name': text('Name of the secret with the kubeconfig'),
  'vpc-id': text('VPC, when the cluster is on AWS'),
  annotations: list(text()),
  'allow-installations': flag(),
  'api-security-lock': flag(),
})
const UPDATE = object({ Name: text(), AllowInstallations: flag() })
const ANNOTATIONS = object({ annotations: list(text()) })
const CLUSTER = { description: 'The cluster' }

export function clusterRoutes(parts: Parts): readonly Route[] {
  const wire = { wire: true, role: 'writer' } as const
  return [
    {
      ...wire,
      method: 'GET',
      path: '/api/clusters',
      operationId: 'listClusters',
      summary: 'List clusters',
      role: 'reader',
      query: PAGING_QUERY,
      responses: { 200: { description: 'Clusters' } },
      handler: async ({ query }) => listClusters(parts, query),
    },
    {
      ...wire,
      method: 'POST',
      path: '/api/clusters',
      operationId: 'createCluster',
      summary: 'Create a cluster',
      request: CREATE_CLUSTER,
      responses: { 202: CLUSTER },
      replay: replayed(parts),
      handler: (context) => createClusterHandler(parts, context),
    },
    {
      ...wire,
      method: 'POST',
      path: '/api/clusters/import',
      operationId: 'importCluster',
      summary: 'Import a cluster that runs already',
      request: IMPORT,
      responses: { 202: CLUSTER },
      handler: (context) => importCluster(parts, context),
      replay: replayed(parts),
    },
    {
      ...wire,
      method: 'GET',
      path: '/api/cluster/{id}',
      operationId: 'getCluster',
      summary: 'Get a cluster',
      role: 'reader',
      responses: { 200: CLUSTER },
      async handler(context) {
        const cluster = parts.writer.fleet.clusterById(context.id())
        if (cluster === undefined) throw new FleetError('not-found', `There is no cluster ${context.id()}.`)
        return json(200, clusterView(parts, cluster))
      },
    },
    {
      ...wire,
      method: 'PUT',
      path: '/api/cluster/{id}',
      operationId: 'updateCluster',
      summary: 'Change a cluster',
      request: UPDATE,
      responses: { 202: CLUSTER },
      async handler(context) {
        const { Name: name, AllowInstallations: allowInstallations } = context.decode(UPDATE)
        const transaction = updateCluster({
          id: context.id(),
          ...(name === undefined ? {} : { name }),
          ...(allowInstallations === undefined ? {} : { allowInstallations }),
        })
        return await change(parts, context, transaction, (cluster) => json(202, clusterView(parts, cluster)))
      },
    },
    {
      ...wire,
      method: 'POST',
      path: '/api/cluster/{id}/annotations',
      operationId: 'annotateCluster',
      summary: 'Add annotations to a cluster',
      request: ANNOTATIONS,
      responses: { 200: CLUSTER },
      replay: replayed(parts),
      async handler(context) {
        const add = requireAnnotationNames(context.decode(ANNOTATIONS).annotations ?? [], '/annotations')
        return await change(parts, context, annotateCluster({ id: context.id(), add }), (cluster) =>
          json(200, clusterView(parts, cluster)),
        )
      },
    },
    {
      ...wire,
      method: 'DELETE',
      path: '/api/cluster/{id}/annotation/{name}',
      operationId: 'deleteClusterAnnotation',
      summary: 'Remove an annotation of a cluster',
      responses: { 204: { description: 'Removed', schema: null } },
      handler: (context) =>
        change(parts, context, annotateCluster({ id: context.id(), remove: context.param('name') }), () =>
          empty(204),
        ),
    },
  ]
}

function listClusters(parts: Parts, query: URLSearchParams): Answer {
  const paging = readPaging(query)
  const clusters = parts.writer.fleet
    .clusters()
    .filter(({ metadata }) => paging.includeDeleted || metadata.deletedAt === undefined)
  return json(
    200,
    pageOf(clusters, paging).map((cluster) => clusterView(parts, cluster)),
  )
}

async function importCluster(parts: Parts, context: HandlerContext): Promise<Answer> {
  const body = context.decode(IMPORT)
  const secretName = body['external-cluster-secret-name']
  if (secretName === undefined || secretName === '') {
    const error = {
      pointer: '/external-cluster-secret-name',
      detail: 'must name the secret with the kubeconfig',
    }
    throw new FleetError('invalid-request', `external-cluster-secret-name ${error.detail}.`, {
      errors: [error],
    })
  }
  const vpc = body['vpc-id']
  const transaction = addCluster({
    id: newId(parts.randomness),
    name: secretName,
    annotations: requireAnnotationNames(body.annotations ?? [], '/annotations'),
    spec: {
      provider: 'external',
      provisioner: 'external',
      credentialsSecret: secretName,
      allowInstallations: body['allow-installations'] ?? false,
      ...(vpc ? { vpc } : {}),
      ...(body['api-security-lock'] === true ? { apiLocked: true } : {}),
    },
  })
  return await context.submit({
    transaction,
    answer: (cluster) => json(202, { ...clusterView(parts, cluster), PgBouncerConfig: null }),
  })
}

async function change(
  parts: Parts,
  context: HandlerContext,
  transaction: Transaction<Cluster>,
  answer: (cluster: Cluster) => Answer,
): Promise<Answer> {
  requireCluster(parts.writer.fleet, context.id())
  requireFree(parts.leases, 'cluster', context.id())
  return await context.submit({ transaction, answer })
}

function replayed(parts: Parts): NonNullable<Route['replay']> {
  return (_context, { trailers }) => {
    const id = trailers.Cluster
    const cluster = id !== undefined && isId(id) ? parts.writer.fleet.clusterById(id) : undefined
    return cluster === undefined ? undefined : json(202, clusterView(parts, cluster))
  }
}
