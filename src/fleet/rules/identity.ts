/** What never changes about an object, and what there is exactly one of. */
import type { Fleet, IntentChange } from '../fleet.ts'
import type { Id } from '../ids.ts'
import type { Installation, Intent } from '../intents.ts'
import type { Violation } from './check.ts'

export function identityViolations(
  fleet: Fleet,
  changes: readonly IntentChange[],
  change: IntentChange,
): readonly Violation[] {
  const { path, after } = change
  if (after === undefined || after.kind === 'Fleet') return []
  return [
    ...(after.kind === 'Installation' ? insideViolations(path, after) : []),
    ...constantViolations(change),
    ...uniqueViolations(fleet, changes, change),
  ]
}

function constantViolations({ path, before, after }: IntentChange): readonly Violation[] {
  if (after === undefined || after.kind === 'Fleet') return []
  if (before === undefined || before.kind === 'Fleet' || before.kind !== after.kind) return []
  const found: Violation[] = []
  for (const field of ['id', 'createdAt'] as const) {
    const was = before.metadata[field]
    if (was === undefined || was === after.metadata[field]) continue
    const detail = `${field} is ${after.metadata[field] ?? 'absent'} but was ${was}, and never changes; set it back`
    found.push({ path, pointer: `/metadata/${field}`, code: 'invalid-document', detail })
  }
  return found
}

/** An id stands for one object for ever. */
function uniqueViolations(
  fleet: Fleet,
  changes: readonly IntentChange[],
  { path, after }: IntentChange,
): readonly Violation[] {
  const id = after === undefined ? undefined : idOf(after)
  if (after === undefined || id === undefined) return []
  const leaving = new Set<string>(changes.map((change) => change.path))
  const coming = changes.find(
    (other) =>
      other.path < path &&
      other.after !== undefined &&
      sameSort(other.after, after) &&
      idOf(other.after) === id,
  )
  const present = presentPath(fleet, after, id)
  const other = coming?.path ?? (present !== undefined && !leaving.has(present) ? present : undefined)
  const at = { path, pointer: '/metadata/id', code: 'invalid-document' as const }
  if (other !== undefined && other !== path)
    return [{ ...at, detail: `the id ${id} belongs to ${other}; leave only one of the two files` }]
  const isNew = isInstallation(after) && fleet.pathOf(id) === undefined
  const deleted = isNew && fleet.tombstone(id) !== undefined && !changes.some(takesTombstone(id))
  if (!deleted) return []
  return [
    { ...at, detail: `installation ${id} was deleted (it has a tombstone); ask for a new one without an id` },
  ]
}

function presentPath(fleet: Fleet, intent: Intent, id: Id): string | undefined {
  switch (intent.kind) {
    case 'Installation':
    case 'InstallationRequest':
      return fleet.pathOf(id)
    case 'Cluster':
      return pathOfNamed('clusters', fleet.clusterById(id)?.metadata.name, '/cluster.yaml')
    case 'Group':
      return pathOfNamed('groups', fleet.groupById(id)?.metadata.name, '.yaml')
    case 'SharedDatabase': {
      const found = fleet.databases().find(({ metadata }) => metadata.id === id)
      return pathOfNamed('databases', found?.metadata.name, '.yaml')
    }
    default:
      return undefined
  }
}

function pathOfNamed(folder: string, name: string | undefined, rest: string): string | undefined {
  return name === undefined ? undefined : `${folder}/${name}${rest}`
}

function idOf(intent: Intent): Id | undefined {
  return intent.kind === 'Fleet' ? undefined : intent.metadata.id
}

function isInstallation({ kind }: Intent): boolean {
  return kind === 'Installation' || kind === 'InstallationRequest'
}

function sameSort(a: Intent, b: Intent): boolean {
  return a.kind === b.kind || (isInstallation(a) && isInstallation(b))
}

function takesTombstone(id: Id): (change: IntentChange) => boolean {
  return ({ before, after }) =>
    before?.kind === 'Tombstone' && before.metadata.id === id && after === undefined
}

/** What has to be unique inside one installation. */
function insideViolations(path: string, { spec }: Installation): readonly Violation[] {
  const found: Violation[] = []
  const add = (pointer: string, detail: string): void =>
    void found.push({ path, pointer, code: 'invalid-document', detail })
  const live = spec.dns.filter(({ deletedAt }) => deletedAt === undefined)
  const primaries = live.filter(({ primary }) => primary === true).length
  if (live.length === 0) add('/spec/dns', 'no DNS name is left; keep at least one')
  else if (primaries !== 1) add('/spec/dns', `${primaries} DNS names have primary: true; exactly one must`)
  for (const at of repeated(spec.dns.map(({ id }) => id)))
    add(`/spec/dns/${at}/id`, 'another DNS name here has this id; give each its own')
  const deployments = spec.clusterInstallations ?? []
  for (const at of repeated(deployments.map(({ id }) => id)))
    add(
      `/spec/clusterInstallations/${at}/id`,
      'another cluster installation here has this id; give each its own',
    )
  return found
}

/** Positions of what stands further ahead already. */
export function repeated(values: readonly string[]): readonly number[] {
  return values.flatMap((value, at) => (values.indexOf(value) < at ? [at] : []))
}
