/** What the verdict on a pull request hangs on, and what a change of main moves: where they meet, the verdict is to be made again. */
import { FLEET_PATH } from '../paths.ts'
import type { Fleet, IntentChange } from '../fleet.ts'
import type { Installation, InstallationRequest, Intent } from '../intents.ts'

/** Names that pull requests want are few; one with more of them is looked at again with every change. */
const MOST = 2_000
const EVERYTHING = '*'
/** Everything hangs on the settings. */
const SETTINGS_KEY = keyOf('path', FLEET_PATH)
/** Which clusters there are and what they take, for those who need a place. */
const PLACES = 'places'

/**
 * For `ReviewPlan.concerns`: of every document that is changed, by what it would say and what it says now. Paths that
 * cannot be read as documents are given by themselves.
 */
export function concernsOf(
  fleet: Pick<Fleet, 'settings'>,
  changes: Iterable<IntentChange>,
  paths: Iterable<string> = [],
): readonly string[] {
  const found = new Set<string>([SETTINGS_KEY])
  for (const path of paths) found.add(keyOf('path', path))
  for (const { path, before, after } of changes) {
    found.add(keyOf('path', path))
    for (const intent of [before, after])
      if (intent !== undefined)
        for (const key of [...namesOf(fleet, intent), ...usesOf(intent)]) found.add(key)
    if (found.size > MOST) return [EVERYTHING]
  }
  return [...found].sort()
}

/** Paths of the documents that are changed, of what `concernsOf` gave. */
export function documentsOf(concerns: readonly string[]): readonly string[] {
  const prefix = keyOf('path', '')
  return concerns
    .filter((key) => key.startsWith(prefix) && key !== SETTINGS_KEY)
    .map((key) => key.slice(prefix.length))
}

/** What changes of main move. `paths`: documents that changed and may not count. */
export function movedBy(
  fleet: Pick<Fleet, 'settings'>,
  changes: readonly IntentChange[],
  paths: readonly string[],
): ReadonlySet<string> {
  const moved = new Set(paths.map((path) => keyOf('path', path)))
  for (const { path, before, after } of changes) {
    moved.add(keyOf('path', path))
    for (const intent of [before, after]) {
      if (intent === undefined) continue
      for (const key of namesOf(fleet, intent)) moved.add(key)
      if (intent.kind === 'Cluster') moved.add(PLACES)
    }
  }
  return moved
}

export function isConcerned(concerns: ReadonlySet<string>, moved: ReadonlySet<string>): boolean {
  if (concerns.has(EVERYTHING)) return true
  for (const key of moved) if (concerns.has(key)) return true
  return false
}

/** What there is once in the fleet. */
function namesOf(fleet: Pick<Fleet, 'settings'>, intent: Intent): readonly string[] {
  switch (intent.kind) {
    case 'Fleet':
      return []
    case 'Cluster':
      return [keyOf('cluster', intent.metadata.name)]
    case 'Group':
      return [keyOf('group', intent.metadata.name)]
    case 'SharedDatabase':
      return [keyOf('database', intent.metadata.name)]
    case 'Tombstone':
      return installationNames(fleet, intent.spec.installation)
    default:
      return installationNames(fleet, intent)
  }
}

function installationNames(
  { settings }: Pick<Fleet, 'settings'>,
  { metadata, spec }: Installation | InstallationRequest,
): readonly string[] {
  const dns = (spec.dns ?? []).map((entry) => (typeof entry === 'string' ? entry : entry.name))
  const names = dns.length > 0 ? dns : [`${metadata.name}.${settings.spec.domain}`]
  return [
    keyOf('name', metadata.name),
    ...(metadata.id === undefined ? [] : [keyOf('installation', metadata.id)]),
    ...names.map((name) => keyOf('dns', name.toLowerCase())),
  ]
}

/** What it needs of others. */
function usesOf(intent: Intent): readonly string[] {
  if (intent.kind !== 'Installation' && intent.kind !== 'InstallationRequest') return []
  const { spec } = intent
  const shared = typeof spec.database === 'object' ? spec.database.shared?.database : undefined
  const cluster = intent.kind === 'Installation' ? intent.spec.placement?.cluster : undefined
  return [
    ...(typeof spec.group === 'string' ? [keyOf('group', spec.group)] : []),
    ...(shared === undefined ? [] : [keyOf('database', shared)]),
    cluster === undefined ? PLACES : keyOf('cluster', cluster),
  ]
}

function keyOf(kind: string, name: string): string {
  return `${kind}:${name}`
}
