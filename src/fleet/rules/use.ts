/** What others use must stay as they need it: annotations of clusters, configurations of groups, logical databases. */
import { isDeepStrictEqual } from 'node:util'
import { groupConfigurationAt } from '../configuration.ts'
import type { Fleet, IntentChange } from '../fleet.ts'
import type { Cluster, Group, SharedDatabase } from '../intents.ts'
import type { Violation } from './check.ts'
import { missingAnnotations } from './references.ts'

export function useViolations(fleet: Fleet, { path, before, after }: IntentChange): readonly Violation[] {
  if (before === undefined || after === undefined) return []
  if (before.kind === 'Cluster' && after.kind === 'Cluster')
    return clusterViolations(fleet, path, before, after)
  if (before.kind === 'Group' && after.kind === 'Group') return groupViolations(fleet, path, before, after)
  if (before.kind === 'SharedDatabase' && after.kind === 'SharedDatabase')
    return databaseViolations(fleet, path, before, after)
  return []
}

function clusterViolations(
  fleet: Fleet,
  path: string,
  before: Cluster,
  after: Cluster,
): readonly Violation[] {
  if (missingAnnotations(before.metadata.annotations, after).length === 0) return []
  const user = fleet
    .installationsOn(after.metadata.name)
    .find(({ metadata }) => missingAnnotations(metadata.annotations, after).length > 0)
  if (user === undefined) return []
  const missing = missingAnnotations(user.metadata.annotations, after).join(', ')
  const detail = `installation ${user.metadata.name} on this cluster needs the annotation ${missing}; keep it, or take it from the installation first`
  return [{ path, pointer: '/metadata/annotations', code: 'guarded', detail }]
}

/** A change of a group reaches its members one wave after another, so what they run now must stay written down. */
function groupViolations(fleet: Fleet, path: string, before: Group, after: Group): readonly Violation[] {
  const members = fleet.installationsIn(after.metadata.name)
  const pinned = new Set(members.flatMap(({ spec }) => spec.groupSequence ?? []))
  const at = { path, code: 'guarded' as const }
  for (const sequence of [...pinned].sort((a, b) => a - b)) {
    const was = groupConfigurationAt(before, sequence)
    const is = groupConfigurationAt(after, sequence)
    if (was === undefined || isDeepStrictEqual(was, is)) continue
    if (sequence === after.spec.sequence)
      return [
        {
          ...at,
          pointer: '/spec/sequence',
          detail: `members run sequence ${sequence}, and all would change at once; set sequence: ${sequence + 1} and keep what sequence ${sequence} was in previous, or change the group through the API`,
        },
      ]
    return [
      {
        ...at,
        pointer: '/spec/previous',
        detail: `members still run sequence ${sequence}; keep its configuration in previous as it was`,
      },
    ]
  }
  return []
}

function databaseViolations(
  fleet: Fleet,
  path: string,
  before: SharedDatabase,
  after: SharedDatabase,
): readonly Violation[] {
  const { installations, byLogicalDatabase } = fleet.usage(after.metadata.name)
  if (installations === 0) return []
  const at = { path, code: 'guarded' as const }
  for (const field of ['databaseKind', 'rdsClusterId', 'vpc'] as const) {
    if (before.spec[field] === after.spec[field]) continue
    const detail = `${field} was ${before.spec[field]} and ${installations} installations are in it; set it back`
    return [{ ...at, pointer: `/spec/${field}`, detail }]
  }
  const there = new Set(
    (after.spec.logicalDatabases ?? []).flatMap(({ name, deletedAt }) =>
      deletedAt === undefined ? [name] : [],
    ),
  )
  const gone = (before.spec.logicalDatabases ?? []).find(
    ({ name }) => !there.has(name) && (byLogicalDatabase.get(name) ?? 0) > 0,
  )
  if (gone === undefined) return []
  const detail = `${byLogicalDatabase.get(gone.name)} installations are in the logical database ${gone.name}; keep it`
  return [{ ...at, pointer: '/spec/logicalDatabases', detail }]
}
