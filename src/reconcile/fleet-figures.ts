/** The fleet in figures, counted in one pass over what is in memory. Labels are clusters, states, healths and kinds of drift. */
import { engineDrift } from '../fleet/drift/engine.ts'
import type { Fleet } from '../fleet/fleet.ts'
import type { Installation } from '../fleet/intents.ts'
import { installationState, waitingReason } from '../fleet/state.ts'
import type { Drifts } from '../ports/drifts.ts'
import type { Observations } from '../ports/observations.ts'
import type { Sights } from '../ports/sights.ts'

/** Of installations that wait for a cluster. */
export const NO_CLUSTER = ''

export interface FigureParts {
  readonly observations: Observations
  readonly sights: Sights
  readonly drifts: Drifts
}

const SLICE = 1_000

/** Numbers by cluster, then by what is counted. */
export type Numbers = ReadonlyMap<string, ReadonlyMap<string, number>>

export interface FleetFigures {
  readonly states: Numbers
  readonly healths: Numbers
  readonly drift: Numbers
  /** By cluster. */
  readonly stuck: ReadonlyMap<string, number>
}

/** In slices: others have their turn while a large fleet is counted. */
export async function countFleet(fleet: Fleet, parts: FigureParts, now: number): Promise<FleetFigures> {
  const [states, healths, drift] = [new Tally(), new Tally(), new Tally()]
  const stuck = new Map<string, number>()
  for (const [at, installation] of fleet.installations().entries()) {
    if (at % SLICE === SLICE - 1) await new Promise((resolve) => setImmediate(resolve))
    const cluster = installation.spec.placement?.cluster ?? NO_CLUSTER
    states.count(cluster, stateOf(fleet, installation, parts.observations))
    const observed = parts.sights.installation(installation.metadata.id)
    healths.count(cluster, observed?.verdict.health.health ?? 'unknown')
    if (observed?.verdict.stuck === true) stuck.set(cluster, (stuck.get(cluster) ?? 0) + 1)
    const engine = observed?.sight?.engine
    if (engine === undefined) continue
    const type = engineDrift(engine, installation.spec.operation.requestedAt, now)
    if (type !== undefined) drift.count(cluster, type)
  }
  for (const { cluster, type } of parts.drifts.all()) drift.count(cluster, type)
  return { states: states.numbers, healths: healths.numbers, drift: drift.numbers, stuck }
}

class Tally {
  readonly #numbers = new Map<string, Map<string, number>>()

  get numbers(): Numbers {
    return this.#numbers
  }

  count(cluster: string, what: string): void {
    let row = this.#numbers.get(cluster)
    if (row === undefined) {
      row = new Map()
      this.#numbers.set(cluster, row)
    }
    row.set(what, (row.get(what) ?? 0) + 1)
  }
}

/** Only those without a cluster can wait for one. */
function stateOf(fleet: Fleet, installation: Installation, observations: Observations): string {
  const { metadata, spec } = installation
  const seen = observations.get('installation', metadata.id)
  const waiting = spec.placement === undefined ? waitingReason(fleet, metadata.id) : undefined
  return installationState(installation, seen, waiting)
}
