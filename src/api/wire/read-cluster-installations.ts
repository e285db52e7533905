/** Deployments of installations on clusters. */
import { FleetError } from '../../fleet/errors.ts'
import { isId } from '../../fleet/ids.ts'
import type { Fleet } from '../../fleet/fleet.ts'
import type { ClusterInstallation, Installation } from '../../fleet/intents.ts'
import { clusterInstallationState } from '../../fleet/state.ts'
import type { HandlerContext, Parts } from '../context.ts'
import { PAGING_QUERY, pageOf, readPaging } from '../query.ts'
import { type Answer, json, type Route } from '../routes.ts'
import { lockView, milliseconds } from '../views/common.ts'
import { listOf, schemaOf } from '../views/schemas.ts'
import { clusterInstallationStatusRoute } from './cluster-installation-status.ts'

export function clusterInstallationReadRoutes(parts: Parts): readonly Route[] {
  const wire = { wire: true, role: 'reader', method: 'GET' } as const
  return [
    {
      ...wire,
      path: '/api/cluster_installations',
      operationId: 'listClusterInstallations',
      summary: 'List deployments of installations',
      query: {
        ...PAGING_QUERY,
        cluster: { description: 'On this cluster', schema: { type: 'string' } },
        installation: { description: 'Of this installation', schema: { type: 'string' } },
      },
      responses: { 200: { description: 'Deployments', schema: listOf('ClusterInstallation') } },
      handler: async ({ query }) => list(parts, query),
    },
    {
      ...wire,
      path: '/api/cluster_installation/{id}',
      operationId: 'getClusterInstallation',
      summary: 'Get a deployment of an installation',
      responses: { 200: { description: 'The deployment', schema: schemaOf('ClusterInstallation') } },
      handler: async (context) => get(parts, context),
    },
    clusterInstallationStatusRoute(parts),
  ]
}

interface Deployed {
  readonly installation: Installation
  readonly deployment: ClusterInstallation
}

function get(parts: Parts, context: HandlerContext): Answer {
  const { fleet } = parts.writer
  const installation =
    fleet.installationByDeployment(context.id()) ??
    fleet.tombstoneByDeployment(context.id())?.spec.installation
  const deployment = installation?.spec.clusterInstallations?.find(({ id }) => id === context.id())
  if (installation === undefined || deployment === undefined)
    throw new FleetError('not-found', `There is no cluster installation ${context.id()}.`)
  return json(200, viewOf(parts, { installation, deployment }))
}

function list(parts: Parts, query: URLSearchParams): Answer {
  const { fleet } = parts.writer
  const paging = readPaging(query)
  const cluster = query.get('cluster') ?? ''
  const found = candidates(parts, query, paging.includeDeleted)
    .flatMap((installation) =>
      (installation.spec.clusterInstallations ?? []).map((deployment) => ({ installation, deployment })),
    )
    .filter(
      ({ deployment }) =>
        (paging.includeDeleted || deployment.deletedAt === undefined) &&
        (cluster === '' || fleet.cluster(deployment.cluster)?.metadata.id === cluster),
    )
    .sort(byCreation)
  return json(
    200,
    pageOf(found, paging).map((deployed) => viewOf(parts, deployed)),
  )
}

/** Only those of an installation or on a cluster are looked at; a deleted one is no longer known by its cluster. */
function candidates(
  { writer }: Parts,
  query: URLSearchParams,
  includeDeleted: boolean,
): readonly Installation[] {
  const { fleet } = writer
  const id = query.get('installation')
  if (id) {
    const known = isId(id) ? id : undefined
    const live = known === undefined ? undefined : fleet.installation(known)
    const gone =
      known === undefined || !includeDeleted ? undefined : fleet.tombstone(known)?.spec.installation
    const installation = live ?? gone
    return installation === undefined ? [] : [installation]
  }
  const clusterId = query.get('cluster')
  if (includeDeleted) return [...fleet.installations(), ...goneInstallations(fleet)]
  if (!clusterId) return fleet.installations()
  const cluster = isId(clusterId) ? fleet.clusterById(clusterId) : undefined
  return cluster === undefined ? [] : fleet.installationsOn(cluster.metadata.name)
}

function goneInstallations(fleet: Fleet): readonly Installation[] {
  return fleet
    .tombstones()
    .filter(({ metadata }) => fleet.installation(metadata.id) === undefined)
    .map(({ spec }) => spec.installation)
}

function byCreation(a: Deployed, b: Deployed): number {
  if (a.deployment.createdAt !== b.deployment.createdAt)
    return a.deployment.createdAt < b.deployment.createdAt ? -1 : 1
  return a.deployment.id < b.deployment.id ? -1 : 1
}

function viewOf({ writer, observations, leases }: Parts, { installation, deployment }: Deployed): object {
  return {
    ID: deployment.id,
    ClusterID: writer.fleet.cluster(deployment.cluster)?.metadata.id ?? '',
    InstallationID: installation.metadata.id,
    Namespace: installation.metadata.id,
    State: clusterInstallationState(
      installation,
      deployment,
      observations.get('clusterInstallation', deployment.id),
    ),
    CreateAt: milliseconds(deployment.createdAt),
    DeleteAt: milliseconds(deployment.deletedAt),
    APISecurityLock: deployment.apiLocked ?? false,
    ...lockView(leases, 'clusterInstallation', deployment.id),
    IsActive: deployment.active,
  }
}
