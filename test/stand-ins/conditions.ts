/** Conditions of a status, with the time of the last change kept. */

export interface NewCondition {
  readonly type: string
  readonly status: 'True' | 'False'
  readonly reason: string
  readonly message?: string
  readonly observedGeneration?: number
}

interface OldCondition {
  readonly type?: string
  readonly status?: string
  readonly lastTransitionTime?: string
}

/** The new ones, each with `lastTransitionTime`; those of other types stay. */
export function conditionsWith(
  before: readonly OldCondition[] = [],
  conditions: readonly NewCondition[],
): readonly object[] {
  const fresh = conditions.map((condition) => {
    const old = before.find(({ type }) => type === condition.type)
    const isSame = old?.status === condition.status
    const lastTransitionTime = isSame ? old.lastTransitionTime : new Date().toISOString().replace(/\.\d+/, '')
    return { ...condition, lastTransitionTime }
  })
  const types = new Set(conditions.map(({ type }) => type))
  return [...before.filter(({ type = '' }) => !types.has(type)), ...fresh]
}
