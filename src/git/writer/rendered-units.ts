/** What a rendered file belongs to, and how it is rendered again. */
import type { Fleet, IntentChange } from '../../fleet/fleet.ts'
import type { FleetPath, Id } from '../../fleet/ids.ts'
import type { Slug } from '../../fleet/intents.ts'
import { clusterPath, FLEET_PATH, installationPath, roleOf } from '../../fleet/paths.ts'

/** Changes that make the renderer print the units of these files again. */
export function* unitsOf(fleet: Fleet, paths: Iterable<string>): Iterable<IntentChange> {
  const seen = new Set<string>()
  for (const path of paths) {
    const role = roleOf(path)
    if (role.role !== 'rendered') continue
    const intentPath = intentPathOf(role)
    const after = fleet.intent(intentPath)
    if (after === undefined || seen.has(intentPath)) continue
    seen.add(intentPath)
    yield { path: intentPath, before: after, after }
  }
}

/** Of some folders the engines apply every file, and a manifest without its installation too. */
export function isStranger(fleet: Fleet, path: string): boolean {
  const role = roleOf(path)
  if (role.role !== 'rendered') return false
  if (role.unit === 'installation') return fleet.intent(intentPathOf(role)) === undefined
  return role.unit === 'system' || role.unit === 'control'
}

function intentPathOf({ cluster, id }: { readonly cluster?: Slug; readonly id?: Id }): FleetPath {
  if (cluster === undefined) return FLEET_PATH
  return id === undefined ? clusterPath(cluster) : installationPath(cluster, id)
}
