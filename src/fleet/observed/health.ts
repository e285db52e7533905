/** Health of one thing, judged from what it says of itself; the same words for every kind. */

/**
 * - `healthy`: works as wanted
 * - `progressing`: on its way, nothing is known to be wrong
 * - `suspended`: stands still because that is wanted (hibernated, paused)
 * - `degraded`: says that something is wrong
 * - `missing`: wanted and not there
 * - `unknown`: cannot be told (no contact, contradictory)
 */
export type Health = 'healthy' | 'progressing' | 'suspended' | 'degraded' | 'missing' | 'unknown'

export interface HealthReport {
  readonly health: Health
  /** CamelCase, for programs; for example `GenerationNotObserved`. */
  readonly reason: string
  /** For people. No value of a secret. */
  readonly message: string
}

/** From best to worst: what a whole has is the worst of its parts. */
export const HEALTH_ORDER = [
  'healthy',
  'suspended',
  'progressing',
  'missing',
  'degraded',
  'unknown',
] as const satisfies readonly Health[]

/** The worst of some reports; undefined of none. */
export function worstOf(reports: readonly HealthReport[]): HealthReport | undefined {
  let worst: HealthReport | undefined
  for (const report of reports)
    if (worst === undefined || HEALTH_ORDER.indexOf(report.health) > HEALTH_ORDER.indexOf(worst.health))
      worst = report
  return worst
}

export function report(health: Health, reason: string, message: string): HealthReport {
  return { health, reason, message }
}
