/** Undoes a commit's effect on one installation. */
import { isDeepStrictEqual } from 'node:util'
import type { Fleet } from '../../fleet.ts'
import type { Installation } from '../../intents.ts'
import type { Transaction } from '../../transaction.ts'
import {
  changeOf,
  requireInstallation,
  requireState,
  requireUnlocked,
  type StateOf,
  timestamp,
  trailersOf,
  withOperation,
} from '../installations/common.ts'
import { describeUpdate } from '../installations/update.ts'
import { changeLine, lines } from '../text.ts'
import { conflict, type Effect, type FieldRules, undoObject } from './undo.ts'

const RULES: FieldRules = {
  kinds: {
    env: 'map',
    priorityEnv: 'map',
    volumes: 'map',
    dns: { listBy: 'id' },
    allowedIpRanges: { listBy: 'cidrBlock' },
  },
  kept: ['operation', 'apiLocked', 'deletionLocked'],
  refused: {
    placement: 'move the installation instead',
    clusterInstallations: 'move the installation instead',
    hibernated: 'hibernate it or wake it up instead',
    deletion: 'schedule or cancel the deletion instead',
    database: 'data does not move by a revert; migrate the database instead',
    filestore: 'data does not move by a revert',
  },
}

export interface Reverted {
  /** False: nothing of the commit's effect was left. */
  readonly changed: boolean
}

/** @throws FleetError (in the transaction) `not-found`, `revert-conflict`, `api-locked`, `invalid-state` */
export function revertInstallation(effect: Effect<Installation>, stateOf: StateOf): Transaction<Reverted> {
  return (fleet, context) => {
    const before = requireInstallation(fleet, effect.id)
    requireUnlocked(before)
    requireEffect(effect)
    const undone = undoObject(effect, before, RULES)
    const subject = `Revert "${effect.subject}" for installation ${before.metadata.name}`
    const trailers = { ...trailersOf(fleet, before), Reverts: effect.commit }
    if (isDeepStrictEqual(undone, before))
      return { changes: [], text: { subject, trailers }, value: { changed: false } }
    requireGroupSequence(fleet, undone)
    const after = needsUpdate(before, undone)
      ? updated(fleet, before, undone, stateOf, timestamp(context.now))
      : undone
    const text = { subject, body: describe(before, after), trailers }
    return { changes: changeOf(fleet, after), text, value: { changed: true } }
  }
}

function updated(
  fleet: Fleet,
  before: Installation,
  after: Installation,
  stateOf: StateOf,
  now: string,
): Installation {
  // An update that is stuck is undone while it is under way: nothing else would get it out.
  if (stateOf(fleet, before) !== 'update-in-progress') requireState(fleet, before, 'update', stateOf)
  return withOperation(after, 'update', now)
}

/** Membership and annotations change without an operation of the installation, as they came. */
function needsUpdate(before: Installation, after: Installation): boolean {
  const rest = ({ group: _, groupSequence: __, ...spec }: Installation['spec']): unknown => spec
  return !isDeepStrictEqual(rest(before.spec), rest(after.spec))
}

/** @throws FleetError `revert-conflict` when locks are all that the commit changed */
function requireEffect({ commit, was, did }: Effect<Installation>): void {
  if (was === undefined || did === undefined) return
  const rest = ({ apiLocked: _, deletionLocked: __, ...spec }: Installation['spec']): unknown => spec
  if (!isDeepStrictEqual(rest(was.spec), rest(did.spec)) || !isDeepStrictEqual(was.metadata, did.metadata))
    return
  throw conflict(`Commit ${commit} changed a lock only; lock or unlock the installation instead.`)
}

/** @throws FleetError `revert-conflict` */
function requireGroupSequence(fleet: Fleet, { spec }: Installation): void {
  const group = typeof spec.group === 'string' ? fleet.group(spec.group) : undefined
  const wanted = spec.groupSequence
  if (group === undefined || wanted === undefined || wanted === group.spec.sequence) return
  if (group.spec.previous?.some(({ sequence }) => sequence === wanted)) return
  throw conflict(
    `Group ${group.spec.displayName} does not keep its configuration of sequence ${wanted} any more; revert the change of the group instead.`,
  )
}

function describe(
  { metadata: wasMetadata, spec: was }: Installation,
  { metadata, spec }: Installation,
): string {
  const names = (dns: Installation['spec']['dns']): readonly string[] =>
    dns.filter(({ deletedAt }) => deletedAt === undefined).map(({ name }) => name)
  return lines(
    describeUpdate(was, spec),
    changeLine('Group', was.group, spec.group),
    changeLine('Group sequence', was.groupSequence, spec.groupSequence),
    changeLine('DNS names', names(was.dns), names(spec.dns)),
    changeLine('Annotations', wasMetadata.annotations, metadata.annotations),
  )
}
