/** What the drift detector keeps of one installation. */
import type { ObjectId } from '../fleet/ids.ts'
import type { Slug } from '../fleet/intents.ts'
import type { LiveObject, ResourceKind } from '../fleet/observed/objects.ts'
import type { Drift } from '../ports/drifts.ts'

/** Something that differs and is not confirmed yet, or is to be compared. */
export interface Suspect {
  readonly kind: ResourceKind
  readonly namespace: string
  readonly name: string
  readonly since: number
  /** As the watch told it; absent: to be read. */
  readonly object?: LiveObject
  /** Compared once already: the next look decides. */
  readonly differs: boolean
}

/** An object that is there. */
export interface PresentObject {
  readonly kind: ResourceKind
  /** An engine applied it. */
  readonly managed: boolean
  /** Resource version that was compared with `Watched.manifest` and is no drift. */
  readonly clean?: string
  /** Git names it; only known of what is clean. */
  readonly wanted?: boolean
}

export interface Watched {
  readonly cluster: Slug
  /** By key. */
  readonly present: Map<string, PresentObject>
  readonly suspects: Map<string, Suspect>
  readonly drifts: Map<string, Drift>
  /** What should be there, and should not, is to be looked at. */
  wantedDirty: boolean
  /** Manifests that `clean` and `wanted` are about; undefined: none yet, or there is no manifest. */
  manifest: ObjectId | undefined
  /** How many objects git names. */
  wanted: number
}

export function newWatched(cluster: Slug): Watched {
  return {
    cluster,
    present: new Map(),
    suspects: new Map(),
    drifts: new Map(),
    wantedDirty: true,
    manifest: undefined,
    wanted: 0,
  }
}

/** What was clean by other manifests is to be compared again. */
export function setManifest(watched: Watched, manifest: ObjectId | undefined, wanted: number): void {
  if (watched.manifest === manifest && manifest !== undefined) return
  watched.manifest = manifest
  watched.wanted = wanted
  for (const [key, { kind, managed }] of watched.present) watched.present.set(key, { kind, managed })
}

export function markClean(
  { present }: Watched,
  key: string,
  kind: ResourceKind,
  object: LiveObject,
  found: { readonly managed: boolean; readonly wanted: boolean },
): void {
  const { resourceVersion } = object.metadata
  present.set(key, { kind, ...found, ...(resourceVersion === undefined ? {} : { clean: resourceVersion }) })
}
