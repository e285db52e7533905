/**
 * One look at everything that is on a cluster, as the safety net of the watches. What was compared before, and has the same
 * resource version and the same manifests since, is not compared again, and its manifests are not read.
 */
import { compareObject } from '../fleet/drift/compare.ts'
import { COMPARED_KINDS, documentsByKey, isApplied, kindOf, nameOf } from '../fleet/drift/documents.ts'
import { type FleetError, isFleetError } from '../fleet/errors.ts'
import type { Id } from '../fleet/ids.ts'
import type { JsonObject, Slug } from '../fleet/intents.ts'
import { type LiveObject, objectKey, type ResourceKind } from '../fleet/observed/objects.ts'
import type { ClusterApi } from '../ports/clusters.ts'
import type { Manifests } from '../ports/manifests.ts'
import { markClean, setManifest, type Suspect, type Watched } from './drift-state.ts'

/** Most of a list is waiting for the API server; more at once would keep it from others. */
const LISTS_AT_ONCE = 4

export interface SweepParts {
  readonly api: Pick<ClusterApi, 'list'>
  readonly manifests: Manifests
  readonly watchedOf: (installation: Id) => Watched
  /** It is to be looked at again, and then decided. */
  readonly suspect: (installation: Id, key: string, suspect: Omit<Suspect, 'since'>) => void
}

export interface SweepResult {
  /** Objects of installations that were listed. */
  readonly objects: number
  /** Of those, the ones whose fields were looked at. */
  readonly compared: number
  /** Objects that are to be looked at again. */
  readonly suspects: number
}

interface Listed {
  readonly key: string
  readonly kind: ResourceKind
  readonly object: LiveObject
}

/** One installation during the sweep. */
interface Visit {
  readonly id: Id
  readonly watched: Watched
  /** Undefined while nothing has asked for them. */
  documents: ReadonlyMap<string, JsonObject> | undefined
  readonly seen: Set<string>
  readonly open: Listed[]
  cleanWanted: number
}

/** @throws FleetError `cluster-unavailable`; `cluster-forbidden` after everything else was looked at */
export async function sweepCluster(
  parts: SweepParts,
  cluster: Slug,
  installations: readonly Id[],
  signal: AbortSignal,
): Promise<SweepResult> {
  const sweep = new Sweep(parts, cluster)
  return await sweep.run(installations, signal)
}

class Sweep {
  readonly #parts: SweepParts
  readonly #cluster: Slug
  readonly #visits = new Map<string, Visit>()
  /** Kinds that the role does not allow to list: nothing is known of them. */
  readonly #unlisted = new Set<ResourceKind>()
  #forbidden: FleetError | undefined
  #objects = 0
  #compared = 0
  #suspects = 0

  constructor(parts: SweepParts, cluster: Slug) {
    this.#parts = parts
    this.#cluster = cluster
  }

  async run(installations: readonly Id[], signal: AbortSignal): Promise<SweepResult> {
    for (const id of installations) {
      if (signal.aborted) return this.#result()
      const visit = await this.#open(id).catch((error: unknown) => {
        // One that cannot be read must not hide the others; it is reported as a problem of the fleet repository.
        if (isFleetError(error) && error.code === 'invalid-document') return undefined
        throw error
      })
      if (visit !== undefined) this.#visits.set(id, visit)
    }
    const kinds = [...COMPARED_KINDS]
    const lists = Array.from({ length: LISTS_AT_ONCE }, () => this.#listAll(kinds, signal))
    // Nothing of it may still be under way when the sweep has ended.
    for (const result of await Promise.allSettled(lists))
      if (result.status === 'rejected') throw result.reason
    if (signal.aborted) return this.#result()
    for (const visit of this.#visits.values()) await this.#finish(visit)
    if (this.#forbidden !== undefined) throw this.#forbidden
    return this.#result()
  }

  /** @param kinds what is left to list; others take of it as well */
  async #listAll(kinds: ResourceKind[], signal: AbortSignal): Promise<void> {
    for (let kind = kinds.pop(); kind !== undefined && !signal.aborted; kind = kinds.pop()) {
      try {
        await this.#list(kind)
      } catch (error) {
        if (!isFleetError(error) || error.code !== 'cluster-forbidden') {
          kinds.length = 0
          throw error
        }
        this.#unlisted.add(kind)
        this.#forbidden ??= error
      }
    }
  }

  #result(): SweepResult {
    return { objects: this.#objects, compared: this.#compared, suspects: this.#suspects }
  }

  async #open(id: Id): Promise<Visit> {
    const { manifests, watchedOf } = this.#parts
    const watched = watchedOf(id)
    const visit: Visit = { id, watched, documents: undefined, seen: new Set(), open: [], cleanWanted: 0 }
    const version = await manifests.versionOf(this.#cluster, id)
    if (version === undefined || version !== watched.manifest) await this.#read(visit)
    return visit
  }

  async #read(visit: Visit): Promise<ReadonlyMap<string, JsonObject>> {
    const { version, documents } = await this.#parts.manifests.of(this.#cluster, visit.id)
    visit.documents = documentsByKey(documents)
    setManifest(visit.watched, version, visit.documents.size)
    return visit.documents
  }

  /** A kind that the server does not know has no objects. */
  async #list(kind: ResourceKind): Promise<void> {
    try {
      await this.#parts.api.list(kind, (object) => this.#visit(kind, object))
    } catch (error) {
      if (!isFleetError(error) || error.code !== 'not-found') throw error
    }
  }

  #visit(kind: ResourceKind, object: LiveObject): void {
    const { name, namespace = '', resourceVersion } = object.metadata
    const home = kind.namespaced ? namespace : name
    const visit = this.#visits.get(home)
    if (visit === undefined) return
    const key = objectKey(kind, home, name)
    const present = visit.watched.present.get(key)
    this.#objects += 1
    visit.seen.add(key)
    if (visit.documents !== undefined) this.#compare(visit, visit.documents, { key, kind, object })
    else if (present?.clean === undefined || present.clean !== resourceVersion)
      visit.open.push({ key, kind, object })
    else if (present.wanted === true) visit.cleanWanted += 1
  }

  #compare(
    { id, watched }: Visit,
    documents: ReadonlyMap<string, JsonObject>,
    { key, kind, object }: Listed,
  ): void {
    this.#compared += 1
    const wanted = documents.get(key)
    const managed = isApplied(object)
    const differs =
      wanted === undefined
        ? managed && object.metadata.deletionTimestamp === undefined
        : compareObject(wanted, object).length > 0
    if (!differs && !watched.drifts.has(key)) {
      markClean(watched, key, kind, object, { managed, wanted: wanted !== undefined })
      return
    }
    if (!watched.present.has(key)) watched.present.set(key, { kind, managed })
    this.#suspect(id, key, kind, object.metadata.name)
  }

  async #finish(visit: Visit): Promise<void> {
    const { id, watched, seen, open } = visit
    const complete = open.length === 0 && visit.cleanWanted >= watched.wanted
    if (visit.documents === undefined && complete && seen.size >= watched.present.size) return
    const documents = visit.documents ?? (await this.#read(visit))
    for (const listed of open) this.#compare(visit, documents, listed)
    for (const [key, document] of documents) {
      const kind = kindOf(document)
      if (kind !== undefined && this.#isAbsent(kind, key, seen))
        this.#suspect(id, key, kind, nameOf(document))
    }
    for (const [key, { kind }] of watched.present) {
      if (!documents.has(key) && this.#isAbsent(kind, key, seen))
        this.#suspect(id, key, kind, key.slice(key.lastIndexOf('/') + 1))
    }
  }

  #isAbsent(kind: ResourceKind, key: string, seen: ReadonlySet<string>): boolean {
    return !seen.has(key) && !this.#unlisted.has(kind)
  }

  #suspect(id: Id, key: string, kind: ResourceKind, name: string): void {
    this.#suspects += 1
    this.#parts.suspect(id, key, { kind, namespace: id, name, differs: true })
  }
}
