/** Locks hold against commits as they do against the API: only the lock itself may change. */
import { isDeepStrictEqual } from 'node:util'
import type { IntentChange } from '../fleet.ts'
import type { Violation } from './check.ts'

export function lockViolations({ path, before, after }: IntentChange): readonly Violation[] {
  if (
    before === undefined ||
    before.kind === 'Fleet' ||
    before.kind === 'Tombstone' ||
    before.kind === 'SharedDatabase'
  )
    return []
  if (before.spec.apiLocked !== true) return []
  if (after !== undefined && isDeepStrictEqual(unlocked(before), unlocked(after))) return []
  const detail = `this ${before.kind.toLowerCase()} is locked (spec.apiLocked); remove the lock in a commit of its own first`
  return [{ path, pointer: '/spec/apiLocked', code: 'api-locked', detail }]
}

function unlocked(intent: NonNullable<IntentChange['after']>): unknown {
  return { ...intent, spec: { ...intent.spec, apiLocked: undefined } }
}
