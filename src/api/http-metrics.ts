import { Counter, Histogram, type Registry } from 'prom-client'

export interface HttpMetrics {
  /** @param operation `operationId` of the route, or `unknown` */
  observe(operation: string, status: number, seconds: number): void
  /** Keys of bodies that nothing took: a client that misspells something. */
  unknownKeys(operation: string, count: number): void
}

export function createHttpMetrics(registry: Registry): HttpMetrics {
  const registers = [registry]
  const durations = new Histogram({
    name: 'fleetwright_http_request_seconds',
    help: 'HTTP requests by operation and status',
    labelNames: ['operation', 'status'],
    buckets: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers,
  })
  const unknown = new Counter({
    name: 'fleetwright_http_unknown_keys_total',
    help: 'Keys in request bodies that no field takes',
    labelNames: ['operation'],
    registers,
  })
  return {
    observe: (operation, status, seconds) => durations.observe({ operation, status }, seconds),
    unknownKeys: (operation, count) => unknown.inc({ operation }, count),
  }
}
