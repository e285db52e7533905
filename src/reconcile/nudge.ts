/**
 * Tells the engines at once that what they apply has changed; their own polls stay as the safety net. Cost follows the
 * files that were written. One unit is told once for many changes of a moment.
 */
import { engineFor } from '../fleet/engine.ts'
import { isFleetError } from '../fleet/errors.ts'
import type { Fleet } from '../fleet/fleet.ts'
import type { Id } from '../fleet/ids.ts'
import type { EngineName, Slug } from '../fleet/intents.ts'
import {
  controlUnitOf,
  type EngineObject,
  engineUnitOf,
  installationsUnitOf,
  systemUnitOf,
} from '../fleet/observed/engine-units.ts'
import { APPLICATION, APPLICATION_SET, GIT_REPOSITORY } from '../fleet/observed/engines.ts'
import type { ResourceKind } from '../fleet/observed/objects.ts'
import { roleOf } from '../fleet/paths.ts'
import type { Clock } from '../ports/clock.ts'
import type { ClusterApi } from '../ports/clusters.ts'
import type { FleetWriter, HeadChange } from '../ports/writer.ts'

const MOST_AT_ONCE = 16
const NUDGED_AT = 'fleetwright.dev/nudged-at'

/** An object to annotate. */
export interface Nudge {
  readonly kind: ResourceKind
  readonly namespace: string
  readonly name: string
  readonly annotations: Readonly<Record<string, string>>
  /** What makes the object, told when it is not there. */
  readonly maker?: Nudge
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
      await Promise.all(batch.map(([, nudge]) => tell(api, nudge).catch(onError)))
      onNudged?.(batch.length)
    }
  }
  const unsubscribe = writer.onChange((change) => {
    // Nobody is there to be told; the engine looks by itself when it is back.
    if (!api.contact.connected || writer.fleet.settings.spec.nudgeEngines === false) return
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

/** What is not there yet, and what makes it neither, needs no nudge: it looks when it comes. */
export async function tell(api: Pick<ClusterApi, 'annotate'>, nudge: Nudge): Promise<void> {
  const { kind, namespace, name, annotations, maker } = nudge
  try {
    await api.annotate(kind, namespace, name, annotations)
  } catch (error) {
    if (!isFleetError(error) || error.code !== 'not-found') throw error
    if (maker !== undefined) await tell(api, maker)
  }
}

/** @param token a value that was not used before: Flux reacts to a change of it */
export function nudgesOf(
  fleet: Fleet,
  { paths }: Pick<HeadChange, 'paths'>,
  token: string,
): readonly Nudge[] {
  const nudges = new Map<string, Nudge>()
  for (const path of paths) {
    const nudge = nudgeFor(fleet, path, token)
    if (nudge !== undefined) nudges.set(`${nudge.kind.kind}/${nudge.name}`, nudge)
  }
  return [...nudges.values()]
}

function nudgeFor(fleet: Fleet, path: string, token: string): Nudge | undefined {
  const role = roleOf(path)
  if (role.role !== 'rendered') return undefined
  const { unit, cluster, id } = role
  if (unit === 'control') {
    const engine = (['argocd', 'flux'] as const).find((one) => path.startsWith(`control/${one}/`))
    return engine !== undefined && isUsed(fleet, engine) ? nudgeOf(controlUnitOf(engine), token) : undefined
  }
  if (cluster === undefined) return undefined
  const engine = engineOf(fleet, cluster)
  if (unit === 'system') {
    const part = path.startsWith(`clusters/${cluster}/system/manifests/`) ? 'manifests' : 'system'
    return nudgeOf(systemUnitOf(engine, cluster, part), token)
  }
  if (unit !== 'installation' || id === undefined) return undefined
  // A folder that is gone has an Application that the ApplicationSet takes away.
  if (engine === 'argocd' && fleet.installation(id) === undefined && fleet.tombstone(id) !== undefined)
    return applicationSetNudge(cluster, token)
  return installationNudge(engine, cluster, id, token)
}

export function installationNudge(engine: EngineName, cluster: Slug, id: Id, token: string): Nudge {
  const nudge = nudgeOf(engineUnitOf(engine, cluster, id), token)
  // A folder that is new has no Application yet.
  return engine === 'argocd' ? { ...nudge, maker: applicationSetNudge(cluster, token) } : nudge
}

export function engineOf(fleet: Fleet, cluster: Slug): EngineName {
  return engineFor(fleet.settings, fleet.cluster(cluster))
}

/** Files of the control folder are rendered for both engines, also where one of them is nowhere. */
function isUsed(fleet: Fleet, engine: EngineName): boolean {
  return fleet.settings.spec.engine === engine || fleet.clusters().some(({ spec }) => spec.engine === engine)
}

function nudgeOf({ engine, namespace, name }: EngineObject, token: string): Nudge {
  return engine === 'argocd'
    ? { kind: APPLICATION, namespace, name, annotations: { 'argocd.argoproj.io/refresh': 'normal' } }
    : { kind: GIT_REPOSITORY, namespace, name, annotations: { 'reconcile.fluxcd.io/requestedAt': token } }
}

function applicationSetNudge(cluster: Slug, token: string): Nudge {
  const { namespace, name } = installationsUnitOf(cluster)
  return {
    kind: APPLICATION_SET,
    namespace,
    name,
    // A refresh that failed leaves its annotation: without another change the controller would not look again.
    annotations: { 'argocd.argoproj.io/application-set-refresh': 'true', [NUDGED_AT]: token },
  }
}
