/**
 * Tells the engines at once that what they apply has changed; their own polls stay as the safety net. Cost follows the
 * files that were written. One unit is told once for many changes of a moment.
 */
import type { Fleet } from '../fleet/fleet.ts'
import { type EngineUnit, ENGINE_NAMESPACES, engineUnitOf } from '../fleet/observed/engine-units.ts'
import { APPLICATION, APPLICATION_SET, GIT_REPOSITORY } from '../fleet/observed/engines.ts'
import type { ResourceKind } from '../fleet/observed/objects.ts'
import { roleOf } from '../fleet/paths.ts'
import type { Clock } from '../ports/clock.ts'
import type { ClusterApi } from '../ports/clusters.ts'
import type { FleetWriter, HeadChange } from '../ports/writer.ts'

const MOST_AT_ONCE = 16

/** An object to annotate. */
export interface Nudge {
  readonly kind: ResourceKind
  readonly namespace: string
  readonly name: string
  readonly annotations: Readonly<Record<string, string>>
}

export interface NudgerOptions {
  readonly writer: Pick<FleetWriter, 'fleet' | 'onChange'>
  /** Of the control cluster. */
  readonly api: Pick<ClusterApi, 'annotate' | 'contact'>
  readonly clock: Clock
  readonly onError: (error: unknown) => void
  /** How many were told. */
  readonly onNudged?: (count: number) => void
}

export interface Nudger {
  close(): Promise<void>
}

export function startNudger({ writer, api, clock, onError, onNudged }: NudgerOptions): Nudger {
  const waiting = new Map<string, Nudge>()
  let running: Promise<void> | undefined
  async function run(): Promise<void> {
    while (waiting.size > 0) {
      const batch = [...waiting].slice(0, MOST_AT_ONCE)
      for (const [key] of batch) waiting.delete(key)
      await Promise.all(
        batch.map(([, { kind, namespace, name, annotations }]) =>
          api.annotate(kind, namespace, name, annotations).catch(onError),
        ),
      )
      onNudged?.(batch.length)
    }
  }
  const unsubscribe = writer.onChange((change) => {
    // Nobody is there to be told; the engine looks by itself when it is back.
    if (!api.contact.connected) return
    for (const nudge of nudgesOf(writer.fleet, change, String(clock.now())))
      waiting.set(`${nudge.kind.kind}/${nudge.name}`, nudge)
    if (waiting.size > 0)
      running ??= run().finally(() => {
        running = undefined
      })
  })
  return {
    async close() {
      unsubscribe()
      waiting.clear()
      await running
    },
  }
}

/** @param token a value that was not used before: Flux reacts to a change of it */
export function nudgesOf(
  fleet: Fleet,
  { paths, changes }: Pick<HeadChange, 'paths' | 'changes'>,
  token: string,
): readonly Nudge[] {
  const nudges = new Map<string, Nudge>()
  for (const path of paths) {
    const role = roleOf(path)
    if (
      role.role !== 'rendered' ||
      role.unit !== 'installation' ||
      role.cluster === undefined ||
      role.id === undefined
    )
      continue
    const engine = fleet.cluster(role.cluster)?.spec.engine ?? fleet.settings.spec.engine
    const unit = engineUnitOf(engine, role.cluster, role.id)
    nudges.set(unit.name, nudgeOf(unit, token))
  }
  for (const cluster of newFoldersOn(fleet, changes)) {
    const name = `${cluster}-installations`
    nudges.set(name, {
      kind: APPLICATION_SET,
      namespace: ENGINE_NAMESPACES.argocd,
      name,
      annotations: { 'argocd.argoproj.io/application-set-refresh': 'true' },
    })
  }
  return [...nudges.values()]
}

function nudgeOf({ engine, namespace, name }: EngineUnit, token: string): Nudge {
  return engine === 'argocd'
    ? { kind: APPLICATION, namespace, name, annotations: { 'argocd.argoproj.io/refresh': 'normal' } }
    : { kind: GIT_REPOSITORY, namespace, name, annotations: { 'reconcile.fluxcd.io/requestedAt': token } }
}

/** Clusters of Argo CD with folders that its ApplicationSet has not seen. */
function newFoldersOn(fleet: Fleet, changes: HeadChange['changes']): ReadonlySet<string> {
  const found = new Set<string>()
  for (const { before, after } of changes) {
    if (after?.kind !== 'Installation') continue
    const cluster = after.spec.placement?.cluster
    const was = before?.kind === 'Installation' ? before.spec.placement?.cluster : undefined
    if (cluster === undefined || cluster === was) continue
    if ((fleet.cluster(cluster)?.spec.engine ?? fleet.settings.spec.engine) === 'argocd') found.add(cluster)
  }
  return found
}
