import type { Cluster, EngineName, FleetSettings } from './intents.ts'

/** The engine that applies a cluster: its own, or else the fleet's. */
export function engineFor(settings: FleetSettings, cluster: Pick<Cluster, 'spec'> | undefined): EngineName {
  return cluster?.spec.engine ?? settings.spec.engine
}
