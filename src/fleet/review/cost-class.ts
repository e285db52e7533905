/**
 * How much an installation costs, as a class and without prices. By the memory that its pods may use together:
 * up to 8 GiB small, up to 16 GiB medium, up to 32 GiB large, more very large; a hibernated one has no pods.
 * An RDS cluster of its own makes it one class more, one with replicas two. One that is alone on its cluster costs the
 * cluster: very large, hibernated or not. Files cost by what is stored, which nobody knows here.
 */
import type { Installation } from '../intents.ts'
import { type Size, sizeOf } from '../sizes.ts'
import type { CostClass } from './plan.ts'

const CLASSES = ['small', 'medium', 'large', 'very large'] as const satisfies readonly CostClass[]

export function costClass({ spec }: Installation): CostClass {
  if (spec.affinity === 'isolated') return 'very large'
  const pods = spec.hibernated === true ? 0 : classOfPods(sizeOf(spec.size))
  return CLASSES[pods + classesOfDatabase(spec.database)] ?? 'very large'
}

/** An unknown size is a problem of its own. */
function classOfPods(size: Size | undefined): number {
  if (size === undefined) return 0
  const gibibytes = size.replicas * Number.parseInt(size.limits.memory, 10)
  return gibibytes <= 8 ? 0 : gibibytes <= 16 ? 1 : gibibytes <= 32 ? 2 : 3
}

function classesOfDatabase({ kind, single }: Installation['spec']['database']): number {
  if (kind !== 'aws-rds-postgres' && kind !== 'aws-rds') return 0
  return (single?.replicasCount ?? 0) > 0 ? 2 : 1
}
