/** From intents to the rendered files of the fleet repository. Pure; cost follows the change. */
import { isDeepStrictEqual } from 'node:util'
import { groupConfigurationAt } from '../fleet/configuration.ts'
import type { FileChange } from '../fleet/files.ts'
import type { Fleet, IntentChange } from '../fleet/fleet.ts'
import type { Cluster, FleetSettings, Group, Installation, Intent, Tombstone } from '../fleet/intents.ts'
import { manifestPath } from '../fleet/paths.ts'
import type { RenderChanges } from '../ports/writer.ts'
import { clusterChanges, renderClusters } from './cluster/cluster-changes.ts'
import { renderInstallation } from './installation/render-installation.ts'
import type { TemplateSets } from './template-set.ts'

/** What rendering a window's changes needs; given to the writer. */
export function createRenderChanges(sets: TemplateSets): RenderChanges {
  return (fleet, changes) => {
    const removed = changes.flatMap(removedManifest)
    const affected = new Map<string, Installation>()
    for (const change of changes)
      for (const found of affectedBy(fleet, change)) affected.set(found.metadata.id, found)
    const rendered = [...affected.values()].map((installation) =>
      renderInstallation(sets, fleet, installation),
    )
    const kept = new Set<string>(rendered.map(({ path }) => path))
    return [
      ...removed.filter(({ path }) => !kept.has(path)),
      ...clusterChanges(sets, fleet, changes),
      ...rendered,
    ]
  }
}

/** Every rendered file of the fleet, one after another. */
export function* renderFleet(sets: TemplateSets, fleet: Fleet): Iterable<FileChange> {
  yield* renderClusters(sets, fleet)
  for (const installation of fleet.installations()) {
    if (installation.spec.placement !== undefined) yield renderInstallation(sets, fleet, installation)
  }
}

function removedManifest({ before }: IntentChange): readonly FileChange[] {
  if (before?.kind !== 'Installation' || before.spec.placement === undefined) return []
  return [{ path: manifestPath(before.spec.placement.cluster, before.metadata.id), text: undefined }]
}

function affectedBy(fleet: Fleet, { before, after }: IntentChange): readonly Installation[] {
  if (after === undefined) return before?.kind === 'Tombstone' ? leavingOne(fleet, before) : []
  switch (after.kind) {
    case 'Installation':
      return [after]
    case 'Tombstone':
      return leavingOne(fleet, after)
    case 'Group':
      return fleet
        .installationsIn(after.metadata.name)
        .filter((member) => isPlaced(member) && rendersAnew(member, before, after))
    case 'Cluster':
      return sameFor(before, after, clusterInput)
        ? []
        : fleet.installationsOn(after.metadata.name).filter(isPlaced)
    case 'SharedDatabase':
      return sameFor(before, after, ({ spec }: typeof after) => [
        spec.writerEndpoint,
        spec.readerEndpoint,
        spec.port,
      ])
        ? []
        : fleet.installationsUsing(after.metadata.name).filter(isPlaced)
    case 'Fleet':
      return sameFor(before, after, fleetInput) ? [] : fleet.installations().filter(isPlaced)
    default:
      return []
  }
}

/** What a tombstone stands for, while it is still there. */
function leavingOne(fleet: Fleet, { metadata }: Tombstone): readonly Installation[] {
  const installation = fleet.installation(metadata.id)
  return installation !== undefined && isPlaced(installation) ? [installation] : []
}

function isPlaced({ spec }: Installation): boolean {
  return spec.placement !== undefined
}

/** Whether what manifests read of a document is as it was; nothing reads one that is new. */
function sameFor<Kind extends Intent>(
  before: Intent | undefined,
  after: Kind,
  read: (intent: Kind) => unknown,
): boolean {
  if (before === undefined || before.kind !== after.kind) return before === undefined
  // Both are of one kind here.
  return isDeepStrictEqual(read(before as Kind), read(after))
}

function clusterInput({ spec }: Cluster): unknown {
  return [spec.ingress, spec.oidcProvider]
}

/** Defaults are for new installations; what they were at creation stands in the installation. */
function fleetInput({ spec }: FleetSettings): unknown {
  const { environment, dns, secretStore, aws, internalIpRanges, probes, defaults } = spec
  return [environment, dns, secretStore, aws, internalIpRanges, probes, defaults.ingressClass, defaults.ndots]
}

/** Those that run another sequence are not touched, and those that wait for a rollout run none. */
function rendersAnew({ spec }: Installation, before: Intent | undefined, after: Group): boolean {
  if (before?.kind !== 'Group') return true
  if (spec.groupSequence === undefined) return false
  return !isDeepStrictEqual(
    groupConfigurationAt(before, spec.groupSequence),
    groupConfigurationAt(after, spec.groupSequence),
  )
}
