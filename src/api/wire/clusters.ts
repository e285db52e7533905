/** Clusters, as the original's API has them: import, read, change, annotate. */
import { requireAnnotationNames } from '../../fleet/annotations.ts'
import { FleetError } from '../../fleet/errors.ts'
import { isId } from '../../fleet/ids.ts'
import type { Cluster } from '../../fleet/intents.ts'
import { annotateCluster, updateCluster } from '../../fleet/transactions/clusters/clusters.ts'
import type { HandlerContext, Parts } from '../context.ts'
import { PAGING_QUERY, pageOf, readPaging } from '../query.ts'
import { type Answer, empty, json, type Route } from '../routes.ts'
import { flag, list, object, text } from '../shapes.ts'
import { clusterView, utilitiesView } from '../views/cluster.ts'
import { listOf, schemaOf } from '../views/schemas.ts'
import { changeCluster } from './change-cluster.ts'
import { clusterOperationRoutes } from './cluster-operations.ts'
import { CREATE_CLUSTER, createClusterHandler } from './create-cluster.ts'
import { IMPORT_CLUSTER, importClusterHandler } from './import-cluster.ts'

const UPDATE = object({ Name: text(), AllowInstallations: flag() })
const ANNOTATIONS = object({ annotations: list(text()) })
const CLUSTER = { description: 'The cluster', schema: schemaOf('Cluster') }

export function clusterRoutes(parts: Parts): readonly Route[] {
  const wire = { wire: true, role: 'writer' } as const
  return [
    ...clusterOperationRoutes(parts, replayed(parts, 202)),
    {
      ...wire,
      method: 'GET',
      path: '/api/clusters',
      operationId: 'listClusters',
      summary: 'List clusters',
      role: 'reader',
      query: PAGING_QUERY,
      responses: { 200: { description: 'Clusters', schema: listOf('Cluster') } },
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
      replay: replayed(parts, 202),
      handler: (context) => createClusterHandler(parts, context),
    },
    {
      ...wire,
      method: 'POST',
      path: '/api/clusters/import',
      operationId: 'importCluster',
      summary: 'Import a cluster that runs already',
      request: IMPORT_CLUSTER,
      responses: { 202: CLUSTER },
      handler: (context) => importClusterHandler(parts, context),
      replay: replayed(parts, 202),
    },
    {
      ...wire,
      method: 'GET',
      path: '/api/cluster/{id}',
      operationId: 'getCluster',
      summary: 'Get a cluster',
      role: 'reader',
      responses: { 200: CLUSTER },
      handler: async (context) => json(200, clusterView(parts, find(parts, context))),
    },
    {
      ...wire,
      method: 'GET',
      path: '/api/cluster/{id}/utilities',
      operationId: 'getClusterUtilities',
      summary: 'Versions of utilities that are wanted and that run',
      role: 'reader',
      responses: { 200: { description: 'Versions' } },
      async handler(context) {
        const cluster = find(parts, context)
        return json(
          200,
          utilitiesView(
            cluster,
            parts.writer.fleet.settings,
            parts.observations.get('cluster', context.id()),
          ),
        )
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
        return await changeCluster(parts, context, transaction, (cluster) =>
          json(202, clusterView(parts, cluster)),
        )
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
      replay: replayed(parts, 200),
      async handler(context) {
        const add = requireAnnotationNames(context.decode(ANNOTATIONS).annotations ?? [], '/annotations')
        return await changeCluster(parts, context, annotateCluster({ id: context.id(), add }), (cluster) =>
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
        changeCluster(
          parts,
          context,
          annotateCluster({ id: context.id(), remove: context.param('name') }),
          () => empty(204),
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

/** Deleted ones too. @throws FleetError `not-found` */
function find(parts: Parts, context: HandlerContext): Cluster {
  const cluster = parts.writer.fleet.clusterById(context.id())
  if (cluster === undefined) throw new FleetError('not-found', `There is no cluster ${context.id()}.`)
  return cluster
}

function replayed(parts: Parts, status: number): NonNullable<Route['replay']> {
  return (_context, { trailers }) => {
    const id = trailers.Cluster
    const cluster = id !== undefined && isId(id) ? parts.writer.fleet.clusterById(id) : undefined
    return cluster === undefined ? undefined : json(status, clusterView(parts, cluster))
  }
}
