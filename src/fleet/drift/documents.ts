/** Rendered documents and live objects by the same key. Only kinds that are watched count: of others nothing is known. */
import type { JsonObject } from '../intents.ts'
import { objectAt, textAt } from '../observed/json.ts'
import { JUDGED_KINDS, NAMESPACE, PLAIN_KINDS } from '../observed/kinds.ts'
import { MATTERMOST } from '../observed/mattermost.ts'
import { type LiveObject, objectKey, type ResourceKind } from '../observed/objects.ts'
import { isEngine } from './manager.ts'

const KINDS: ReadonlyMap<string, ResourceKind> = new Map(
  [NAMESPACE, MATTERMOST, ...PLAIN_KINDS, ...JUDGED_KINDS.map(({ kind }) => kind)].map((kind) => [
    `${apiVersionOf(kind)} ${kind.kind}`,
    kind,
  ]),
)

/** Everything of which drift is found. */
export const COMPARED_KINDS: readonly ResourceKind[] = [...KINDS.values()]

export function documentsByKey(documents: readonly JsonObject[]): ReadonlyMap<string, JsonObject> {
  return new Map(
    documents.flatMap((document) => {
      const kind = isSkipped(document) ? undefined : kindOf(document)
      return kind === undefined ? [] : [[keyOf(document, kind), document] as const]
    }),
  )
}

/** No engine applies it: the manifest of an installation that was removed is not empty. */
function isSkipped(document: JsonObject): boolean {
  const annotations = objectAt(objectAt(document, 'metadata'), 'annotations')
  return textAt(annotations, 'argocd.argoproj.io/hook') === 'Skip'
}

export function kindOf(document: JsonObject): ResourceKind | undefined {
  return KINDS.get(`${textAt(document, 'apiVersion')} ${textAt(document, 'kind')}`)
}

function keyOf(document: JsonObject, kind: ResourceKind): string {
  const name = nameOf(document)
  const namespace = kind.namespaced ? (textAt(objectAt(document, 'metadata'), 'namespace') ?? '') : name
  return objectKey(kind, namespace, name)
}

export function nameOf(document: JsonObject): string {
  return textAt(objectAt(document, 'metadata'), 'name') ?? ''
}

export function apiVersionOf({ group, version }: ResourceKind): string {
  return group === '' ? version : `${group}/${version}`
}

/** An engine applied it, so an engine should have pruned it. */
export function isApplied({ metadata }: LiveObject): boolean {
  return metadata.managedFields?.some((entry) => isEngine({ name: textAt(entry, 'manager') ?? '' })) ?? false
}
