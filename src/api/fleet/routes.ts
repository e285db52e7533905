/** Fleetwright's own endpoints. */
import type { Parts } from '../context.ts'
import { json, type Route } from '../routes.ts'
import { clusterStatusRoutes } from './cluster-status.ts'
import { fleetStatusRoute } from './fleet-status.ts'
import { deadLetterRoutes } from './dead-letters.ts'
import { driftRoute } from './drift.ts'
import { healthRoutes } from './health.ts'
import { historyRoute } from './history.ts'
import { placementRoute } from './placement.ts'
import { pullRequestRoutes } from './pull-requests.ts'
import { revertRoute } from './revert.ts'
import { reviewsRoute } from './reviews.ts'
import { statusRoute } from './status.ts'
import { tokenRoutes } from './tokens.ts'

export function fleetRoutes(parts: Parts): readonly Route[] {
  return [
    fleetStatusRoute(parts),
    ...clusterStatusRoutes(parts),
    historyRoute(parts),
    problemsRoute(parts),
    statusRoute(parts),
    driftRoute(parts),
    ...deadLetterRoutes(parts),
    placementRoute(parts),
    revertRoute(parts),
    ...pullRequestRoutes(parts),
    reviewsRoute(parts),
    ...tokenRoutes(parts),
    ...healthRoutes(parts),
  ]
}

function problemsRoute({ problems }: Pick<Parts, 'problems'>): Route {
  return {
    method: 'GET',
    path: '/api/fleet/problems',
    operationId: 'listFleetProblems',
    role: 'reader',
    wire: false,
    summary:
      'What is wrong in the fleet repository: documents that are held back, secret values that are gone',
    responses: { 200: { description: 'By file, line and author', schema: PROBLEMS_SCHEMA } },
    handler: async () => json(200, { problems: problems() }),
  }
}

const PROBLEMS_SCHEMA = {
  type: 'object',
  required: ['problems'],
  properties: {
    problems: {
      type: 'array',
      items: {
        type: 'object',
        required: ['path', 'line', 'column', 'code', 'detail'],
        properties: {
          path: { type: 'string' },
          line: { type: 'integer', description: 'From 1; 0: the whole file' },
          column: { type: 'integer' },
          code: { type: 'string' },
          detail: { type: 'string' },
          commit: { type: 'string' },
          author: { type: 'string' },
        },
      },
    },
  },
} as const
