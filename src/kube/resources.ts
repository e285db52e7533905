/** Paths of the Kubernetes API, and its answers as objects. */
import type { JsonValue } from '../fleet/intents.ts'
import { isJsonObject, objectAt, textAt } from '../fleet/observed/json.ts'
import type { LiveObject, ResourceKind } from '../fleet/observed/objects.ts'

/** Path of a kind, of one namespace or of all, or of one object. */
export function pathOf(
  { group, version, plural, namespaced }: ResourceKind,
  namespace?: string,
  name?: string,
): string {
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`
  const scope = namespaced && namespace !== undefined ? `/namespaces/${encodeURIComponent(namespace)}` : ''
  return `${root}${scope}/${plural}${name === undefined ? '' : `/${encodeURIComponent(name)}`}`
}

/** Items of a list have neither apiVersion nor kind: the list's kind says them. Undefined for what is no object. */
export function asLiveObject(
  value: JsonValue | undefined,
  { group, version, kind }: ResourceKind,
): LiveObject | undefined {
  if (!isJsonObject(value)) return undefined
  const metadata = objectAt(value, 'metadata')
  const name = textAt(metadata, 'name')
  if (metadata === undefined || name === undefined) return undefined
  // The API server's own object: its metadata has the types that its schema says.
  return {
    ...value,
    apiVersion: group === '' ? version : `${group}/${version}`,
    kind,
    metadata: metadata as unknown as LiveObject['metadata'],
  } as LiveObject
}
