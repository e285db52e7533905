/** Crossplane managed resources and the External Secrets of an installation (reference: operator-and-crossplane §4.5, §5). */
import type { JsonObject } from '../intents.ts'
import { type HealthReport, report } from './health.ts'
import { conditionsOf, numberAt, objectAt, pick, textAt } from './json.ts'
import { keepMetadata, type LiveObject } from './objects.ts'

export const PAUSED = 'crossplane.io/paused'

/** What is read of a managed resource; `forProvider` and the secrets' names are not kept. */
export function keepManagedResource({ apiVersion, kind, metadata, spec, status }: LiveObject): LiveObject {
  const atProvider = pick(objectAt(status, 'atProvider'), ['status', 'isEnabled', 'dbInstanceStatus'])
  return {
    apiVersion,
    kind,
    metadata: keepMetadata(metadata, [PAUSED]),
    spec: pick(spec, ['managementPolicies']),
    status: {
      ...pick(status, ['conditions']),
      ...(Object.keys(atProvider).length === 0 ? {} : { atProvider }),
    },
  }
}

/** States that AWS itself calls working; every other one that it names is not. */
export const WORKING = [
  'available',
  'ACTIVE',
  // Of access keys.
  'Active',
  'backing-up',
  'modifying',
  'configuring-enhanced-monitoring',
  'maintenance',
  'upgrading',
  'storage-optimization',
  'UPDATING',
  'scaling-storage',
]
export const BEGINNING = ['creating', 'CREATING', 'starting', 'rebooting', 'configuring-iam-database-auth']

/**
 * The order matters: paused, not reconciled, last operation failed, ready. A missing status is progress, not health; a
 * `Ready` of before the present spec was processed does not count.
 */
export function managedResourceHealth(object: LiveObject): HealthReport {
  const { metadata, spec, status } = object
  if (metadata.deletionTimestamp !== undefined)
    return report('progressing', 'Deleting', `${object.kind} is being deleted`)
  const conditions = conditionsOf(status)
  if (conditions === undefined || conditions.length === 0)
    return report('progressing', 'NotProcessed', `Waiting for the provider to look at the ${object.kind}`)
  const synced = conditions.find(({ type }) => type === 'Synced')
  if (metadata.annotations?.[PAUSED] === 'true' || isPaused(spec) || synced?.reason === 'ReconcilePaused')
    return report('suspended', 'Paused', `Reconciliation of the ${object.kind} is paused`)
  if (synced?.status === 'False') return report('degraded', synced.reason || 'NotSynced', synced.message)
  const last = conditions.find(({ type }) => type === 'LastAsyncOperation')
  if (last?.status === 'False') return report('degraded', last.reason || 'OperationFailed', last.message)
  const ready = conditions.find(({ type }) => type === 'Ready')
  const observed =
    synced?.observedGeneration === undefined || synced.observedGeneration === metadata.generation
  if (ready?.status !== 'True' || synced?.status !== 'True')
    return report(
      'progressing',
      ready?.reason || 'NotReady',
      ready?.message || `${object.kind} is not ready yet`,
    )
  if (!observed)
    return report('progressing', 'GenerationNotObserved', `The provider has not processed the present spec`)
  return serviceHealth(object, objectAt(status, 'atProvider'))
}

/** `Ready` says that the thing exists; whether it works says AWS. */
function serviceHealth({ kind }: LiveObject, atProvider: JsonObject | undefined): HealthReport {
  const said = textAt(atProvider, 'status') ?? textAt(atProvider, 'dbInstanceStatus')
  return said === undefined ? report('healthy', 'Available', 'Available') : awsStatusHealth(kind, said)
}

/**
 * @param what it is a status of
 * @param words to tell when it is healthy
 */
export function awsStatusHealth(what: string, status: string, words = status): HealthReport {
  if (WORKING.includes(status)) return report('healthy', 'Available', words)
  const health = BEGINNING.includes(status) ? 'progressing' : 'degraded'
  return report(health, 'NotAvailable', `AWS says that the ${what} is ${status}`)
}

function isPaused(spec: JsonObject | undefined): boolean {
  return Array.isArray(spec?.managementPolicies) && spec.managementPolicies.length === 0
}

/** Reasons of a condition that is not true by which External Secrets says that it is broken; others say that it is on its way. */
export const FAILING = [
  'SecretSyncedError',
  'SecretMissing',
  'InvalidStoreConfiguration',
  'InvalidProviderConfig',
  'ValidationFailed',
]

/** Objects with a `Ready` condition that means what it says: External Secrets, CloudNativePG databases, stores. */
export function readyHealth(object: LiveObject): HealthReport {
  const { metadata, status, kind } = object
  if (metadata.deletionTimestamp !== undefined)
    return report('progressing', 'Deleting', `${kind} is being deleted`)
  const observed = numberAt(status, 'observedGeneration')
  if (observed !== undefined && observed !== metadata.generation)
    return report('progressing', 'GenerationNotObserved', `The controller has not processed the present spec`)
  const ready = conditionsOf(status)?.find(({ type }) => type === 'Ready')
  if (ready === undefined)
    return report('progressing', 'NotProcessed', `Waiting for the controller to look at the ${kind}`)
  if (ready.status === 'True') return report('healthy', ready.reason || 'Ready', ready.message || 'Ready')
  // A cluster of CloudNativePG in setup is not broken.
  const failing = FAILING.includes(ready.reason)
  return report(
    failing ? 'degraded' : 'progressing',
    ready.reason || 'NotReady',
    ready.message || `${kind} is not ready yet`,
  )
}

export function keepReady({ apiVersion, kind, metadata, status }: LiveObject): LiveObject {
  return {
    apiVersion,
    kind,
    metadata: keepMetadata(metadata),
    status: pick(status, ['conditions', 'observedGeneration', 'phase']),
  }
}
