/** Whether the server lives, whether it can serve, and its figures. */
import type { Parts } from '../context.ts'
import { json, type Route } from '../routes.ts'
import { createReadiness, READINESS_SCHEMA, type ReadinessParts } from './readiness.ts'

type HealthParts = ReadinessParts & Pick<Parts, 'registry'>

export function healthRoutes(parts: HealthParts): readonly Route[] {
  const open = { method: 'GET', role: 'reader', wire: false, openOnLoopback: true } as const
  return [
    {
      ...open,
      path: '/healthz',
      operationId: 'getHealth',
      summary: 'Whether the process answers',
      responses: {
        200: {
          description: 'It does',
          schema: { type: 'object', required: ['status'], properties: { status: { const: 'ok' } } },
        },
      },
      handler: async () => json(200, { status: 'ok' }),
    },
    {
      ...open,
      path: '/readyz',
      operationId: 'getReadiness',
      summary: 'Whether requests can be served',
      responses: {
        200: { description: 'They can', schema: READINESS_SCHEMA },
        503: { description: 'They cannot, and why', schema: READINESS_SCHEMA },
      },
      handler: createReadiness(parts),
    },
    {
      ...open,
      path: '/metrics',
      operationId: 'getMetrics',
      summary: 'Figures in the format of Prometheus',
      responses: { 200: { description: 'Text exposition format', mediaType: 'text/plain' } },
      handler: async () => ({
        status: 200,
        text: await parts.registry.metrics(),
        headers: { 'Content-Type': parts.registry.contentType },
      }),
    },
  ]
}
