/** A Mattermost resource: what its operator says, read as the operator means it (reference: operator-and-crossplane §1.2, §1.8). */
import { type HealthReport, report } from './health.ts'
import { numberAt, pick, textAt } from './json.ts'
import { keepMetadata, type LiveObject, type ResourceKind } from './objects.ts'
import type { MattermostSight } from './sight.ts'

export const MATTERMOST: ResourceKind = {
  group: 'installation.mattermost.com',
  version: 'v1beta1',
  kind: 'Mattermost',
  plural: 'mattermosts',
  namespaced: true,
}

/** Written by the renderer: which operation and which group configuration the manifest belongs to. */
export const GENERATION_ANNOTATION = 'fleetwright.dev/generation'
export const GROUP_SEQUENCE_ANNOTATION = 'fleetwright.dev/group-sequence'
/** Written when the installation is about to be removed and nothing protects it any more. */
export const LEAVING_ANNOTATION = 'fleetwright.dev/leaving'

/** What is read of a Mattermost resource; the rest is not kept. */
export function keepMattermost({ apiVersion, kind, metadata, spec, status }: LiveObject): LiveObject {
  return {
    apiVersion,
    kind,
    metadata: keepMetadata(metadata, [GENERATION_ANNOTATION, GROUP_SEQUENCE_ANNOTATION, LEAVING_ANNOTATION]),
    spec: pick(spec, ['replicas', 'version', 'image']),
    ...(status === undefined ? {} : { status: pick(status, STATUS_FIELDS) }),
  }
}

const STATUS_FIELDS = [
  'state',
  'observedGeneration',
  'replicas',
  'updatedReplicas',
  'version',
  'image',
  'error',
] as const

/** Health alone, as the rules say that the engines get too. The operator's errors count at once here; see `settle` for time. */
export function mattermostHealth(object: LiveObject): HealthReport {
  const { metadata, spec, status } = object
  if (metadata.deletionTimestamp !== undefined)
    return report('progressing', 'Deleting', 'The Mattermost resource is being deleted')
  const state = textAt(status, 'state')
  if (state === undefined) return report('progressing', 'NotProcessed', 'Waiting for the Mattermost operator')
  if (numberAt(status, 'observedGeneration') !== metadata.generation)
    return report(
      'progressing',
      'GenerationNotObserved',
      'The Mattermost operator has not processed the present spec',
    )
  const error = textAt(status, 'error')
  if (error !== undefined && error !== '') return report('degraded', 'OperatorError', error)
  if (state === 'stable')
    return numberAt(spec, 'replicas') === 0
      ? report('suspended', 'Hibernated', 'Hibernated (0 replicas)')
      : report('healthy', 'Stable', `Stable ${textAt(status, 'version') ?? ''}`.trimEnd())
  if (state === 'ready') return report('progressing', 'RollingOut', 'Serves, the rollout is not complete')
  return report('progressing', 'Reconciling', 'The Mattermost operator is at work')
}

/** @param now milliseconds since 1970 */
export function mattermostSight(
  object: LiveObject,
  before: MattermostSight | undefined,
  now: number,
): MattermostSight {
  const { metadata, spec, status } = object
  const health = mattermostHealth(object)
  const same = before?.report.health === health.health && before.report.reason === health.reason
  const state = textAt(status, 'state')
  return {
    report: health,
    since: same ? before.since : now,
    operationGeneration: count(metadata.annotations?.[GENERATION_ANNOTATION]),
    groupSequence: count(metadata.annotations?.[GROUP_SEQUENCE_ANNOTATION]),
    state: state === 'stable' || state === 'ready' || state === 'reconciling' ? state : undefined,
    generationObserved: numberAt(status, 'observedGeneration') === metadata.generation,
    replicas: numberAt(spec, 'replicas'),
    updatedReplicas: numberAt(status, 'updatedReplicas'),
    version: textAt(status, 'version') ?? textAt(spec, 'version'),
    image: textAt(spec, 'image'),
    error: textAt(status, 'error'),
    deleting: metadata.deletionTimestamp !== undefined,
    leaving: metadata.annotations?.[LEAVING_ANNOTATION] === 'true',
  }
}

/** The operator works on it now: it takes one of the operator's slots. */
export function takesSlot(object: LiveObject): boolean {
  const state = textAt(object.status, 'state')
  return state === 'reconciling' || state === 'ready'
}

function count(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined
}
