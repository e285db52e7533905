/** Whether the server lives, whether it can serve, and its figures. */
import type { Parts } from '../context.ts'
import { type Answer, json, type Route } from '../routes.ts'

const STALE_AFTER = 120_000

type HealthParts = Pick<Parts, 'writer' | 'registry' | 'clock' | 'lastContact' | 'options'>

export function healthRoutes(parts: HealthParts): readonly Route[] {
  const open = { method: 'GET', role: 'reader', wire: false, openOnLoopback: true } as const
  return [
    {
      ...open,
      path: '/healthz',
      operationId: 'getHealth',
      summary: 'Whether the process answers',
      responses: { 200: { description: 'It does' } },
      handler: async () => json(200, { status: 'ok' }),
    },
    {
      ...open,
      path: '/readyz',
      operationId: 'getReadiness',
      summary: 'Whether requests can be served',
      responses: { 200: { description: 'They can' }, 503: { description: 'They cannot, and why' } },
      handler: async () => readiness(parts),
    },
    {
      ...open,
      path: '/metrics',
      operationId: 'getMetrics',
      summary: 'Figures in the format of Prometheus',
      responses: { 200: { description: 'Text exposition format', schema: null } },
      handler: async () => ({
        status: 200,
        text: await parts.registry.metrics(),
        headers: { 'Content-Type': parts.registry.contentType },
      }),
    },
  ]
}

function readiness({ writer, clock, lastContact, options }: HealthParts): Answer {
  const head = writer.head
  if (!lastContact) return json(200, { status: 'ready', head })
  const contact = lastContact()
  const lastContactAt = contact === undefined ? null : new Date(contact).toISOString()
  const fresh =
    contact !== undefined && clock.now() - contact <= (options.staleAfterMilliseconds ?? STALE_AFTER)
  if (fresh) return json(200, { status: 'ready', head, lastContactAt })
  return json(503, {
    status: 'not-ready',
    reason: 'the fleet repository has not answered lately',
    head,
    lastContactAt,
  })
}
