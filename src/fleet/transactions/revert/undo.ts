/** What a commit did to one object, and how the whole of it is taken back. */
import { isDeepStrictEqual } from 'node:util'
import { type ErrorDetail, FleetError } from '../../errors.ts'
import type { Id, ObjectId } from '../../ids.ts'
import type { Group, Installation } from '../../intents.ts'
import { type FieldKind, undoField } from './undo-fields.ts'

/** One commit's effect on one object. `was` or `did` undefined: the commit created it, or removed it. */
export interface Effect<Item extends Installation | Group> {
  readonly id: Id
  readonly commit: ObjectId
  /** Of the commit's message. */
  readonly subject: string
  readonly was: Item | undefined
  readonly did: Item | undefined
}

/** How each field of a spec is undone. */
export interface FieldRules {
  readonly kinds: Readonly<Record<string, FieldKind>>
  /** Decided anew by the transaction, or changed by locks only: never undone. */
  readonly kept: readonly string[]
  /** Fields of operations that have their own way back, with that way. */
  readonly refused: Readonly<Record<string, string>>
}

/** @throws FleetError `revert-conflict` with every field that stands against it */
export function undoObject<Item extends Installation | Group>(
  { commit, was, did }: Effect<Item>,
  now: Item,
  rules: FieldRules,
): Item {
  const what = `${now.kind.toLowerCase()} ${now.metadata.name}`
  if (was === undefined)
    throw conflict(`Commit ${commit} created ${what}; delete it instead of reverting that.`)
  if (did === undefined)
    throw conflict(`Commit ${commit} removed the document of ${what}; that is not undone by a revert.`)
  const before: Readonly<Record<string, unknown>> = { ...was.spec }
  const after: Readonly<Record<string, unknown>> = { ...did.spec }
  const present: Readonly<Record<string, unknown>> = { ...now.spec }
  const conflicts: ErrorDetail[] = []
  const spec: Record<string, unknown> = { ...present }
  for (const field of new Set([...Object.keys(before), ...Object.keys(after)])) {
    if (rules.kept.includes(field) || isDeepStrictEqual(before[field], after[field])) continue
    const way = rules.refused[field]
    if (way !== undefined) throw conflict(`Commit ${commit} changed ${field} of ${what}; ${way}.`)
    const versions = { was: before[field], did: after[field], now: present[field] }
    const undone = undoField(rules.kinds[field] ?? 'whole', versions, `/spec/${field}`)
    conflicts.push(...undone.conflicts)
    if (undone.value === undefined) delete spec[field]
    else spec[field] = undone.value
  }
  const annotations = undoField(
    'names',
    { was: was.metadata.annotations, did: did.metadata.annotations, now: now.metadata.annotations },
    '/metadata/annotations',
  )
  conflicts.push(...annotations.conflicts)
  const [first] = conflicts
  if (first !== undefined)
    throw conflict(
      `Commit ${commit} cannot be undone for ${what}: ${first.pointer} ${first.detail}.`,
      conflicts,
    )
  const { annotations: _, ...metadata } = now.metadata
  const named = annotations.value === undefined ? metadata : { ...metadata, annotations: annotations.value }
  // Every field is one of three versions of itself, entry by entry; the rules of the fleet are checked with the changes.
  return { ...now, metadata: named, spec } as unknown as Item
}

export function conflict(detail: string, errors?: readonly ErrorDetail[]): FleetError {
  return new FleetError('revert-conflict', detail, errors === undefined ? {} : { errors })
}
