/** What documents name must be there: clusters, groups, shared databases, free names. */
import type { Fleet, IntentChange } from '../fleet.ts'
import type { Cluster, Group, Installation, SharedDatabase, Slug } from '../intents.ts'
import { clusterPath, databasePath, groupPath } from '../paths.ts'
import type { Violation } from './check.ts'
import { takenNames } from './names.ts'

/** @param changes all that come together: what one of them brings, another may name */
export function referenceViolations(
  fleet: Fleet,
  changes: readonly IntentChange[],
  { path, after }: IntentChange,
): readonly Violation[] {
  const lookup = lookupOf(fleet, changes)
  if (after?.kind === 'InstallationRequest') return groupViolations(path, after.spec.group, lookup)
  if (after?.kind !== 'Installation') return []
  const { metadata, spec } = after
  const found: Violation[] = takenNames(fleet, after).map((taken) => ({ ...taken, path }))
  const add = (pointer: string, detail: string): void =>
    void found.push({ path, pointer, code: 'invalid-document', detail })
  if (spec.placement === undefined)
    add(
      '/spec/placement',
      'an installation in a cluster folder needs spec.placement.cluster; name the cluster of the folder',
    )
  else if (!path.startsWith(`clusters/${spec.placement.cluster}/`))
    add(
      '/spec/placement/cluster',
      `the folder is not of cluster ${spec.placement.cluster}; name the cluster of the folder`,
    )
  else found.push(...clusterViolations(path, after, lookup.cluster(spec.placement.cluster)))
  found.push(...groupViolations(path, spec.group, lookup))
  const { shared } = spec.database
  if (shared === undefined) return found
  const database = lookup.database(shared.database)
  if (database === undefined || isGone(database)) {
    add(
      '/spec/database/shared/database',
      `there is no shared database ${shared.database}; name one of databases/`,
    )
  } else if (shared.schema !== undefined && !hasLogical(database, shared.logicalDatabase)) {
    add(
      '/spec/database/shared/logicalDatabase',
      `${shared.database} has no logical database ${shared.logicalDatabase}; name one that ${metadata.name} can share`,
    )
  }
  return found
}

function groupViolations(path: string, group: Slug | null | undefined, lookup: Lookup): readonly Violation[] {
  if (typeof group !== 'string' || !isGone(lookup.group(group))) return []
  const detail = `there is no group ${group}; name one of groups/, or leave it out`
  return [{ path, pointer: '/spec/group', code: 'invalid-document', detail }]
}

function clusterViolations(
  path: string,
  { metadata, spec }: Installation,
  cluster: Cluster | undefined,
): readonly Violation[] {
  const name = spec.placement?.cluster ?? ''
  const at = { path, pointer: '/spec/placement/cluster', code: 'invalid-document' as const }
  if (cluster === undefined || isGone(cluster))
    return [{ ...at, detail: `there is no cluster ${name}; name one of clusters/` }]
  const missing = (metadata.annotations ?? []).filter(
    (annotation) => !(cluster.metadata.annotations ?? []).includes(annotation),
  )
  if (missing.length === 0) return []
  const detail = `cluster ${name} lacks the annotation ${missing.join(', ')}; add it to the cluster, or take it from the installation`
  return [{ path, pointer: '/metadata/annotations', code: 'invalid-document', detail }]
}

function isGone(intent: Cluster | Group | SharedDatabase | undefined): boolean {
  return intent === undefined || intent.metadata.deletedAt !== undefined
}

function hasLogical({ spec }: SharedDatabase, name: string): boolean {
  return (spec.logicalDatabases ?? []).some(
    (logical) => logical.name === name && logical.deletedAt === undefined,
  )
}

interface Lookup {
  readonly cluster: (name: Slug) => Cluster | undefined
  readonly group: (name: Slug) => Group | undefined
  readonly database: (name: Slug) => SharedDatabase | undefined
}

function lookupOf(fleet: Fleet, changes: readonly IntentChange[]): Lookup {
  const coming = new Map(changes.map(({ path, after }) => [path as string, after]))
  return {
    cluster(name) {
      const after = coming.get(clusterPath(name))
      return after?.kind === 'Cluster' ? after : fleet.cluster(name)
    },
    group(name) {
      const after = coming.get(groupPath(name))
      return after?.kind === 'Group' ? after : fleet.group(name)
    },
    database(name) {
      const after = coming.get(databasePath(name))
      return after?.kind === 'SharedDatabase' ? after : fleet.database(name)
    },
  }
}
