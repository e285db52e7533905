import type { Id } from '../fleet/ids.ts'
import type { JsonObject, Slug } from '../fleet/intents.ts'

/** Rendered manifests as the fleet repository has them now. */
export interface Manifests {
  /** All documents of an installation; empty when it has none. */
  of(cluster: Slug, installation: Id): Promise<readonly JsonObject[]>
}
