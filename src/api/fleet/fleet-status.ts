/** The fleet at a glance: what there is, how full, what waits, what is wrong. */
import type { Fleet } from '../../fleet/fleet.ts'
import type { JsonObject } from '../../fleet/intents.ts'
import { installationLimit } from '../../fleet/placement.ts'
import { clusterState, waitingReason } from '../../fleet/state.ts'
import type { Parts } from '../context.ts'
import { type Answer, json, type Route } from '../routes.ts'
import { stateOf } from '../views/installation.ts'

/** Longer lists are for `/api/installations`. */
const MOST_WAITING = 50

type StatusParts = Pick<Parts, 'writer' | 'observations' | 'sights' | 'drifts' | 'options'>

export function fleetStatusRoute(parts: StatusParts): Route {
  return {
    method: 'GET',
    path: '/api/fleet/status',
    operationId: 'getFleetStatus',
    role: 'reader',
    wire: false,
    summary: 'Clusters, groups, numbers of installations by state, what waits and how much is wrong',
    responses: { 200: { description: 'The fleet at its head', schema: STATUS_SCHEMA } },
    handler: async () => glance(parts),
  }
}

function glance({ writer, observations, sights, drifts, options }: StatusParts): Answer {
  const { fleet } = writer
  const states: Record<string, number> = {}
  const healths: Record<string, number> = {}
  let stuck = 0
  for (const installation of fleet.installations()) {
    const state = stateOf({ observations }, fleet, installation)
    states[state] = (states[state] ?? 0) + 1
    const verdict = sights.installation(installation.metadata.id)?.verdict
    const health = verdict?.health.health ?? 'unknown'
    healths[health] = (healths[health] ?? 0) + 1
    if (verdict?.stuck === true) stuck += 1
  }
  const clusters = fleet.clusters().filter(({ metadata }) => metadata.deletedAt === undefined)
  return json(200, {
    version: options.version,
    fleet: fleet.settings.metadata.name,
    engine: fleet.settings.spec.engine,
    head: writer.head,
    placement: options.placement,
    installations: { total: fleet.installations().length, states, healths, stuck },
    clusters: clusters.map((cluster) => ({
      id: cluster.metadata.id,
      name: cluster.metadata.name,
      state: clusterState(cluster, observations.get('cluster', cluster.metadata.id)),
      installations: fleet.occupancy(cluster.metadata.name).installations,
      limit: installationLimit(fleet, cluster),
      allowInstallations: cluster.spec.allowInstallations,
    })),
    groups: groupsOf(fleet),
    waiting: fleet
      .waiting()
      .slice(0, MOST_WAITING)
      .map(({ metadata }) => ({
        id: metadata.id,
        name: metadata.name,
        reason: waitingReason(fleet, metadata.id) ?? 'not looked at yet',
      })),
    waitingTotal: fleet.waitingCount(),
    drift: new Set(drifts.all().map(({ installation }) => installation)).size,
    problems: writer.problems().length,
  })
}

function groupsOf(fleet: Fleet): readonly object[] {
  return fleet
    .groups()
    .filter(({ metadata }) => metadata.deletedAt === undefined)
    .map(({ metadata, spec }) => ({
      id: metadata.id,
      name: metadata.name,
      version: spec.version ?? '',
      installations: fleet.memberCount(metadata.name),
    }))
}

const text = { type: 'string' } as const
const number = { type: 'integer' } as const

function listOf(properties: JsonObject): JsonObject {
  return { type: 'array', items: { type: 'object', required: Object.keys(properties), properties } }
}

const STATUS_SCHEMA = {
  type: 'object',
  required: [
    'version',
    'fleet',
    'engine',
    'head',
    'installations',
    'clusters',
    'groups',
    'waiting',
    'problems',
  ],
  properties: {
    version: text,
    fleet: text,
    engine: text,
    head: { ...text, description: 'Tip of main' },
    placement: { enum: ['now', 'deferred'] },
    installations: {
      type: 'object',
      properties: {
        total: number,
        states: { type: 'object', additionalProperties: number },
        healths: { type: 'object', additionalProperties: number },
        stuck: { ...number, description: 'Their operation has passed its deadline' },
      },
    },
    clusters: listOf({
      id: text,
      name: text,
      state: text,
      installations: number,
      limit: { ...number, description: 'Placement passes it by from here on' },
      allowInstallations: { type: 'boolean' },
    }),
    groups: listOf({ id: text, name: text, version: text, installations: number }),
    waiting: listOf({ id: text, name: text, reason: text }),
    waitingTotal: number,
    drift: { ...number, description: 'Installations with drift; see /api/fleet/drift' },
    problems: { ...number, description: 'See /api/fleet/problems' },
  },
}
