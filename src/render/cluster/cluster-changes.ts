/** Which files of clusters, and of the fleet's own control folder, follow from changed intents. */
import { isDeepStrictEqual } from 'node:util'
import type { FileChange } from '../../fleet/files.ts'
import type { Fleet, IntentChange } from '../../fleet/fleet.ts'
import type { Cluster, FleetSettings } from '../../fleet/intents.ts'
import type { TemplateSets } from '../template-set.ts'
import { renderFleetControl } from './bootstrap.ts'
import { renderCluster } from './render-cluster.ts'

interface ChangedCluster {
  readonly before: Cluster | undefined
  readonly after: Cluster | undefined
}

/**
 * Files that are new, differ or go. A change from an intent to itself asks for all of its files as they should be.
 * @throws FleetError `invalid-template`, `invalid-document`
 */
export function clusterChanges(
  sets: TemplateSets,
  fleet: Fleet,
  changes: readonly IntentChange[],
): readonly FileChange[] {
  const settings = changes.find(({ after }) => after?.kind === 'Fleet')
  const was = settings?.before?.kind === 'Fleet' ? settings.before : fleet.settings
  const control = settings === undefined ? [] : renderFleetControl(sets, fleet.settings)
  const files = was === fleet.settings ? control : differing(renderFleetControl(sets, was), control)
  const changed = changedClusters(changes)
  const everywhere =
    settings !== undefined && !isDeepStrictEqual(inputOfFleet(was), inputOfFleet(fleet.settings))
  if (everywhere)
    for (const cluster of fleet.clusters())
      if (!changed.has(cluster.metadata.name))
        changed.set(cluster.metadata.name, { before: cluster, after: cluster })
  return [
    ...files,
    ...[...changed.values()].flatMap(({ before, after }) => {
      const now = after === undefined ? [] : renderCluster(sets, fleet.settings, after)
      const again = before === after && !everywhere
      if (again) return now
      return differing(before === undefined ? [] : renderCluster(sets, was, before), now)
    }),
  ]
}

/** Every file of clusters and of the fleet's own control folder. */
export function* renderClusters(sets: TemplateSets, fleet: Fleet): Iterable<FileChange> {
  yield* renderFleetControl(sets, fleet.settings)
  for (const cluster of fleet.clusters()) yield* renderCluster(sets, fleet.settings, cluster)
}

function changedClusters(changes: readonly IntentChange[]): Map<string, ChangedCluster> {
  const changed = new Map<string, ChangedCluster>()
  for (const { before, after } of changes) {
    const was = before?.kind === 'Cluster' ? before : undefined
    const is = after?.kind === 'Cluster' ? after : undefined
    const name = (is ?? was)?.metadata.name
    if (name === undefined) continue
    if (was !== is && was !== undefined && is !== undefined && isDeepStrictEqual(inputOf(was), inputOf(is)))
      continue
    changed.set(name, { before: was, after: is })
  }
  return changed
}

/** What is rendered of a cluster reads only this. */
function inputOf({ metadata, spec }: Cluster): unknown {
  const { provider, engine, engineClusterName, vpc, utilities, ingress, templateSet } = spec
  return [
    metadata.id,
    metadata.deletedAt,
    provider,
    engine,
    engineClusterName,
    vpc,
    utilities,
    ingress,
    templateSet,
  ]
}

/** What is rendered of every cluster reads only this. */
function inputOfFleet({ spec }: FleetSettings): unknown {
  const { domain, engine, repository, defaults, utilities } = spec
  return [domain, engine, repository, defaults.ingressClass, utilities]
}

function differing(before: readonly FileChange[], after: readonly FileChange[]): readonly FileChange[] {
  const was = new Map<string, string | undefined>(before.map(({ path, text }) => [path, text]))
  const kept = new Set<string>(after.map(({ path }) => path))
  return [
    ...before.filter(({ path }) => !kept.has(path)).map(({ path }) => ({ path, text: undefined })),
    ...after.filter(({ path, text }) => was.get(path) !== text),
  ]
}
