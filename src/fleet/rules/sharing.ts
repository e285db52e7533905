/** Isolated installations have their cluster for themselves. */
import type { Fleet, IntentChange } from '../fleet.ts'
import type { Violation } from './check.ts'

export function sharingViolations(fleet: Fleet, { path, before, after }: IntentChange): readonly Violation[] {
  if (after?.kind !== 'Installation' || after.spec.placement === undefined) return []
  const was = before?.kind === 'Installation' ? before : undefined
  const { cluster } = after.spec.placement
  if (was?.spec.placement?.cluster === cluster && was.spec.affinity === after.spec.affinity) return []
  const { installations, isolated } = fleet.occupancy(cluster)
  const others = installations - (was?.spec.placement?.cluster === cluster ? 1 : 0)
  const at = { path, pointer: '/spec/affinity', code: 'invalid-document' as const }
  if (after.spec.affinity === 'isolated' && others > 0)
    return [
      {
        ...at,
        detail: `cluster ${cluster} already has installations; an isolated one needs an empty cluster`,
      },
    ]
  if (isolated && others > 0)
    return [
      { ...at, detail: `cluster ${cluster} belongs to an isolated installation; choose another cluster` },
    ]
  return []
}
