import { Counter, Gauge, type Registry } from 'prom-client'
import type { SweepResult } from './secret-sweep.ts'

/** The sweep's series. */
export function createSecretMetrics(registry: Registry): (result: SweepResult) => void {
  const registers = [registry]
  const removed = new Counter({
    name: 'fleetwright_secrets_removed_total',
    help: 'Values removed from the secret backend by the sweep',
    labelNames: ['reason'],
    registers,
  })
  const missing = new Gauge({
    name: 'fleetwright_secrets_missing',
    help: 'Values that the fleet refers to and the secret backend does not have',
    registers,
  })
  for (const reason of ['orphan', 'replaced']) removed.inc({ reason }, 0)
  return (result) => {
    removed.inc({ reason: 'orphan' }, result.orphans.length)
    removed.inc({ reason: 'replaced' }, result.replaced.length)
    missing.set(result.missing.length)
  }
}
