/** Nothing goes by just removing its file: installations need a tombstone, the rest must not be in use. */
import type { Fleet, IntentChange } from '../fleet.ts'
import type { Intent } from '../intents.ts'
import type { Violation } from './check.ts'

export function removalViolations(fleet: Fleet, changes: readonly IntentChange[]): readonly Violation[] {
  const staying = new Set(changes.flatMap(({ after }) => idOf(after) ?? []))
  return changes.flatMap(({ path, before, after }) => {
    if (before === undefined || after !== undefined) return []
    const detail = removalProblem(fleet, before, staying)
    return detail === undefined ? [] : [{ path, pointer: '', code: 'guarded' as const, detail }]
  })
}

function idOf(intent: Intent | undefined): string | undefined {
  if (
    intent?.kind === 'Installation' ||
    intent?.kind === 'InstallationRequest' ||
    intent?.kind === 'Tombstone'
  )
    return intent.metadata.id
  return undefined
}

function removalProblem(fleet: Fleet, intent: Intent, staying: ReadonlySet<string>): string | undefined {
  const id = idOf(intent)
  switch (intent.kind) {
    case 'Installation':
    case 'InstallationRequest':
      if (id === undefined || staying.has(id)) return undefined
      return `installation ${intent.metadata.name} was removed without a tombstone; restore the file and delete the installation through the API`
    case 'Tombstone':
      return `the tombstone of ${intent.metadata.name} is the record of a deletion; restore the file`
    case 'Fleet':
      return 'fleet.yaml cannot be removed; restore the file'
    case 'Cluster':
      return inUse(`cluster ${intent.metadata.name}`, fleet.occupancy(intent.metadata.name).installations)
    case 'Group':
      return inUse(`group ${intent.metadata.name}`, fleet.memberCount(intent.metadata.name))
    case 'SharedDatabase':
      return inUse(`shared database ${intent.metadata.name}`, fleet.usage(intent.metadata.name).installations)
  }
}

function inUse(what: string, installations: number): string | undefined {
  if (installations === 0) return undefined
  const noun = installations === 1 ? 'installation uses' : 'installations use'
  return `${installations} ${noun} ${what}; restore the file, and move them first`
}
