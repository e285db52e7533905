/**
 * How long a commit takes to its cluster: from when it is on the remote until the engine has applied it, and until the Mattermost
 * resource of that operation lives. Cost follows what changes.
 */
import type { Id } from '../fleet/ids.ts'
import type { EngineName } from '../fleet/intents.ts'
import type { InstallationSight } from '../fleet/observed/sight.ts'
import { roleOf } from '../fleet/paths.ts'
import type { Clock } from '../ports/clock.ts'
import type { FleetWriter, HeadChange } from '../ports/writer.ts'

/** `synced`: the engine says that it has applied it; `live`: the resource on the cluster is of this operation. */
export type AppliedStep = 'synced' | 'live'

export interface AppliedTimesOptions {
  readonly writer: Pick<FleetWriter, 'fleet' | 'onChange'>
  readonly clock: Clock
  readonly onApplied: (step: AppliedStep, engine: EngineName, seconds: number) => void
}

export interface AppliedTimes {
  /** @param settled the engine has applied just what the fleet repository has now */
  judged(id: Id, settled: boolean, sight: InstallationSight | undefined): void
  close(): void
}

interface Pending {
  /** Milliseconds since some point. */
  readonly since: number
  /** Of the operation that the commit brought; undefined: it brought none. */
  generation: number | undefined
  synced: boolean
}

export function startAppliedTimes({ writer, clock, onApplied }: AppliedTimesOptions): AppliedTimes {
  const pending = new Map<Id, Pending>()
  const unsubscribe = writer.onChange((change) => {
    const generations = newGenerations(change)
    for (const path of change.paths) {
      const role = roleOf(path)
      if (role.role !== 'rendered' || role.id === undefined) continue
      // A later commit that comes before the first is applied takes its place: only what is applied can be timed.
      if (writer.fleet.installation(role.id) === undefined) pending.delete(role.id)
      else
        pending.set(role.id, {
          since: clock.monotonic(),
          generation: generations.get(role.id),
          synced: false,
        })
    }
  })
  return {
    judged(id, settled, sight) {
      const found = pending.get(id)
      if (found === undefined) return
      const engine = engineOf(writer.fleet, id)
      const seconds = (clock.monotonic() - found.since) / 1000
      if (!found.synced && settled) {
        found.synced = true
        onApplied('synced', engine, seconds)
      }
      const lives = sight?.mattermost?.operationGeneration
      if (found.generation !== undefined && lives !== undefined && lives >= found.generation) {
        found.generation = undefined
        onApplied('live', engine, seconds)
      }
      if (found.synced && found.generation === undefined) pending.delete(id)
    },
    close: unsubscribe,
  }
}

function newGenerations({ changes }: HeadChange): ReadonlyMap<Id, number> {
  const found = new Map<Id, number>()
  for (const { before, after } of changes) {
    if (after?.kind !== 'Installation') continue
    const { generation } = after.spec.operation
    const known = before?.kind === 'Installation' ? before.spec.operation.generation : 0
    if (generation > known) found.set(after.metadata.id, generation)
  }
  return found
}

function engineOf(fleet: FleetWriter['fleet'], id: Id): EngineName {
  const cluster = fleet.installation(id)?.spec.placement?.cluster
  return (
    (cluster === undefined ? undefined : fleet.cluster(cluster)?.spec.engine) ?? fleet.settings.spec.engine
  )
}
