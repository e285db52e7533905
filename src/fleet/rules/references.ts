/** What an installation names must be there and fit: cluster, group, shared database. */
import type { Fleet, IntentChange } from '../fleet.ts'
import type { Cluster, Group, Installation, InstallationRequest, SharedDatabase } from '../intents.ts'
import { isShared } from '../placement.ts'
import { completed } from '../requests.ts'
import type { Violation } from './check.ts'
import { type Lookup, lookupOf } from './lookup.ts'
import { takenNames } from './names.ts'

/** @param changes all that come together: what one of them brings, another may name */
export function referenceViolations(
  fleet: Fleet,
  changes: readonly IntentChange[],
  { path, after }: IntentChange,
): readonly Violation[] {
  const lookup = lookupOf(fleet, changes)
  if (after?.kind === 'InstallationRequest') return requestViolations(fleet, path, after, lookup)
  if (after?.kind !== 'Installation') return []
  return [
    ...takenNames(fleet, after).map((taken) => ({ ...taken, path })),
    ...placementViolations(path, after, lookup),
    ...groupViolations(path, after, lookup),
    ...databaseViolations(path, after, lookup),
  ]
}

/** A request is checked as the installation it will be, with what it says itself. */
function requestViolations(
  fleet: Fleet,
  path: string,
  request: InstallationRequest,
  lookup: Lookup,
): readonly Violation[] {
  const { id, createdAt } = request.metadata
  // An id that nobody has: the request gets its own when it is accepted.
  const completion = {
    id: id ?? ('' as Installation['metadata']['id']),
    createdAt: createdAt ?? '',
    dnsIds: [],
  }
  const installation = completed(request, fleet.settings, completion)
  const saysDns = (request.spec.dns ?? []).length > 0
  const taken = takenNames(fleet, installation)
  // Without DNS names of its own both follow from the name: that is one problem.
  const told = saysDns ? taken : taken.slice(0, 1)
  return [
    ...told.map((found) => ({ ...found, path, pointer: saysDns ? found.pointer : '/metadata/name' })),
    ...groupViolations(path, installation, lookup),
  ]
}

function placementViolations(
  path: string,
  { metadata, spec }: Installation,
  lookup: Lookup,
): readonly Violation[] {
  const one = (pointer: string, detail: string): readonly Violation[] => [
    { path, pointer, code: 'invalid-document', detail },
  ]
  if (spec.placement === undefined)
    return one(
      '/spec/placement',
      'an installation in a cluster folder needs spec.placement.cluster; name the cluster of the folder',
    )
  const name = spec.placement.cluster
  const pointer = '/spec/placement/cluster'
  if (!path.startsWith(`clusters/${name}/`))
    return one(pointer, `the folder is not of cluster ${name}; name the cluster of the folder`)
  const cluster = lookup.cluster(name)
  if (cluster === undefined) return one(pointer, `there is no cluster ${name}; name one of clusters/`)
  const missing = missingAnnotations(metadata.annotations, cluster)
  if (missing.length === 0) return []
  return one(
    '/metadata/annotations',
    `cluster ${name} lacks the annotation ${missing.join(', ')}; add it to the cluster, or take it from the installation`,
  )
}

export function missingAnnotations(wanted: readonly string[] = [], cluster: Cluster): readonly string[] {
  return wanted.filter((name) => !(cluster.metadata.annotations ?? []).includes(name))
}

function groupViolations(path: string, { spec }: Installation, lookup: Lookup): readonly Violation[] {
  if (typeof spec.group !== 'string') return []
  const group = lookup.group(spec.group)
  const code = 'invalid-document' as const
  if (group === undefined) {
    const detail = `there is no group ${spec.group}; name one of groups/, or leave it out`
    return [{ path, pointer: '/spec/group', code, detail }]
  }
  if (spec.groupSequence === undefined || hasSequence(group, spec.groupSequence)) return []
  const detail = `group ${spec.group} has no configuration of sequence ${spec.groupSequence}; write ${group.spec.sequence}, its newest`
  return [{ path, pointer: '/spec/groupSequence', code, detail }]
}

function hasSequence({ spec }: Group, wanted: number): boolean {
  return spec.sequence === wanted || (spec.previous ?? []).some(({ sequence }) => sequence === wanted)
}

function databaseViolations(path: string, installation: Installation, lookup: Lookup): readonly Violation[] {
  const { kind, shared } = installation.spec.database
  const one = (pointer: string, detail: string): readonly Violation[] => [
    { path, pointer: `/spec/database${pointer}`, code: 'invalid-document', detail },
  ]
  if (!isShared(kind))
    return shared === undefined
      ? []
      : one('/shared', `a database of kind ${kind} is not shared; take shared out, or correct the kind`)
  if (shared === undefined)
    return one('', `a database of kind ${kind} needs shared: name the shared database and the place in it`)
  const database = lookup.database(shared.database)
  if (database === undefined)
    return one('/shared/database', `there is no shared database ${shared.database}; name one of databases/`)
  if (database.spec.databaseKind !== kind)
    return one(
      '/shared/database',
      `${shared.database} is for ${database.spec.databaseKind}, not for ${kind}; name one of databases/ of that kind`,
    )
  if (kind !== 'aws-multitenant-rds-postgres-pgbouncer')
    return shared.schema === undefined
      ? []
      : one('/shared/schema', `a database of kind ${kind} has no schema of its own; take it out`)
  if (shared.schema === undefined)
    return one(
      '/shared',
      'a database behind PgBouncer needs shared.schema; name the schema of the installation',
    )
  if (hasLogical(database, shared.logicalDatabase)) return []
  return one(
    '/shared/logicalDatabase',
    `${shared.database} has no logical database ${shared.logicalDatabase}; name one that ${installation.metadata.name} can share`,
  )
}

function hasLogical({ spec }: SharedDatabase, name: string): boolean {
  return (spec.logicalDatabases ?? []).some(
    (logical) => logical.name === name && logical.deletedAt === undefined,
  )
}
