/** Objects of a Kubernetes API server as they live: raw JSON, of which the observer keeps the fields it reads. */
import type { JsonObject, JsonValue } from '../intents.ts'
import { pick } from './json.ts'

/** A kind of objects and where the API has them. */
export interface ResourceKind {
  /** Empty for the core group. */
  readonly group: string
  readonly version: string
  readonly kind: string
  /** As in the URL, for example `mattermosts`. */
  readonly plural: string
  readonly namespaced: boolean
}

export type ObjectMetadata = {
  readonly name: string
  readonly namespace?: string
  readonly uid?: string
  readonly resourceVersion?: string
  readonly generation?: number
  readonly creationTimestamp?: string
  readonly deletionTimestamp?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly managedFields?: readonly JsonObject[]
}

/** What every object has; the rest is JSON. */
export interface LiveObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: ObjectMetadata
  readonly spec?: JsonObject
  readonly status?: JsonObject
  readonly [field: string]: JsonValue | ObjectMetadata | undefined
}

/** Key of an object within a cluster. */
export function objectKey(
  { group, kind }: Pick<ResourceKind, 'group' | 'kind'>,
  namespace: string,
  name: string,
): string {
  return `${group}/${kind}/${namespace}/${name}`
}

/** What is read of every object's metadata, and the annotations named. */
export function keepMetadata(metadata: ObjectMetadata, annotations: readonly string[] = []): ObjectMetadata {
  const { name, namespace, uid, resourceVersion, generation, creationTimestamp, deletionTimestamp } = metadata
  const kept = pick(metadata.annotations, annotations)
  return {
    name,
    ...(namespace === undefined ? {} : { namespace }),
    ...(uid === undefined ? {} : { uid }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
    ...(generation === undefined ? {} : { generation }),
    ...(creationTimestamp === undefined ? {} : { creationTimestamp }),
    ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
    ...(Object.keys(kept).length === 0 ? {} : { annotations: kept }),
  }
}
