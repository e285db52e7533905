/**
 * An operation only goes forward: watches tell of objects in no particular order, and a portal must not see a step that was
 * reached taken back. What failed may go on again.
 */
const STEPS: readonly RegExp[] = [
  /-requested$|no-compatible-clusters$/,
  /-pre-provisioning$/,
  /-configuring-dns$|-dns$/,
  /-in-progress$|-failed$/,
  /-final-(?:tasks|cleanup)$/,
]

/** The further one of two states of one operation; the later one when they are equally far. */
export function furthest(reached: string | undefined, state: string): string {
  if (reached === undefined) return state
  return rank(reached) > rank(state) ? reached : state
}

function rank(state: string): number {
  const step = STEPS.findIndex((pattern) => pattern.test(state))
  return step < 0 ? STEPS.length : step
}
