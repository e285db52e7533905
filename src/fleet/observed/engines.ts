/**
 * What Argo CD and Flux say of a unit, read as they mean it: Argo CD calls an Application healthy that it could not render,
 * and Flux' last applied revision waits for health checks (reference: engine-wiring §3, §4, §6).
 */
import type { HealthReport } from './health.ts'
import { report } from './health.ts'
import { conditionsOf, isJsonObject, listAt, numberAt, objectAt, pick, textAt } from './json.ts'
import { keepMetadata, type LiveObject, type ResourceKind } from './objects.ts'
import type { EngineSight } from './sight.ts'

export const APPLICATION: ResourceKind = {
  group: 'argoproj.io',
  version: 'v1alpha1',
  kind: 'Application',
  plural: 'applications',
  namespaced: true,
}
export const APPLICATION_SET: ResourceKind = {
  group: 'argoproj.io',
  version: 'v1alpha1',
  kind: 'ApplicationSet',
  plural: 'applicationsets',
  namespaced: true,
}
export const KUSTOMIZATION: ResourceKind = {
  group: 'kustomize.toolkit.fluxcd.io',
  version: 'v1',
  kind: 'Kustomization',
  plural: 'kustomizations',
  namespaced: true,
}
export const GIT_REPOSITORY: ResourceKind = {
  group: 'source.toolkit.fluxcd.io',
  version: 'v1',
  kind: 'GitRepository',
  plural: 'gitrepositories',
  namespaced: true,
}

/** All but whether the revision is the present one, which only the fleet repository can tell. */
export type EngineWord = Omit<EngineSight, 'current' | 'observedAt'>

export function keepApplication({ apiVersion, kind, metadata, status }: LiveObject): LiveObject {
  const operation = objectAt(status, 'operationState')
  return {
    apiVersion,
    kind,
    metadata: {
      ...keepMetadata(metadata),
      ...(metadata.labels === undefined ? {} : { labels: metadata.labels }),
    },
    status: {
      ...pick(status, ['health', 'conditions', 'reconciledAt']),
      sync: pick(objectAt(status, 'sync'), ['status', 'revision']),
      ...(operation === undefined
        ? {}
        : {
            operationState: {
              ...pick(operation, ['phase', 'message', 'finishedAt']),
              syncResult: pick(objectAt(operation, 'syncResult'), ['revision']),
            },
          }),
    },
  }
}

export function applicationWord({ metadata, status }: LiveObject): EngineWord {
  const said = objectAt(status, 'sync')
  const revision = objectId(textAt(said, 'revision'))
  const operation = objectAt(status, 'operationState')
  const phase = textAt(operation, 'phase')
  const broken = listAt(status, 'conditions')
    .filter(isJsonObject)
    .find((condition) => /Error$/.test(textAt(condition, 'type') ?? ''))
  const message =
    textAt(broken, 'message') ??
    (phase === 'Failed' || phase === 'Error' || phase === 'Running'
      ? textAt(operation, 'message')
      : undefined)
  const base = {
    engine: 'argocd',
    name: metadata.name,
    revision,
    ...(message === undefined ? {} : { message: stable(message) }),
  } as const
  if (broken !== undefined || phase === 'Failed' || phase === 'Error') return { ...base, sync: 'failed' }
  if (phase === 'Running') return { ...base, sync: /retry/i.test(message ?? '') ? 'failed' : 'progressing' }
  // Without a commit nothing was rendered, whatever the words are: then health is not to be believed either.
  if (revision === undefined) return { ...base, sync: 'unknown' }
  const health = applicationHealth(objectAt(status, 'health'))
  const judged = health === undefined ? {} : { health }
  switch (textAt(said, 'status')) {
    case 'Synced':
      return { ...base, sync: 'synced', ...judged }
    case 'OutOfSync':
      return { ...base, sync: 'out-of-sync', ...judged }
    default:
      return { ...base, sync: 'unknown' }
  }
}

const APPLICATION_HEALTH: Readonly<Record<string, HealthReport['health']>> = {
  Healthy: 'healthy',
  Progressing: 'progressing',
  Suspended: 'suspended',
  Degraded: 'degraded',
  Missing: 'missing',
}

function applicationHealth(said: ReturnType<typeof objectAt>): HealthReport | undefined {
  const status = textAt(said, 'status')
  if (status === undefined) return undefined
  return report(APPLICATION_HEALTH[status] ?? 'unknown', status, textAt(said, 'message') ?? status)
}

export function keepKustomization({ apiVersion, kind, metadata, spec, status }: LiveObject): LiveObject {
  return {
    apiVersion,
    kind,
    metadata: {
      ...keepMetadata(metadata),
      ...(metadata.labels === undefined ? {} : { labels: metadata.labels }),
    },
    spec: pick(spec, ['suspend']),
    status: pick(status, [
      'conditions',
      'observedGeneration',
      'lastAttemptedRevision',
      'lastAppliedRevision',
      'artifact',
    ]),
  }
}

export function kustomizationWord({ metadata, spec, status }: LiveObject): EngineWord {
  const attempted = objectId(textAt(status, 'lastAttemptedRevision'))
  const ready = conditionsOf(status)?.find(({ type }) => type === 'Ready')
  const base = { engine: 'flux', name: metadata.name } as const
  const message = ready === undefined || ready.status === 'True' ? {} : { message: stable(ready.message) }
  if (spec?.suspend === true)
    return { ...base, sync: 'unknown', revision: attempted, message: 'The Kustomization is suspended' }
  if (numberAt(status, 'observedGeneration') !== metadata.generation || ready === undefined)
    return { ...base, sync: 'progressing', revision: attempted, ...message }
  if (ready.status === 'True')
    return { ...base, sync: 'synced', revision: objectId(textAt(status, 'lastAppliedRevision')) }
  // The manifests are live, something in them is not healthy: that is for health to say.
  if (ready.reason === 'HealthCheckFailed')
    return { ...base, sync: 'synced', revision: attempted, ...message }
  if (ready.status === 'Unknown' || ready.reason === 'Progressing')
    return { ...base, sync: 'progressing', revision: attempted, ...message }
  return { ...base, sync: 'failed', revision: attempted, ...message }
}

/** `refs/heads/shard/a/y@sha1:<id>`, `<id>`; a ref's name alone is no revision. */
function objectId(text: string | undefined): string | undefined {
  return /(?:^|:)([0-9a-f]{40})$/.exec(text ?? '')?.[1]
}

/** Flux names a random temporary folder in its messages: without it equal failures are equal. */
function stable(message: string): string {
  return message.replace(/\/(?:[\w.-]+\/)*(?:kustomization-|tmp)[\w.-]*(?:\/[\w.-]+)*/g, '…').slice(0, 2_000)
}
