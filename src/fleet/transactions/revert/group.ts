/** Undoes a commit's effect on one group. Members follow as with any other change of their group. */
import { isDeepStrictEqual } from 'node:util'
import { FleetError } from '../../errors.ts'
import type { Fleet } from '../../fleet.ts'
import type { Group } from '../../intents.ts'
import { groupPath } from '../../paths.ts'
import type { Transaction } from '../../transaction.ts'
import {
  configurationIn,
  describeGroupUpdate,
  previousConfigurations,
  requireFreeGroupName,
  requireUnlockedGroup,
} from '../groups/groups.ts'
import { changeLine, lines } from '../text.ts'
import type { Reverted } from './installation.ts'
import { conflict, type Effect, type FieldRules, undoObject } from './undo.ts'

const RULES: FieldRules = {
  kinds: { env: 'map' },
  kept: ['sequence', 'previous', 'apiLocked'],
  refused: {},
}

/** @throws FleetError (in the transaction) `not-found`, `revert-conflict`, `api-locked`, `name-taken` */
export function revertGroup(effect: Effect<Group>): Transaction<Reverted> {
  return (fleet) => {
    const before = fleet.groupById(effect.id)
    if (before === undefined) throw new FleetError('not-found', `There is no group ${effect.id}.`)
    requireUnlockedGroup(before)
    requireEffect(effect)
    const undone = withDeletion(effect, before, undoObject(effect, before, RULES))
    const subject = `Revert "${effect.subject}" for group ${before.spec.displayName}`
    const trailers = { Group: effect.id, Reverts: effect.commit }
    if (isDeepStrictEqual(undone, before))
      return { changes: [], text: { subject, trailers }, value: { changed: false } }
    requireFreeGroupName(fleet, undone.spec.displayName, effect.id)
    const after = withSequence(fleet, before, undone)
    const body = lines(
      describeGroupUpdate(before, after),
      changeLine('Annotations', before.metadata.annotations, after.metadata.annotations),
      changeLine('Deleted', before.metadata.deletedAt, after.metadata.deletedAt),
    )
    const changes = [{ path: groupPath(before.metadata.name), before, after }]
    return { changes, text: { subject, body, trailers }, value: { changed: true } }
  }
}

/** @throws FleetError `revert-conflict` when the lock is all that the commit changed */
function requireEffect({ commit, was, did }: Effect<Group>): void {
  if (was === undefined || did === undefined) return
  const rest = ({ metadata, spec: { apiLocked: _, ...spec } }: Group): unknown => ({ metadata, spec })
  if (!isDeepStrictEqual(rest(was), rest(did))) return
  throw conflict(`Commit ${commit} changed a lock only; lock or unlock the group instead.`)
}

/** A deletion is undone; a deleted group is changed in no other way. @throws FleetError `not-found`, `revert-conflict` */
function withDeletion({ commit, was, did }: Effect<Group>, before: Group, undone: Group): Group {
  const { deletedAt, ...metadata } = undone.metadata
  const deleted = did?.metadata.deletedAt
  if (was?.metadata.deletedAt === deleted) {
    if (deletedAt === undefined) return undone
    throw new FleetError(
      'not-found',
      `Group ${before.spec.displayName} was deleted; revert its deletion first.`,
    )
  }
  if (deleted === undefined)
    throw conflict(`Commit ${commit} brought the group back; delete it instead of reverting that.`)
  if (deletedAt === undefined || deletedAt === deleted) return { ...undone, metadata }
  throw conflict(`Group ${before.spec.displayName} was deleted once more since commit ${commit}.`)
}

/** A configuration that members may run already keeps its sequence; the one that comes back gets a new one. */
function withSequence(fleet: Fleet, before: Group, undone: Group): Group {
  if (isDeepStrictEqual(configurationIn(before.spec), configurationIn(undone.spec))) return undone
  const { previous: _, ...spec } = undone.spec
  const previous = previousConfigurations(fleet, before)
  return {
    ...undone,
    spec: {
      ...spec,
      sequence: before.spec.sequence + 1,
      ...(previous === undefined || previous.length === 0 ? {} : { previous }),
    },
  }
}
