/**
 * Rules across documents. Transactions are refused when they break one; documents that people commit are held.
 * Cost follows the change: each rule looks things up in the index.
 */
import { type ErrorCode, FleetError } from '../errors.ts'
import type { Problem } from '../files.ts'
import type { Fleet, IntentChange } from '../fleet.ts'
import { findSecrets } from '../secret-scan.ts'
import { completenessViolations } from './completeness.ts'
import { identityViolations } from './identity.ts'
import { lockViolations } from './locks.ts'
import { referenceViolations } from './references.ts'
import { removalViolations } from './removal.ts'
import { sharingViolations } from './sharing.ts'
import { useViolations } from './use.ts'

export interface Violation {
  readonly path: string
  /** JSON pointer into the document; empty: the whole. */
  readonly pointer: string
  readonly code: ErrorCode
  /** What is wrong; what would be right. */
  readonly detail: string
}

/** @throws FleetError the first rule that the changes would break, with all of them in `errors` */
export function refuseViolations(fleet: Fleet, changes: readonly IntentChange[]): void {
  const found = violations(fleet, changes)
  const first = found[0]
  if (first === undefined) return
  const errors = found.map(({ pointer, detail }) => ({ pointer, detail }))
  throw new FleetError(first.code, sentence(first.detail), { path: first.path, errors })
}

/** What is wrong with changes that somebody committed: the rules, and what only the API may do. */
export function violationProblems(fleet: Fleet, changes: readonly IntentChange[]): readonly Problem[] {
  return [...violations(fleet, changes), ...changes.flatMap(lockViolations)].map(
    ({ path, pointer, code, detail }) => ({
      path,
      line: 0,
      column: 0,
      code,
      detail,
      pointer,
    }),
  )
}

function violations(fleet: Fleet, changes: readonly IntentChange[]): readonly Violation[] {
  return [
    ...removalViolations(fleet, changes),
    ...changes.flatMap((change) => [
      ...identityViolations(fleet, changes, change),
      ...referenceViolations(fleet, changes, change),
      ...useViolations(fleet, change),
      ...sharingViolations(fleet, change),
      ...completenessViolations(fleet, change),
      ...secretViolations(fleet, change),
    ]),
  ]
}

function secretViolations(fleet: Fleet, { path, before, after }: IntentChange): readonly Violation[] {
  if (after === undefined) return []
  const extra = fleet.settings.spec.secretEnvNames ?? []
  return findSecrets(after, { extra, before }).map(({ pointer, detail }) => ({
    path,
    pointer,
    code: 'secret-in-git' as const,
    detail,
  }))
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
