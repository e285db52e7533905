/** Nothing goes by just removing its file: installations need a tombstone, the rest must not be in use. */
import type { ErrorCode } from '../errors.ts'
import type { Fleet, IntentChange } from '../fleet.ts'
import type { Id } from '../ids.ts'
import type { Cluster, Group, Intent, SharedDatabase, Tombstone } from '../intents.ts'
import type { Violation } from './check.ts'

export function removalViolations(fleet: Fleet, changes: readonly IntentChange[]): readonly Violation[] {
  return changes.flatMap(({ path, before, after }) => {
    if (after?.kind === 'Tombstone' && before === undefined) return lockedAgainst(fleet, path, after)
    if (before === undefined) return []
    if (after !== undefined) return deletedInPlace(fleet, path, before, after)
    const found = removalProblem(fleet, before, changes)
    return found === undefined ? [] : [{ path, pointer: '', ...found }]
  })
}

function lockedAgainst(fleet: Fleet, path: string, { metadata }: Tombstone): readonly Violation[] {
  const installation = fleet.installation(metadata.id)
  if (installation?.spec.deletionLocked !== true) return []
  const detail = `installation ${metadata.name} is locked against deletion (spec.deletionLocked); remove the lock in a commit of its own first`
  return [{ path, pointer: '', code: 'deletion-locked', detail }]
}

/** `metadata.deletedAt` deletes as much as removing the file does. */
function deletedInPlace(fleet: Fleet, path: string, before: Intent, after: Intent): readonly Violation[] {
  if (!isNamed(before) || !isNamed(after)) return []
  if (before.metadata.deletedAt !== undefined || after.metadata.deletedAt === undefined) return []
  const detail = usersOf(fleet, after)
  return detail === undefined ? [] : [{ path, pointer: '/metadata/deletedAt', code: 'guarded', detail }]
}

function isNamed(intent: Intent): intent is Cluster | Group | SharedDatabase {
  return intent.kind === 'Cluster' || intent.kind === 'Group' || intent.kind === 'SharedDatabase'
}

function removalProblem(
  fleet: Fleet,
  intent: Intent,
  changes: readonly IntentChange[],
): { readonly code: ErrorCode; readonly detail: string } | undefined {
  const guarded = (detail: string | undefined): ReturnType<typeof removalProblem> =>
    detail === undefined ? undefined : { code: 'guarded', detail }
  switch (intent.kind) {
    case 'Installation':
    case 'InstallationRequest': {
      const { id, name } = intent.metadata
      if (id === undefined || isThere(id, changes)) return undefined
      if (!hasTombstone(fleet, id, changes))
        return guarded(
          `installation ${name} was removed without a tombstone; restore the file and delete the installation through the API`,
        )
      if (intent.spec.deletionLocked !== true) return undefined
      const detail = `installation ${name} is locked against deletion; restore the file, and remove spec.deletionLocked in a commit of its own first`
      return { code: 'deletion-locked', detail }
    }
    case 'Tombstone': {
      const { id, name } = intent.metadata
      const stays = fleet.installation(id) !== undefined && !isRemoved(id, changes)
      if (stays || isThere(id, changes)) return undefined
      return guarded(`the tombstone of ${name} is the record of a deletion; restore the file`)
    }
    case 'Fleet':
      return guarded('fleet.yaml cannot be removed; restore the file')
    default:
      return guarded(usersOf(fleet, intent))
  }
}

function isOf(id: Id, intent: Intent | undefined): boolean {
  return (
    (intent?.kind === 'Installation' || intent?.kind === 'InstallationRequest') && intent.metadata.id === id
  )
}

function isThere(id: Id, changes: readonly IntentChange[]): boolean {
  return changes.some(({ after }) => isOf(id, after))
}

function isRemoved(id: Id, changes: readonly IntentChange[]): boolean {
  return changes.some(({ before, after }) => after === undefined && isOf(id, before))
}

/** An earlier commit wrote it, or this one does. */
function hasTombstone(fleet: Fleet, id: Id, changes: readonly IntentChange[]): boolean {
  const touched = changes.filter(
    ({ before, after }) =>
      (before?.kind === 'Tombstone' && before.metadata.id === id) ||
      (after?.kind === 'Tombstone' && after.metadata.id === id),
  )
  if (touched.length > 0) return touched.some(({ after }) => after !== undefined)
  return fleet.tombstone(id) !== undefined
}

function usersOf(fleet: Fleet, intent: Cluster | Group | SharedDatabase): string | undefined {
  const { name } = intent.metadata
  switch (intent.kind) {
    case 'Cluster':
      return inUse(`cluster ${name}`, fleet.occupancy(name).installations)
    case 'Group':
      return inUse(`group ${name}`, fleet.memberCount(name))
    case 'SharedDatabase':
      return inUse(`shared database ${name}`, fleet.usage(name).installations)
  }
}

function inUse(what: string, installations: number): string | undefined {
  if (installations === 0) return undefined
  const noun = installations === 1 ? 'installation uses' : 'installations use'
  return `${installations} ${noun} ${what}; restore the file, and move them first`
}
