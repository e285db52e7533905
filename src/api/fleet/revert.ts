/** Undoes a commit's effect on one installation or group, as a new change. */
import { FleetError } from '../../fleet/errors.ts'
import type { FleetPath, Id, ObjectId } from '../../fleet/ids.ts'
import { isId } from '../../fleet/ids.ts'
import type { Group, Installation, Intent } from '../../fleet/intents.ts'
import { roleOf } from '../../fleet/paths.ts'
import { installationOf } from '../../fleet/requests.ts'
import { secretKeysIn } from '../../fleet/secret-references.ts'
import type { Transaction } from '../../fleet/transaction.ts'
import { revertGroup } from '../../fleet/transactions/revert/group.ts'
import { type Reverted, revertInstallation } from '../../fleet/transactions/revert/installation.ts'
import type { Effect } from '../../fleet/transactions/revert/undo.ts'
import type { HandlerContext, Parts } from '../context.ts'
import { requireFree } from '../leases.ts'
import { type Answer, json, type Route } from '../routes.ts'
import { object, text } from '../shapes.ts'
import { stateOf } from '../views/installation.ts'
import { readCommit } from './commits.ts'

const KINDS = ['installation', 'group'] as const
type Kind = (typeof KINDS)[number]

const REVERT = object({
  commit: text('Commit to undo, 40 hexadecimal digits'),
  kind: text('installation or group'),
  id: text('Id of the one object for which it is undone'),
})

const REVERTED_SCHEMA = {
  type: 'object',
  required: ['kind', 'id', 'reverts', 'commit', 'changed'],
  properties: {
    kind: { enum: [...KINDS] },
    id: { type: 'string' },
    reverts: { type: 'string', description: 'The commit that was undone' },
    commit: {
      type: ['string', 'null'],
      description: 'The commit that undoes it; null: nothing was left to undo',
    },
    changed: { type: 'boolean' },
  },
} as const

export function revertRoute(parts: Parts): Route {
  return {
    method: 'POST',
    path: '/api/fleet/revert',
    operationId: 'revertCommit',
    role: 'writer',
    wire: false,
    summary: "Undo a commit's effect on one installation or group",
    request: REVERT,
    responses: {
      200: { description: 'Undone, or nothing was left to undo', schema: REVERTED_SCHEMA },
      202: { description: 'Awaits a review: changed is false until it is merged', schema: REVERTED_SCHEMA },
    },
    handler: (context) => handleRevert(parts, context),
    replay: (context, { commit, trailers }) => {
      const wanted = readTarget(context)
      return trailers.Reverts === wanted.commit ? answer(wanted, commit) : undefined
    },
  }
}

interface Target {
  readonly commit: ObjectId
  readonly kind: Kind
  readonly id: Id
}

async function handleRevert(parts: Parts, context: HandlerContext): Promise<Answer> {
  const target = readTarget(context)
  requireObject(parts, target)
  requireFree(parts.leases, target.kind, target.id)
  const { transaction, restores } = await prepare(parts, target)
  return await context.submit({ transaction, restores, answer: (_value, commit) => answer(target, commit) })
}

function answer({ kind, id, commit: reverts }: Target, commit: ObjectId | undefined): Answer {
  return json(200, { kind, id, reverts, commit: commit ?? null, changed: commit !== undefined })
}

/** @throws FleetError `invalid-request` */
function readTarget(context: HandlerContext): Target {
  const body = context.decode(REVERT)
  const commit = readCommit(body.commit ?? '', '/commit')
  const kind = KINDS.find((candidate) => candidate === body.kind)
  if (kind === undefined) throw invalid('/kind', `must be one of ${KINDS.join(', ')}`)
  if (body.id === undefined || !isId(body.id)) throw invalid('/id', 'must be an id of 26 letters and digits')
  return { commit, kind, id: body.id }
}

function invalid(pointer: string, detail: string): FleetError {
  return new FleetError('invalid-request', `${pointer} ${detail}.`, { errors: [{ pointer, detail }] })
}

/** @throws FleetError `not-found` */
function requireObject({ writer }: Parts, { kind, id }: Target): void {
  const found = kind === 'group' ? writer.fleet.groupById(id) : writer.fleet.installation(id)
  if (found === undefined) throw new FleetError('not-found', `There is no ${kind} ${id}.`)
}

interface Prepared {
  readonly transaction: Transaction<Reverted>
  /** Keys that the change refers to again. */
  readonly restores: readonly string[]
}

/** @throws FleetError `not-found`, `invalid-document` */
async function prepare(parts: Parts, target: Target): Promise<Prepared> {
  const { history } = parts
  const [entry] = await history.log({ limit: 1, from: target.commit })
  if (entry === undefined || !(await history.isOnMain(target.commit)))
    throw new FleetError('not-found', `There is no commit ${target.commit} on main of the fleet repository.`)
  const { subject } = entry
  if (target.kind === 'group') {
    const { was, did } = await versions(parts, target, (intent) =>
      intent.kind === 'Group' ? intent : undefined,
    )
    const effect: Effect<Group> = { id: target.id, commit: target.commit, subject, was, did }
    return { transaction: revertGroup(effect), restores: restored(was, did) }
  }
  const { settings } = parts.writer.fleet
  const { was, did } = await versions(parts, target, (intent) => {
    if (intent.kind === 'InstallationRequest') return installationOf(intent, settings)
    return intent.kind === 'Installation' ? intent : undefined
  })
  const effect: Effect<Installation> = { id: target.id, commit: target.commit, subject, was, did }
  const transaction = revertInstallation(effect, (fleet, installation) => stateOf(parts, fleet, installation))
  return { transaction, restores: restored(was, did) }
}

interface Versions<Item> {
  readonly was: Item | undefined
  readonly did: Item | undefined
}

/** The object before and after the commit. @throws FleetError `not-found` when the commit did not touch it */
async function versions<Item extends Installation | Group>(
  { history, documents, writer }: Parts,
  { commit, kind, id }: Target,
  pick: (intent: Intent) => Item | undefined,
): Promise<Versions<Item>> {
  const group = kind === 'group' ? writer.fleet.groupById(id)?.metadata.name : undefined
  const paths = (await history.changedPaths(commit)).filter((path) => isAbout(path, id, group))
  const parent = await history.parentOf(commit)
  const read = async (at: ObjectId | undefined): Promise<Item | undefined> => {
    for (const path of at === undefined ? [] : paths) {
      const content = at === undefined ? undefined : await history.fileAt(at, path)
      // Only paths of the layout pass `isAbout`.
      const found = content === undefined ? undefined : pick(documents.parse(path as FleetPath, content))
      if (found?.metadata.id === id) return found
    }
    return undefined
  }
  const [was, did] = [await read(parent), await read(commit)]
  if (was !== undefined || did !== undefined) return { was, did }
  throw new FleetError('not-found', `Commit ${commit} did not change the ${kind} ${id}.`)
}

function isAbout(path: string, id: Id, group: string | undefined): boolean {
  const role = roleOf(path)
  if (role.role !== 'intent') return false
  if (role.kind === 'Group') return group !== undefined && role.name === group
  return (role.kind === 'Installation' || role.kind === 'InstallationRequest') && role.name === id
}

function restored(was: Intent | undefined, did: Intent | undefined): readonly string[] {
  const present = secretKeysIn(did)
  return [...secretKeysIn(was)].filter((key) => !present.has(key))
}
