/**
 * Watches every cluster of the fleet and judges what is touched: cost follows the change, not the fleet. An installation
 * is judged when its intent, an object of it, its engine's word or the contact changes, and when time alone may change
 * the verdict.
 */

import { deletionHold } from '../fleet/deletion.ts'
import { type Id, isId } from '../fleet/ids.ts'
import type { Cluster, Installation, Slug } from '../fleet/intents.ts'
import { deploymentState } from '../fleet/observed/deployment-state.ts'
import { type Deadlines, judge, type Verdict } from '../fleet/observed/judge.ts'
import type { DeletionInput } from '../fleet/observed/removal.ts'
import type { InstallationSight, ResourceSight } from '../fleet/observed/sight.ts'
import { roleOf } from '../fleet/paths.ts'
import { waitingReason } from '../fleet/state.ts'
import type { Clock } from '../ports/clock.ts'
import { type Clusters, CONTROL_CLUSTER } from '../ports/clusters.ts'
import type { FolderIds } from '../ports/folders.ts'
import type { Observations } from '../ports/observations.ts'
import type { ObservedCluster, ObservedInstallation, Sights } from '../ports/sights.ts'
import type { FleetWriter, HeadChange } from '../ports/writer.ts'
import { type ClusterWorld, openClusterWorld } from './cluster-world.ts'
import type { DriftDetector } from './drift-detector.ts'
import { createEngineSights, type EngineSights } from './engine-sights.ts'
import { type InfrastructureWorld, openInfrastructureWorld } from './infrastructure-world.ts'
import { judgeClusters } from './judge-clusters.ts'
import { type Loop, startLoop } from './loop.ts'

/** Verdicts that time alone may change are looked at this often. */
const BEAT_MILLISECONDS = 1_000
const SLICE = 200

export interface ObserverOptions {
  readonly writer: FleetWriter
  readonly clusters: Clusters
  readonly folders: FolderIds
  readonly observations: Observations
  readonly clock: Clock
  readonly deadlines: Deadlines
  /** The control cluster is watched too: the engines' words. */
  readonly control: boolean
  /** Generations whose operation had reached its end when this process started. */
  readonly completed: ReadonlyMap<Id, number>
  /** Is told of every object of an installation, and of manifests that changed. */
  readonly drift?: Pick<DriftDetector, 'object' | 'wantedChanged' | 'contact'>
  /** After each look at an installation; `settled` as `isSettled`, but only by the engine's own word. */
  readonly onJudged?: (id: Id, settled: boolean, sight: InstallationSight | undefined) => void
  /** What is known from elsewhere than the clusters. */
  readonly beside?: Beside
  readonly onError: (error: unknown) => void
}

export interface Beside {
  ofInstallation(installation: Installation): Pick<InstallationSight, 'resources' | 'ping'>
  ofCluster(cluster: Cluster): readonly ResourceSight[]
}

export interface Observer extends Sights {
  /** Something beside its cluster changed: it is judged again. */
  touch(id: Id): void
  /** The engine has applied just the manifests that the fleet repository has now. */
  isSettled(id: Id): boolean
  close(): Promise<void>
}

export function startObserver(options: ObserverOptions): Observer {
  return new FleetObserver(options)
}

class FleetObserver implements Observer {
  readonly #options: ObserverOptions
  readonly #worlds = new Map<Slug, ClusterWorld>()
  readonly #known = new Map<Id, ObservedInstallation>()
  readonly #completed: Map<Id, number>
  readonly #dirty = new Set<Id>()
  /** When an installation is to be judged again though nothing was seen. */
  readonly #again = new Map<Id, number>()
  readonly #engines: EngineSights
  readonly #infrastructure: InfrastructureWorld | undefined
  readonly #unsubscribe: () => void
  readonly #loop: Loop

  constructor(options: ObserverOptions) {
    this.#options = options
    const { writer, clusters, folders, clock, control } = options
    this.#completed = new Map(options.completed)
    this.#engines = createEngineSights({
      ...{ writer, folders, clock },
      api: control ? clusters.get(CONTROL_CLUSTER) : undefined,
      onWord: (ids) => this.#touchAll(ids),
    })
    this.#infrastructure = control
      ? openInfrastructureWorld({ api: clusters.get(CONTROL_CLUSTER), clock })
      : undefined
    for (const cluster of writer.fleet.clusters()) this.#open(cluster)
    for (const { metadata } of writer.fleet.installations()) this.#dirty.add(metadata.id)
    this.#unsubscribe = writer.onChange((change) => this.#changed(change))
    this.#loop = startLoop({
      clock,
      interval: BEAT_MILLISECONDS,
      run: () => this.#judgeDirty(),
      onError: options.onError,
    })
  }

  installation(id: Id): ObservedInstallation | undefined {
    return this.#known.get(id)
  }

  cluster(name: Slug): ObservedCluster | undefined {
    const world = this.#worlds.get(name)
    if (world === undefined) return undefined
    const { contact, fresh, nodes, operatorBusy } = world
    const cluster = this.#options.writer.fleet.cluster(name)
    const resources = [
      ...(this.#infrastructure?.ofCluster(name) ?? []),
      ...(cluster === undefined ? [] : (this.#options.beside?.ofCluster(cluster) ?? [])),
    ]
    return { contact, fresh: fresh && contact.connected, nodes, operatorBusy, resources }
  }

  control(): ReturnType<Sights['control']> {
    return this.#engines.contact
  }

  touch(id: Id): void {
    this.#dirty.add(id)
    this.#loop.wake()
  }

  isSettled(id: Id): boolean {
    if (this.#engines.isSettled(id)) return true
    const observed = this.#known.get(id)
    return observed !== undefined && observed.sight?.engine === undefined && observed.verdict.completed
  }

  async close(): Promise<void> {
    this.#unsubscribe()
    await this.#loop.close()
    await Promise.all([...this.#worlds.values()].map((world) => world.close()))
    await this.#engines.close()
    await this.#infrastructure?.close()
  }

  #open(cluster: Cluster): void {
    const { name, deletedAt } = cluster.metadata
    if (deletedAt !== undefined || this.#worlds.has(name)) return
    const { clusters, clock, writer } = this.#options
    const world = openClusterWorld({
      api: clusters.get(name),
      clock,
      onTouch: (namespace) => this.#touch(namespace),
      onObject: (kind, object, removed) => this.#options.drift?.object(name, kind, object, removed),
      onContact: () => {
        if (clusters.get(name).contact.connected) this.#options.drift?.contact(name)
        for (const { metadata } of writer.fleet.installationsOn(name)) this.#dirty.add(metadata.id)
        this.#loop.wake()
      },
    })
    this.#worlds.set(name, world)
  }

  #touch(namespace: string): void {
    if (!isId(namespace)) return
    this.#dirty.add(namespace)
    this.#loop.wake()
  }

  #touchAll(ids: Iterable<Id>): void {
    for (const id of ids) this.#dirty.add(id)
    this.#loop.wake()
  }

  #changed({ changes, paths }: HeadChange): void {
    for (const path of paths) this.#manifestChanged(path)
    for (const { before, after } of changes) {
      const intent = after ?? before
      if (
        intent?.kind === 'Installation' ||
        intent?.kind === 'InstallationRequest' ||
        intent?.kind === 'Tombstone'
      ) {
        if (intent.metadata.id !== undefined) this.#dirty.add(intent.metadata.id)
      } else if (after?.kind === 'Cluster') this.#cluster(after)
    }
    this.#loop.wake()
  }

  #manifestChanged(path: string): void {
    const role = roleOf(path)
    if (role.role !== 'rendered' || role.id === undefined || role.cluster === undefined) return
    this.#engines.unsettle(role.id)
    this.#options.drift?.wantedChanged(role.cluster, role.id)
    this.#dirty.add(role.id)
  }

  #cluster(cluster: Cluster): void {
    const { name, deletedAt } = cluster.metadata
    if (deletedAt === undefined) return this.#open(cluster)
    const world = this.#worlds.get(name)
    this.#worlds.delete(name)
    world?.close().catch(this.#options.onError)
  }

  async #judgeDirty(): Promise<void> {
    const now = this.#options.clock.now()
    for (const [id, at] of this.#again) if (at <= now) this.#dirty.add(id)
    judgeClusters({
      ...this.#options,
      sightOf: (name) => this.cluster(name),
      chartOf: (engine, unit) => this.#engines.chart(engine, unit),
    })
    const ids = [...this.#dirty]
    this.#dirty.clear()
    for (const [at, id] of ids.entries()) {
      // Others have their turn while a whole cluster is judged again.
      if (at % SLICE === SLICE - 1) await new Promise((resolve) => setImmediate(resolve))
      const installation = this.#options.writer.fleet.installation(id)
      if (installation === undefined) this.#forget(id)
      else await this.#judge(installation)
    }
  }

  #forget(id: Id): void {
    this.#known.delete(id)
    this.#again.delete(id)
    this.#completed.delete(id)
    this.#engines.unsettle(id)
    this.#options.observations.remove('installation', id)
  }

  async #judge(installation: Installation): Promise<void> {
    const { writer, clock, deadlines, observations } = this.#options
    const { id } = installation.metadata
    // Before the sight: what is seen then is not older than the tombstone.
    const deletion = this.#deletionOf(installation)
    const sight = await this.#sightOf(installation)
    const waitingFor = waitingReason(writer.fleet, id)
    const completed = this.#completed.get(id)
    const told = observations.get('installation', id)
    const reached = told?.generation === installation.spec.operation.generation ? told.state : undefined
    const verdict = judge({
      installation,
      sight,
      now: clock.now(),
      deadlines,
      ...(waitingFor === undefined ? {} : { waitingFor }),
      ...(completed === undefined ? {} : { completedGeneration: completed }),
      ...(reached === undefined ? {} : { reached }),
      ...(deletion === undefined ? {} : { deletion }),
    })
    this.#keep(installation, sight, verdict)
  }

  #deletionOf(installation: Installation): DeletionInput | undefined {
    const { operation, placement } = installation.spec
    const { kind } = operation
    if ((kind !== 'deletion' && kind !== 'deletion-pending') || placement === undefined) return undefined
    const { writer, clock } = this.#options
    const { fleet } = writer
    const { id } = installation.metadata
    const hold = deletionHold(fleet, installation, clock.now())
    return {
      tombstone: fleet.tombstone(id),
      fresh: this.cluster(placement.cluster)?.fresh === true,
      ...(hold === undefined ? {} : { hold: hold.detail }),
    }
  }

  async #sightOf(installation: Installation): Promise<InstallationSight | undefined> {
    const { metadata, spec } = installation
    const cluster = spec.placement?.cluster
    if (cluster === undefined) return undefined
    const world = this.#worlds.get(cluster)
    const engine = await this.#engines.sightOf(cluster, metadata.id)
    const seen = world?.sightOf(metadata.id)
    if (seen === undefined) return undefined
    const beside = this.#options.beside?.ofInstallation(installation)
    return { ...seen, engine, ...beside, resources: [...seen.resources, ...(beside?.resources ?? [])] }
  }

  #keep(installation: Installation, sight: InstallationSight | undefined, verdict: Verdict): void {
    const { observations, clock } = this.#options
    const { id } = installation.metadata
    const { generation } = installation.spec.operation
    const now = clock.now()
    const before = this.#known.get(id)
    const stateSince = before?.verdict.state === verdict.state ? before.stateSince : now
    const healthSince = before?.verdict.health.health === verdict.health.health ? before.healthSince : now
    this.#known.set(id, { sight, verdict, stateSince, healthSince })
    if (verdict.judgeAgainAt === undefined) this.#again.delete(id)
    else this.#again.set(id, verdict.judgeAgainAt)
    if (verdict.completed) this.#completed.set(id, generation)
    this.#options.onJudged?.(id, this.#engines.isSettled(id), sight)
    if (sight === undefined) return
    const told = observations.get('installation', id)
    if (told?.generation === generation && before !== undefined && isSame(before, verdict, sight)) return
    const { mattermost } = sight
    observations.set('installation', id, {
      state: verdict.state,
      generation,
      observedAt: sight.observedAt,
      reason: verdict.reason,
      since: stateSince,
      ...(mattermost?.groupSequence === undefined ? {} : { groupSequence: mattermost.groupSequence }),
    })
    for (const deployment of installation.spec.clusterInstallations ?? []) {
      if (deployment.deletedAt !== undefined) continue
      observations.set('clusterInstallation', deployment.id, {
        state: deploymentState(sight),
        generation,
        observedAt: sight.observedAt,
      })
    }
  }
}

function isSame(
  before: ObservedInstallation,
  { state, reason }: Verdict,
  { mattermost }: InstallationSight,
): boolean {
  return (
    before.verdict.state === state &&
    before.verdict.reason === reason &&
    before.sight?.mattermost?.groupSequence === mattermost?.groupSequence &&
    before.sight?.mattermost?.operationGeneration === mattermost?.operationGeneration &&
    before.sight?.mattermost?.state === mattermost?.state &&
    before.sight?.mattermost?.generationObserved === mattermost?.generationObserved
  )
}
