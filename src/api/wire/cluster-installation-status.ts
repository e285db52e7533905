/** What runs of a deployment, as the watches of its cluster tell it: nobody is asked in a request. */
import { FleetError } from '../../fleet/errors.ts'
import type { InstallationSight } from '../../fleet/observed/sight.ts'
import type { HandlerContext, Parts } from '../context.ts'
import { type Answer, json, type Route } from '../routes.ts'

type StatusParts = Pick<Parts, 'writer' | 'sights'>

export function clusterInstallationStatusRoute(parts: StatusParts): Route {
  return {
    wire: true,
    role: 'reader',
    method: 'GET',
    path: '/api/cluster_installation/{id}/status',
    operationId: 'getClusterInstallationStatus',
    summary: 'Status of the pods',
    responses: { 200: { description: 'Numbers of pods', schema: SCHEMA } },
    handler: async (context) => status(parts, context),
  }
}

function status({ writer, sights }: StatusParts, context: HandlerContext): Answer {
  const { fleet } = writer
  const id = context.id()
  const installation = fleet.installationByDeployment(id)
  const deployment = installation?.spec.clusterInstallations?.find((one) => one.id === id)
  if (installation === undefined || deployment === undefined)
    throw new FleetError('not-found', `There is no cluster installation ${id}.`)
  const cluster = fleet.cluster(deployment.cluster)
  if (cluster === undefined)
    throw new FleetError('not-found', `There is no cluster ${deployment.cluster}, where ${id} should be.`)
  const observed =
    installation.spec.placement?.cluster === deployment.cluster
      ? sights.installation(installation.metadata.id)?.sight
      : undefined
  if (observed === undefined)
    throw new FleetError('cluster-unavailable', `Cluster ${deployment.cluster} is not observed.`)
  const { contact } = observed
  // The answer has no place for its age, so old knowledge is none.
  if (!contact.connected)
    throw new FleetError(
      'cluster-unavailable',
      `Cluster ${deployment.cluster} does not answer: ${contact.problem?.detail ?? 'not yet'}`,
    )
  return json(200, statusView(observed))
}

function statusView({ mattermost, pods }: InstallationSight): object {
  return {
    InstallationFound: mattermost !== undefined,
    Replicas: pods?.wanted ?? 0,
    TotalPod: pods?.total ?? 0,
    RunningPod: pods?.running ?? 0,
    ReadyPod: pods?.ready ?? 0,
    StartedPod: pods?.started ?? 0,
    // A pod is ready when its own server answers; nobody enters it to ask once more.
    ReadyLocalServer: pods?.ready ?? 0,
  }
}

const NUMBER = { type: 'integer' } as const
const PROPERTIES = {
  InstallationFound: { type: 'boolean' },
  ...{ Replicas: NUMBER, TotalPod: NUMBER, RunningPod: NUMBER },
  ...{ ReadyPod: NUMBER, StartedPod: NUMBER, ReadyLocalServer: NUMBER },
} as const
const SCHEMA = { type: 'object', required: Object.keys(PROPERTIES), properties: PROPERTIES } as const
