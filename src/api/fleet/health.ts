/** Whether the server lives, whether it can serve, and its figures. */
import type { Parts } from '../context.ts'
import { type Answer, json, type Route } from '../routes.ts'

const STALE_AFTER = 120_000

type HealthParts = Pick<Parts, 'writer' | 'registry' | 'clock' | 'options'>

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

function readiness({ writer, clock, options }: HealthParts): Answer {
  const { at, trouble } = writer.contact
  const state = { head: writer.head, lastContactAt: new Date(at).toISOString() }
  const silent = clock.now() - at > (options.staleAfterMilliseconds ?? STALE_AFTER)
  // Out of reach for a moment is no reason to send requests elsewhere.
  const broken = trouble !== undefined && trouble.code !== 'remote-unavailable'
  if (!silent && !broken) return json(200, { status: 'ready', ...state })
  return json(503, {
    status: 'not-ready',
    ...(trouble === undefined ? {} : { code: trouble.code }),
    reason: trouble?.message ?? 'the fleet repository has not answered lately',
    ...state,
  })
}
