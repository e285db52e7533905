/**
 * Finds drift of installations: each object that a watch tells of is compared at once with its manifest; what differs is looked at
 * a second time, by a dry run where the role allows it, before it is reported. While the engine has not yet applied
 * what git has, nothing is drift.
 */
import { compareObject } from '../fleet/drift/compare.ts'
import { documentsByKey, isApplied, kindOf, nameOf } from '../fleet/drift/documents.ts'
import { isFleetError } from '../fleet/errors.ts'
import { type Id, isId } from '../fleet/ids.ts'
import type { EngineName, JsonObject, Slug } from '../fleet/intents.ts'
import { type LiveObject, objectKey, type ResourceKind } from '../fleet/observed/objects.ts'
import type { Clock } from '../ports/clock.ts'
import type { ClusterApi } from '../ports/clusters.ts'
import type { Drift, Drifts } from '../ports/drifts.ts'
import type { Manifests } from '../ports/manifests.ts'
import { markClean, newWatched, setManifest, type Suspect, type Watched } from './drift-state.ts'
import { secondLook } from './drift-confirm.ts'
import { type Loop, startLoop } from './loop.ts'
import { sweepCluster, type SweepResult } from './sweep-cluster.ts'

const BEAT_MILLISECONDS = 500
/** What cannot be decided now (the engine is at work, no contact) is looked at again this often. */
const LATER_MILLISECONDS = 1_000
/** A difference must last this long before it is looked at again: engines put most of them right by themselves. */
const SECOND_LOOK_MILLISECONDS = 200

export interface DriftDetectorOptions {
  readonly manifests: Manifests
  readonly api: (cluster: Slug) => ClusterApi
  readonly engineOf: (cluster: Slug) => EngineName
  /** The engine has applied just what git has now, and is not at work. */
  readonly isSettled: (installation: Id) => boolean
  readonly secretNames: () => readonly string[]
  readonly clock: Clock
  readonly onError: (error: unknown) => void
  /** Drift was found, or is gone. */
  readonly onChange?: (cluster: Slug, installation: Id) => void
}

export interface DriftDetector extends Drifts {
  object(cluster: Slug, kind: ResourceKind, object: LiveObject, removed: boolean): void
  /** Its manifests changed, or it was removed. */
  wantedChanged(cluster: Slug, installation: Id): void
  /**
   * Lists everything there is on a cluster and compares it: what the watches missed. What differs is looked at again like
   * anything else before it is reported.
   * @param installations those that git has on the cluster
   * @throws FleetError `cluster-unavailable`, `cluster-forbidden`
   */
  sweep(cluster: Slug, installations: readonly Id[], signal: AbortSignal): Promise<SweepResult>
  /** There is contact with a cluster again. */
  contact(cluster: Slug): void
  close(): Promise<void>
}

export function startDriftDetector(options: DriftDetectorOptions): DriftDetector {
  return new Detector(options)
}

class Detector implements DriftDetector {
  readonly #options: DriftDetectorOptions
  readonly #watched = new Map<Id, Watched>()
  readonly #dirty = new Set<Id>()
  /** Not to be decided now. */
  readonly #later = new Set<Id>()
  /** Of clusters without contact: nothing is looked at until there is contact again. */
  readonly #parked = new Map<Slug, Set<Id>>()
  #laterAt = 0
  readonly #loop: Loop

  constructor(options: DriftDetectorOptions) {
    this.#options = options
    this.#loop = startLoop({
      clock: options.clock,
      interval: BEAT_MILLISECONDS,
      run: () => this.#look(),
      onError: options.onError,
    })
  }

  all(): readonly Drift[] {
    return [...this.#watched.values()].flatMap(({ drifts }) => [...drifts.values()])
  }

  of(installation: Id): readonly Drift[] {
    return [...(this.#watched.get(installation)?.drifts.values() ?? [])]
  }

  object(cluster: Slug, kind: ResourceKind, object: LiveObject, removed: boolean): void {
    const { name } = object.metadata
    const namespace = kind.namespaced ? (object.metadata.namespace ?? '') : name
    if (!isId(namespace)) return
    const watched = this.#watch(cluster, namespace)
    const key = objectKey(kind, namespace, name)
    if (removed) watched.present.delete(key)
    else watched.present.set(key, { kind, managed: isApplied(object) })
    const since = watched.drifts.get(key)?.since ?? this.#options.clock.now()
    watched.suspects.set(key, {
      kind,
      namespace,
      name,
      since,
      differs: false,
      ...(removed ? {} : { object }),
    })
    this.#wake(namespace)
  }

  wantedChanged(cluster: Slug, installation: Id): void {
    this.#watch(cluster, installation).wantedDirty = true
    this.#wake(installation)
  }

  async sweep(cluster: Slug, installations: readonly Id[], signal: AbortSignal): Promise<SweepResult> {
    const { api, manifests, clock } = this.#options
    return await sweepCluster(
      {
        api: api(cluster),
        manifests,
        watchedOf: (id) => this.#watch(cluster, id),
        suspect: (id, key, suspect) => {
          const { suspects, drifts } = this.#watch(cluster, id)
          const since = drifts.get(key)?.since ?? clock.now()
          if (!suspects.has(key)) suspects.set(key, { ...suspect, since })
          this.#wake(id)
        },
      },
      cluster,
      installations,
      signal,
    )
  }

  contact(cluster: Slug): void {
    const parked = this.#parked.get(cluster)
    if (parked === undefined) return
    this.#parked.delete(cluster)
    for (const id of parked) this.#dirty.add(id)
    this.#loop.wake()
  }

  async close(): Promise<void> {
    await this.#loop.close()
  }

  #park(cluster: Slug, id: Id): void {
    const parked = this.#parked.get(cluster) ?? new Set()
    parked.add(id)
    this.#parked.set(cluster, parked)
  }

  #watch(cluster: Slug, installation: Id): Watched {
    let watched = this.#watched.get(installation)
    if (watched === undefined || watched.cluster !== cluster) {
      watched = newWatched(cluster)
      this.#watched.set(installation, watched)
    }
    return watched
  }

  #wake(installation: Id): void {
    this.#dirty.add(installation)
    this.#loop.wake()
  }

  async #look(): Promise<void> {
    const { clock, onError } = this.#options
    if (clock.monotonic() >= this.#laterAt) {
      for (const id of this.#later) this.#dirty.add(id)
      this.#later.clear()
      this.#laterAt = clock.monotonic() + LATER_MILLISECONDS
    }
    const ids = [...this.#dirty]
    this.#dirty.clear()
    for (const id of ids) {
      const watched = this.#watched.get(id)
      if (watched === undefined) continue
      if (!this.#options.api(watched.cluster).contact.connected) {
        this.#park(watched.cluster, id)
        continue
      }
      await this.#lookAt(id, watched).catch((error: unknown) => {
        // What git wants cannot be read: the problem is reported as one of the fleet repository.
        if (isFleetError(error) && error.code === 'invalid-document') return
        this.#later.add(id)
        if (!isFleetError(error) || error.code !== 'cluster-unavailable') onError(error)
      })
    }
    // Those that are to be looked at a second time must not keep the loop busy.
    if (this.#dirty.size === 0) return
    await clock.sleep(SECOND_LOOK_MILLISECONDS)
    this.#loop.wake()
  }

  async #lookAt(id: Id, watched: Watched): Promise<void> {
    const { manifests, isSettled, clock } = this.#options
    const rendered = await manifests.of(watched.cluster, id)
    const documents = documentsByKey(rendered.documents)
    setManifest(watched, rendered.version, documents.size)
    if (watched.wantedDirty) this.#expect(watched, documents, id)
    const settled = isSettled(id)
    for (const [key, suspect] of watched.suspects) {
      const wanted = documents.get(key)
      const differs =
        suspect.differs || this.#differs(wanted, watched.present.get(key)?.managed === true, suspect.object)
      if (!differs) {
        watched.suspects.delete(key)
        this.#compared(watched, key, suspect.object, wanted !== undefined)
        this.#clear(watched, id, key)
      } else if (!settled || clock.now() - suspect.since < SECOND_LOOK_MILLISECONDS) {
        const { object: _object, ...rest } = suspect
        watched.suspects.set(key, { ...rest, differs: true })
        ;(settled ? this.#dirty : this.#later).add(id)
      } else {
        watched.suspects.delete(key)
        await this.#decide(watched, id, key, suspect, wanted)
      }
    }
  }

  /** What is wanted and not there, and what is there and no more wanted. */
  #expect(watched: Watched, documents: ReadonlyMap<string, JsonObject>, id: Id): void {
    watched.wantedDirty = false
    const since = this.#options.clock.now()
    for (const [key, document] of documents) {
      if (watched.present.has(key) || watched.suspects.has(key)) continue
      const kind = kindOf(document)
      if (kind === undefined) continue
      watched.suspects.set(key, {
        kind,
        namespace: id,
        name: nameOf(document),
        since,
        differs: true,
      })
    }
    for (const [key, { kind, managed }] of watched.present) {
      if (documents.has(key) || !managed) continue
      watched.suspects.set(key, {
        kind,
        namespace: id,
        name: key.slice(key.lastIndexOf('/') + 1),
        since,
        differs: true,
      })
    }
  }

  #differs(wanted: JsonObject | undefined, managed: boolean, object: LiveObject | undefined): boolean {
    if (wanted === undefined)
      return object !== undefined && managed && object.metadata.deletionTimestamp === undefined
    return object === undefined || compareObject(wanted, object).length > 0
  }

  /** It is as git wants it: the next sweep need not compare it. */
  #compared(watched: Watched, key: string, object: LiveObject | undefined, wanted: boolean): void {
    const present = watched.present.get(key)
    if (present === undefined || object === undefined) return
    markClean(watched, key, present.kind, object, { managed: present.managed, wanted })
  }

  /** The look that decides. */
  async #decide(
    watched: Watched,
    id: Id,
    key: string,
    suspect: Suspect,
    wanted: JsonObject | undefined,
  ): Promise<void> {
    const { api, engineOf, secretNames } = this.#options
    const { live, found } = await secondLook(
      { api: api(watched.cluster), engine: engineOf(watched.cluster), secretNames: secretNames() },
      suspect,
      wanted,
    )
    if (live === undefined) watched.present.delete(key)
    if (found !== undefined)
      return this.#report(watched, id, key, { cluster: watched.cluster, installation: id, ...found })
    if (wanted !== undefined) this.#compared(watched, key, live, true)
    this.#clear(watched, id, key)
  }

  #report(watched: Watched, id: Id, key: string, drift: Drift): void {
    watched.drifts.set(key, drift)
    this.#options.onChange?.(watched.cluster, id)
  }

  #clear(watched: Watched, id: Id, key: string): void {
    if (watched.drifts.delete(key)) this.#options.onChange?.(watched.cluster, id)
  }
}
