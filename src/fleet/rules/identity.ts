/** What never changes about an object, and what there is exactly one of. */
import type { Fleet, IntentChange } from '../fleet.ts'
import type { FleetPath, Id } from '../ids.ts'
import type { Installation, Intent } from '../intents.ts'
import { installationPath, requestPath } from '../paths.ts'
import type { Violation } from './check.ts'

export function identityViolations({ path, before, after }: IntentChange): readonly Violation[] {
  if (after === undefined) return []
  const found: Violation[] = after.kind === 'Installation' ? [...primaryViolations(path, after)] : []
  if (before === undefined || before.kind !== after.kind || after.kind === 'Fleet' || before.kind === 'Fleet')
    return found
  for (const field of ['id', 'createdAt'] as const) {
    const was = before.metadata[field]
    if (was === undefined || was === after.metadata[field]) continue
    const detail = `${field} is ${after.metadata[field] ?? 'absent'} but was ${was}, and never changes; set it back`
    found.push({ path, pointer: `/metadata/${field}`, code: 'invalid-document', detail })
  }
  return found
}

function primaryViolations(path: string, { spec }: Installation): readonly Violation[] {
  const live = spec.dns.filter(({ deletedAt }) => deletedAt === undefined)
  const primaries = live.filter(({ primary }) => primary === true).length
  if (live.length === 0) {
    return [
      {
        path,
        pointer: '/spec/dns',
        code: 'invalid-document',
        detail: 'no DNS name is left; keep at least one',
      },
    ]
  }
  if (primaries === 1) return []
  const detail = `${primaries} DNS names have primary: true; exactly one must`
  return [{ path, pointer: '/spec/dns', code: 'invalid-document', detail }]
}

/** An installation stands in one document: on a cluster, or among the requests. */
export function duplicateViolations(fleet: Fleet, changes: readonly IntentChange[]): readonly Violation[] {
  const leaving = new Set(changes.flatMap(({ path, after }) => (after === undefined ? [path] : [])))
  const coming = new Map<Id, FleetPath>()
  return changes.flatMap(({ path, after }) => {
    const id = liveId(after)
    if (id === undefined) return []
    const other = coming.get(id) ?? presentPath(fleet, id)
    coming.set(id, path)
    if (other === undefined || other === path || leaving.has(other)) return []
    const detail = `the id ${id} is also that of ${other}; remove one of the two`
    return [{ path, pointer: '/metadata/id', code: 'invalid-document' as const, detail }]
  })
}

function liveId(intent: Intent | undefined): Id | undefined {
  return intent?.kind === 'Installation' || intent?.kind === 'InstallationRequest'
    ? intent.metadata.id
    : undefined
}

function presentPath(fleet: Fleet, id: Id): FleetPath | undefined {
  const placement = fleet.installation(id)?.spec.placement
  const path = placement === undefined ? requestPath(id) : installationPath(placement.cluster, id)
  return fleet.intent(path) === undefined ? undefined : path
}
