/** What never changes about an object, and what there is exactly one of. */
import type { IntentChange } from '../fleet.ts'
import type { Installation } from '../intents.ts'
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
