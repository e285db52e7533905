import type { Id, ObjectId } from '../fleet/ids.ts'
import type { JsonObject, Slug } from '../fleet/intents.ts'

export interface RenderedManifests {
  /** The same version is the same content; undefined: there are none. */
  readonly version: ObjectId | undefined
  readonly documents: readonly JsonObject[]
}

/** Rendered manifests as the fleet repository has them now. */
export interface Manifests {
  /** All documents of an installation. @throws FleetError `invalid-document` when a person's edit that is held is no YAML */
  of(cluster: Slug, installation: Id): Promise<RenderedManifests>
  /** Only which they are: nothing is parsed. */
  versionOf(cluster: Slug, installation: Id): Promise<ObjectId | undefined>
}
