/** Which chart of a utility runs on a cluster, as the engine that installed it says. */
import type { Slug, UtilityName } from '../intents.ts'
import { CHART_VERSION } from '../utilities.ts'
import { isJsonObject, listAt, objectAt, pick, textAt } from './json.ts'
import { keepMetadata, type LiveObject, type ResourceKind } from './objects.ts'

export const HELM_RELEASE: ResourceKind = {
  group: 'helm.toolkit.fluxcd.io',
  version: 'v2',
  kind: 'HelmRelease',
  plural: 'helmreleases',
  namespaced: true,
}

/** Name of the Application or HelmRelease. */
export function utilityUnitNameOf(cluster: Slug, utility: UtilityName): string {
  return `${cluster}-${utility}`
}

/** What was synced last; undefined: nothing, or it is no chart. */
export function applicationChart({ status }: LiveObject): string | undefined {
  const operation = objectAt(status, 'operationState')
  const done =
    textAt(operation, 'phase') === 'Succeeded'
      ? textAt(objectAt(operation, 'syncResult'), 'revision')
      : undefined
  const sync = objectAt(status, 'sync')
  return chart(textAt(sync, 'status') === 'Synced' ? textAt(sync, 'revision') : done)
}

export function keepHelmRelease({ apiVersion, kind, metadata, status }: LiveObject): LiveObject {
  const history = listAt(status, 'history')
    .filter(isJsonObject)
    .map((release) => pick(release, ['chartVersion', 'status']))
  return { apiVersion, kind, metadata: keepMetadata(metadata), status: { history } }
}

/** The release that is deployed; newest first. */
export function releaseChart({ status }: LiveObject): string | undefined {
  const deployed = listAt(status, 'history')
    .filter(isJsonObject)
    .find((release) => textAt(release, 'status') === 'deployed')
  return chart(textAt(deployed, 'chartVersion'))
}

/** A commit is no version of a chart. */
function chart(text: string | undefined): string | undefined {
  return text !== undefined && CHART_VERSION.test(text) ? text : undefined
}
