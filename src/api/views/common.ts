/** Pieces of the original's JSON. */
import { annotationId } from '../../fleet/annotations.ts'
import type { Id } from '../../fleet/ids.ts'
import type { Env, EnvValue } from '../../fleet/intents.ts'
import type { Leases, ObservedKind } from '../../ports/observations.ts'

/** What stands for a value that is kept in the secret backend. */
export const SECRET_IS_SET = '********'

export function milliseconds(timestamp: string | undefined): number {
  return timestamp === undefined ? 0 : Date.parse(timestamp)
}

export function annotationViews(names: readonly string[] | undefined): readonly object[] | undefined {
  return names === undefined || names.length === 0
    ? undefined
    : names.map((name) => ({ ID: annotationId(name), Name: name }))
}

export function envView(env: Env | undefined): Readonly<Record<string, object>> | null {
  if (env === undefined) return null
  return Object.fromEntries(Object.entries(env).map(([name, value]) => [name, envValueView(value)]))
}

function envValueView(value: EnvValue): object {
  return 'secret' in value ? { value: SECRET_IS_SET } : value
}

export function lockView(
  leases: Leases,
  kind: ObservedKind,
  id: Id,
): { readonly LockAcquiredBy: string | null; readonly LockAcquiredAt: number } {
  const lease = leases.get(kind, id)
  return { LockAcquiredBy: lease?.holder ?? null, LockAcquiredAt: lease?.acquiredAt ?? 0 }
}
