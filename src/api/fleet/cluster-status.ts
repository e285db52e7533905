/** Clusters as they are seen: contact, what stands against it and since when, nodes, how busy the operator is. */
import { FleetError } from '../../fleet/errors.ts'
import type { Cluster, JsonObject } from '../../fleet/intents.ts'
import type { Contact } from '../../fleet/observed/sight.ts'
import type { ObservedCluster } from '../../ports/sights.ts'
import type { HandlerContext, Parts } from '../context.ts'
import { type Answer, json, type Route } from '../routes.ts'
import { contactView, time } from '../views/contact.ts'
import { clusterStateOf } from '../views/cluster-seen.ts'

type ClusterStatusParts = Pick<Parts, 'writer' | 'observations' | 'sights'>

export function clusterStatusRoutes(parts: ClusterStatusParts): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/api/fleet/clusters',
      operationId: 'listFleetClusters',
      role: 'reader',
      wire: false,
      summary: 'Every cluster and the control cluster: contact, problem, freshness, nodes',
      responses: { 200: { description: 'By name', schema: LIST_SCHEMA } },
      handler: async () => listClusters(parts),
    },
    {
      method: 'GET',
      path: '/api/fleet/clusters/{cluster}/status',
      operationId: 'getFleetClusterStatus',
      role: 'reader',
      wire: false,
      summary: 'One cluster: contact, problem, freshness, nodes',
      responses: { 200: { description: 'As it is seen', schema: CLUSTER_SCHEMA } },
      handler: async (context) => oneCluster(parts, context),
    },
  ]
}

function listClusters(parts: ClusterStatusParts): Answer {
  const { writer, sights } = parts
  const control = sights.control()
  const clusters = writer.fleet.clusters().filter(({ metadata }) => metadata.deletedAt === undefined)
  return json(200, {
    control: control === undefined ? null : contactOf(control),
    clusters: clusters.map((cluster) => clusterStatusView(parts, cluster)),
  })
}

function oneCluster(parts: ClusterStatusParts, context: HandlerContext): Answer {
  const name = context.param('cluster')
  const cluster = parts.writer.fleet.cluster(name)
  if (cluster === undefined || cluster.metadata.deletedAt !== undefined)
    throw new FleetError('not-found', `There is no cluster ${JSON.stringify(name)}.`)
  return json(200, clusterStatusView(parts, cluster))
}

function clusterStatusView(parts: ClusterStatusParts, cluster: Cluster): object {
  const { id, name } = cluster.metadata
  const seen = parts.sights.cluster(name)
  return {
    id,
    name,
    state: clusterStateOf(parts)(cluster),
    ...(seen === undefined ? UNSEEN : seenView(seen)),
  }
}

const UNSEEN = {
  connected: false,
  fresh: false,
  stale: true,
  observedAt: null,
  nodes: null,
  operatorBusy: null,
  resources: [],
}

function seenView({ contact, fresh, nodes, operatorBusy, resources }: ObservedCluster): object {
  // Nothing was ever counted on a cluster that never answered.
  const known = contact.lastContact !== undefined
  return {
    ...contactOf(contact),
    fresh,
    nodes: known ? nodes : null,
    operatorBusy: known ? operatorBusy : null,
    resources: resources.map(({ kind, name, report, since }) => ({
      kind,
      name,
      ...report,
      since: time(since),
    })),
  }
}

function contactOf(contact: Contact): object {
  return { connected: contact.connected, ...contactView(contact) }
}

const CONTACT_PROPERTIES = {
  connected: { type: 'boolean' },
  stale: { type: 'boolean', description: 'What is shown may be old' },
  observedAt: { type: ['string', 'null'], description: 'When it last answered' },
  problem: {
    type: 'object',
    required: ['code', 'detail', 'since'],
    properties: {
      code: {
        type: 'string',
        description: 'For programs, for example unauthorized, unreachable, credentials-missing',
      },
      detail: {
        type: 'string',
        description: 'The words of the cluster, the network, or the source of the credentials',
      },
      since: { type: 'string', format: 'date-time' },
    },
  },
} as const satisfies JsonObject

const CLUSTER_SCHEMA: JsonObject = {
  type: 'object',
  required: [
    'id',
    'name',
    'state',
    'connected',
    'fresh',
    'stale',
    'observedAt',
    'nodes',
    'operatorBusy',
    'resources',
  ],
  properties: {
    id: { type: 'string' },
    name: { type: 'string' },
    state: { type: 'string', description: 'As on the wire' },
    ...CONTACT_PROPERTIES,
    fresh: {
      type: 'boolean',
      description: 'Everything there is has been told, and changes are heard at once',
    },
    nodes: { type: ['object', 'null'], description: 'How many, how many are ready, and what they hold' },
    resources: {
      type: 'array',
      items: { type: 'object', required: ['kind', 'name', 'health', 'reason', 'message', 'since'] },
      description: 'What it needs beside Kubernetes: on EKS the cluster as AWS sees it',
    },
    operatorBusy: {
      type: ['integer', 'null'],
      description: 'Mattermost resources that the operator works on; from 20 on it takes no other',
    },
  },
}

const LIST_SCHEMA: JsonObject = {
  type: 'object',
  required: ['control', 'clusters'],
  properties: {
    control: { type: ['object', 'null'], properties: CONTACT_PROPERTIES },
    clusters: { type: 'array', items: CLUSTER_SCHEMA },
  },
}
