/** A fleet of any size, the same for the same seed. Its installations went through the transactions of the API. */
import { FleetError } from '../../src/fleet/errors.ts'
import { FleetIndex } from '../../src/fleet/fleet-index.ts'
import type { EngineName, FleetSettings, Installation, Intent } from '../../src/fleet/intents.ts'
import { clusterPath, databasePath, FLEET_PATH, groupPath } from '../../src/fleet/paths.ts'
import { createInstallation } from '../../src/fleet/transactions/installations/create.ts'
import { installationRequest, laterChanges } from './installations.ts'
import { type SeededRandom, seededRandom } from './random.ts'
import { surroundings } from './surroundings.ts'

export interface GeneratorOptions {
  readonly installations: number
  readonly clusters: number
  readonly seed: number
  readonly engine?: EngineName
}

const FIRST_DAY = Date.UTC(2024, 0, 8)
const LAST_DAY = Date.UTC(2026, 9, 30)

/** @param settings the fleet's own; engine and capacity are set to fit */
export function generateFleet(settings: FleetSettings, options: GeneratorOptions): FleetIndex {
  const random = seededRandom(options.seed)
  const createdAt = new Date(FIRST_DAY).toISOString()
  const around = surroundings(
    settings,
    { clusters: options.clusters, engine: options.engine ?? 'argocd', createdAt },
    random,
  )
  const [first] = around
  if (first?.kind !== 'Fleet') throw new TypeError('the settings come first')
  const fleet = new FleetIndex(first)
  fleet.apply(around.slice(1).map((intent) => ({ path: pathOf(intent), before: undefined, after: intent })))
  for (let at = 0; at < options.installations; at += 1) create(fleet, at, options, random)
  return fleet
}

function create(fleet: FleetIndex, at: number, options: GeneratorOptions, random: SeededRandom): void {
  const now = FIRST_DAY + Math.floor(((LAST_DAY - FIRST_DAY) * at) / options.installations)
  const request = installationRequest(at, fleet.settings.spec.domain, fleet.groups(), random)
  const { changes, value } = createInstallation(request)(fleet, {
    requestId: request.id,
    actor: { name: 'generator', email: 'generator@example.com' },
    now,
  })
  if (value.placement?.outcome !== 'placed')
    throw new FleetError('invalid-state', `${request.name} has no place: ${value.placement?.reason}`)
  const later = laterChanges(random)
  fleet.apply(
    changes.map((change) =>
      change.after?.kind === 'Installation' ? { ...change, after: changed(change.after, later) } : change,
    ),
  )
}

function changed(installation: Installation, later: Partial<Installation['spec']>): Installation {
  return { ...installation, spec: { ...installation.spec, ...later } }
}

function pathOf(intent: Intent): ReturnType<typeof clusterPath> {
  switch (intent.kind) {
    case 'Fleet':
      return FLEET_PATH
    case 'Cluster':
      return clusterPath(intent.metadata.name)
    case 'Group':
      return groupPath(intent.metadata.name)
    case 'SharedDatabase':
      return databasePath(intent.metadata.name)
    default:
      throw new TypeError(`a ${intent.kind} is not part of the surroundings`)
  }
}
