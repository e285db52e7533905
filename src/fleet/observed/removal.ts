/** How far the removal of an installation from its cluster has come. Pure; fails closed: what is not known is still there. */
import { staysOnCluster } from '../deletion.ts'
import type { Timestamp, Tombstone } from '../intents.ts'
import type { Step } from './judge.ts'
import type { EngineSight, InstallationSight } from './sight.ts'

/** `empty`: nothing protects it any more, so the manifest may be emptied. `finish`: nothing is left, so the documents may go. */
export type RemovalStep = 'empty' | 'finish'

export interface DeletionInput {
  readonly tombstone: Tombstone | undefined
  /** Everything on the cluster has been told, so what was not seen is not there. */
  readonly fresh: boolean
  /** Why it does not go on. */
  readonly hold?: string
}

export const NOTHING_KNOWN: DeletionInput = { tombstone: undefined, fresh: false }

const NOT_KNOWN = 'What is on the cluster is not known at the moment'
const NOT_ANY_MORE = 'Nothing of it is on the cluster; waits until the engine can no longer bring it there'
/** So long an engine that nobody hears of, or that fails, may still be about to apply what it read before. */
const UNHEARD_MILLISECONDS = 60_000
/** A provider that does not act for so long is not waited for: it may have made nothing at all. */
const DATA_MILLISECONDS = 30 * 60_000

/** @param now milliseconds since 1970 */
export function deletionStep(sight: InstallationSight, input: DeletionInput, now: number): Step {
  const { tombstone, hold } = input
  if (hold !== undefined)
    return {
      state: tombstone === undefined ? 'deletion-requested' : 'deletion-in-progress',
      reason: hold,
      done: false,
      queued: true,
    }
  if (tombstone === undefined)
    return { state: 'deletion-requested', reason: 'Its removal is about to be prepared', done: false }
  if (tombstone.spec.emptiedAt === undefined) return leaving(sight, tombstone, input.fresh, now)
  return emptied(sight, input, tombstone, now)
}

function leaving(sight: InstallationSight, tombstone: Tombstone, fresh: boolean, now: number): Step {
  const state = 'deletion-in-progress'
  const step = (reason: string): Step => ({ state, reason, done: false })
  if (!fresh) return step(NOT_KNOWN)
  const { engine, namespace, mattermost, resources } = sight
  const ready: Step = { ...step('Nothing protects it any more'), removalStep: 'empty' }
  if (namespace === 'missing') {
    const again = engineIsDone(engine, tombstone.spec.notBefore, now)
    return again === true ? ready : { ...step(NOT_ANY_MORE), ...again }
  }
  const applied =
    engine === undefined ? mattermost?.leaving === true : engine.current && engine.sync === 'synced'
  if (!applied)
    return step(
      engine?.sync === 'failed'
        ? `The engine cannot take its protection away: ${engine.message ?? 'it does not say why'}`
        : 'Its protection is being taken away',
    )
  const until = Date.parse(tombstone.spec.notBefore) + DATA_MILLISECONDS
  const open = resources.find(
    ({ kind, report }) => mustBeTold(tombstone, kind) && report.health === 'progressing',
  )
  if (open === undefined || now >= until) return ready
  return { ...step(`${open.kind} ${open.name}: ${open.report.message}`), againAt: until }
}

/** AWS refuses to delete what is guarded until the provider has lifted the guard. */
function mustBeTold({ spec }: Tombstone, kind: string): boolean {
  const { database, filestore } = spec.installation.spec
  if (kind === 'Cluster') return !spec.keep.database && database.kind === 'aws-rds-postgres'
  return kind === 'Bucket' && !spec.keep.filestore && filestore.kind === 'aws-s3'
}

/** True: it applies nothing older than the present manifest any more. Otherwise when time may tell. */
function engineIsDone(
  engine: EngineSight | undefined,
  since: Timestamp,
  now: number,
): true | { readonly againAt?: number } {
  if (engine?.current === true && engine.sync === 'synced') return true
  // One that fails may be about to try again what it could not do before.
  if (engine !== undefined && (engine.sync !== 'failed' || !engine.current)) return {}
  const againAt = Date.parse(since) + UNHEARD_MILLISECONDS
  return now >= againAt ? true : { againAt }
}

function emptied(sight: InstallationSight, input: DeletionInput, tombstone: Tombstone, now: number): Step {
  const { engine, namespace, mattermost, resources } = sight
  const { fresh } = input
  const cleaning = fresh && mattermost === undefined
  const state = cleaning ? 'deletion-final-cleanup' : 'deletion-in-progress'
  const step = (reason: string): Step => ({ state, reason, done: false })
  if (!fresh) return step(NOT_KNOWN)
  const stays = staysOnCluster(tombstone)
  const left = stays ? resources.filter(({ kind }) => kind !== 'Cluster') : resources
  const gone = stays ? mattermost === undefined && left.length === 0 : namespace === 'missing'
  if (gone) {
    const done = engineIsDone(engine, tombstone.spec.emptiedAt ?? tombstone.spec.notBefore, now)
    if (done !== true) return { ...step(NOT_ANY_MORE), ...done }
    const reason = stays ? 'Only its database is left on the cluster' : 'Nothing of it is left on the cluster'
    return { ...step(reason), removalStep: 'finish' }
  }
  if (mattermost !== undefined) return step('Mattermost is being removed')
  const [first] = left
  if (first !== undefined) return step(`${first.kind} ${first.name}: ${first.report.message}`)
  return step(
    namespace === 'terminating'
      ? 'Kubernetes removes its namespace'
      : 'The engine has not removed its namespace yet',
  )
}
