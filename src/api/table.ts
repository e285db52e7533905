/** The whole route table. */
import type { Parts } from './context.ts'
import { fleetRoutes } from './fleet/routes.ts'
import { notYetRoutes } from './not-yet.ts'
import { openApiDocument } from './openapi.ts'
import { json, type Route } from './routes.ts'
import { clusterRoutes } from './wire/clusters.ts'
import { eventRoutes } from './wire/events.ts'
import { databaseRoutes } from './wire/databases.ts'
import { groupRoutes } from './wire/groups.ts'
import { installationRoutes } from './wire/installations.ts'
import { clusterInstallationReadRoutes } from './wire/read-cluster-installations.ts'
import { receiverRoutes } from './wire/receivers.ts'
import { securityRoutes } from './wire/security.ts'

export function routeTable(parts: Parts): readonly Route[] {
  const present = [
    ...clusterRoutes(parts),
    ...installationRoutes(parts),
    ...clusterInstallationReadRoutes(parts),
    ...groupRoutes(parts),
    ...databaseRoutes(parts),
    ...securityRoutes(parts),
    ...receiverRoutes(parts),
    ...eventRoutes(parts),
    ...fleetRoutes(parts),
  ]
  const routes = [...present, ...notYetRoutes(present)]
  return [...routes, openApiRoute(routes, parts.options.version)]
}

function openApiRoute(others: readonly Route[], version: string): Route {
  const route: Route = {
    method: 'GET',
    path: '/openapi.json',
    operationId: 'getOpenApi',
    summary: 'This description',
    role: 'reader',
    wire: false,
    responses: { 200: { description: 'OpenAPI 3.1', schema: { type: 'object' } } },
    handler: async () => json(200, document),
  }
  const document = openApiDocument([...others, route], version)
  return route
}
