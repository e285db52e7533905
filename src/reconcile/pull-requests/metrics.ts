import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { Reason } from './schedule.ts'

export interface PullRequestMetrics {
  open(count: number): void
  planned(reason: Reason, seconds: number): void
  forgeFailed(code: string): void
  hook(outcome: 'taken' | 'replayed' | 'refused'): void
}

export function createPullRequestMetrics(registry: Registry): PullRequestMetrics {
  const registers = [registry]
  const open = new Gauge({
    name: 'fleetwright_pull_requests_open',
    help: 'Open pull requests of the fleet repository',
    registers,
  })
  const planned = new Histogram({
    name: 'fleetwright_pull_request_plan_seconds',
    help: 'Plans of pull requests: head (it is new), concerned (main moved something it hangs on), paced (main moved)',
    labelNames: ['reason'],
    buckets: [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60],
    registers,
  })
  const failures = new Counter({
    name: 'fleetwright_forge_failures_total',
    help: 'Requests to the forge that failed, by error code',
    labelNames: ['code'],
    registers,
  })
  const hooks = new Counter({
    name: 'fleetwright_forge_hooks_total',
    help: 'Hooks of the forge: taken, replayed (came before), refused',
    labelNames: ['outcome'],
    registers,
  })
  for (const reason of ['head', 'concerned', 'paced']) planned.zero({ reason })
  for (const code of ['forge-unavailable', 'forge-denied', 'forge-refused']) failures.inc({ code }, 0)
  for (const outcome of ['taken', 'replayed', 'refused']) hooks.inc({ outcome }, 0)
  return {
    open: (count) => open.set(count),
    planned: (reason, seconds) => planned.observe({ reason }, seconds),
    forgeFailed: (code) => failures.inc({ code }),
    hook: (outcome) => hooks.inc({ outcome }),
  }
}
