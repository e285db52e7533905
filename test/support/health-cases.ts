/** States of what an installation consists of, and how each is to be judged: by our functions, by Argo CD and by Flux alike. */
import type { Health } from '../../src/fleet/observed/health.ts'
import type { HealthRule } from '../../src/fleet/observed/kinds.ts'
import type { LiveObject } from '../../src/fleet/observed/objects.ts'
import type { JsonObject } from '../../src/fleet/intents.ts'

export interface HealthCase {
  readonly name: string
  readonly rule: HealthRule
  readonly spec?: JsonObject
  /** Absent: the controller was not there yet. `observedGeneration: 1` is the present one. */
  readonly status?: JsonObject
  readonly annotations?: Readonly<Record<string, string>>
  readonly deleting?: true
  readonly health: Health
  readonly reason: string
}

/** What Argo CD says of a health. */
export const ARGOCD_WORDS = {
  healthy: 'Healthy',
  progressing: 'Progressing',
  suspended: 'Suspended',
  degraded: 'Degraded',
  missing: 'Missing',
  unknown: 'Unknown',
} as const satisfies Record<Health, string>

/**
 * What Flux says. It has no word for what stands still because that is wanted. An expression about a status that is not there
 * is an error: it says Unknown then, and waits as for what is in progress. Neither engine can tell how long something
 * has been so: that is only ours (src/fleet/observed/judge.ts).
 */
export function fluxWordOf({ status, health }: HealthCase): string {
  return status === undefined ? 'Unknown' : FLUX_WORDS[health]
}

const FLUX_WORDS = {
  healthy: 'Current',
  progressing: 'InProgress',
  suspended: 'Current',
  degraded: 'Failed',
  missing: 'NotFound',
  unknown: 'Unknown',
} as const satisfies Record<Health, string>

const PRESENT = 1
/** Of before the last edit: every object here has generation 1. */
const OLD = 0

type Verdict = readonly [Health, string]
type Fields = Pick<HealthCase, 'spec' | 'status' | 'annotations' | 'deleting'>

function cases(
  rule: HealthRule,
  list: readonly (readonly [string, Fields, ...Verdict])[],
): readonly HealthCase[] {
  return list.map(([name, fields, health, reason]) => ({ name, rule, ...fields, health, reason }))
}

const seen = { observedGeneration: PRESENT }

const MATTERMOSTS = cases('mattermost', [
  ['no status', {}, 'progressing', 'NotProcessed'],
  ['a status without a state', { status: { observedGeneration: 1 } }, 'progressing', 'NotProcessed'],
  [
    'stable',
    { status: { ...seen, state: 'stable', version: '11' }, spec: { replicas: 2 } },
    'healthy',
    'Stable',
  ],
  [
    'stable of before the last edit',
    { status: { observedGeneration: OLD, state: 'stable' } },
    'progressing',
    'GenerationNotObserved',
  ],
  ['stable without saying of what', { status: { state: 'stable' } }, 'progressing', 'GenerationNotObserved'],
  [
    'stable with no replicas',
    { status: { ...seen, state: 'stable' }, spec: { replicas: 0 } },
    'suspended',
    'Hibernated',
  ],
  ['ready', { status: { ...seen, state: 'ready' } }, 'progressing', 'RollingOut'],
  ['reconciling', { status: { ...seen, state: 'reconciling' } }, 'progressing', 'Reconciling'],
  [
    'an error',
    { status: { ...seen, state: 'reconciling', error: 'no Secret' } },
    'degraded',
    'OperatorError',
  ],
  [
    'an error of what is stable',
    { status: { ...seen, state: 'stable', error: 'no Secret' } },
    'degraded',
    'OperatorError',
  ],
  [
    'an empty error',
    { status: { ...seen, state: 'stable', error: '' }, spec: { replicas: 1 } },
    'healthy',
    'Stable',
  ],
  [
    'an error of before the last edit',
    { status: { observedGeneration: OLD, state: 'reconciling', error: 'old' } },
    'progressing',
    'GenerationNotObserved',
  ],
  ['being deleted', { deleting: true, status: { ...seen, state: 'stable' } }, 'progressing', 'Deleting'],
])

const synced = { type: 'Synced', status: 'True', reason: 'ReconcileSuccess' }
const ready = { type: 'Ready', status: 'True', reason: 'Available' }
const conditions = (...list: readonly JsonObject[]): { readonly status: JsonObject } => ({
  status: { conditions: list },
})
const working = (status: string): { readonly status: JsonObject } => ({
  status: { conditions: [synced, ready], atProvider: { status } },
})

const MANAGED = cases('managed-resource', [
  ['no status', {}, 'progressing', 'NotProcessed'],
  ['no conditions', { status: {} }, 'progressing', 'NotProcessed'],
  ['synced and ready', conditions(synced, ready), 'healthy', 'Available'],
  ['the other order', conditions(ready, synced), 'healthy', 'Available'],
  [
    'being made',
    conditions(synced, { type: 'Ready', status: 'False', reason: 'Creating' }),
    'progressing',
    'Creating',
  ],
  [
    'not reconciled, though ready',
    conditions(ready, { type: 'Synced', status: 'False', reason: 'ReconcileError', message: 'denied' }),
    'degraded',
    'ReconcileError',
  ],
  [
    'last operation failed, though ready',
    conditions(synced, ready, { type: 'LastAsyncOperation', status: 'False', reason: 'ApplyFailure' }),
    'degraded',
    'ApplyFailure',
  ],
  [
    'paused by annotation',
    {
      ...conditions(ready, { type: 'Synced', status: 'False', reason: 'ReconcilePaused' }),
      annotations: { 'crossplane.io/paused': 'true' },
    },
    'suspended',
    'Paused',
  ],
  [
    'paused, as the provider says',
    conditions(ready, { type: 'Synced', status: 'False', reason: 'ReconcilePaused' }),
    'suspended',
    'Paused',
  ],
  [
    'paused by policy',
    { ...conditions(synced, ready), spec: { managementPolicies: [] } },
    'suspended',
    'Paused',
  ],
  [
    'the present spec is not processed',
    conditions({ ...synced, observedGeneration: OLD }, ready),
    'progressing',
    'GenerationNotObserved',
  ],
  ['the present spec is processed', conditions({ ...synced, ...seen }, ready), 'healthy', 'Available'],
  ['exists, and AWS calls it broken', working('storage-full'), 'degraded', 'NotAvailable'],
  ['exists, and AWS is still making it', working('creating'), 'progressing', 'NotAvailable'],
  ['exists, and AWS works on it', working('modifying'), 'healthy', 'Available'],
  ['an access key in use', working('Active'), 'healthy', 'Available'],
  ['an access key that was shut off', working('Inactive'), 'degraded', 'NotAvailable'],
  ['being deleted', { ...conditions(synced, ready), deleting: true }, 'progressing', 'Deleting'],
])

const READY = cases('ready', [
  ['no status', {}, 'progressing', 'NotProcessed'],
  ['ready', conditions(ready), 'healthy', 'Available'],
  [
    'not ready yet',
    conditions({ type: 'Ready', status: 'False', reason: 'ClusterIsNotReady' }),
    'progressing',
    'ClusterIsNotReady',
  ],
  [
    'broken',
    conditions({ type: 'Ready', status: 'False', reason: 'SecretSyncedError', message: 'no such key' }),
    'degraded',
    'SecretSyncedError',
  ],
  [
    'another condition',
    conditions({ type: 'Deleted', status: 'False', reason: 'SecretSynced' }),
    'progressing',
    'NotProcessed',
  ],
  ['being deleted', { ...conditions(ready), deleting: true }, 'progressing', 'Deleting'],
])

export const HEALTH_CASES: readonly HealthCase[] = [...MATTERMOSTS, ...MANAGED, ...READY]

/** As a watch tells it. */
export function liveObjectOf({ rule, spec, status, annotations, deleting }: HealthCase): LiveObject {
  return {
    apiVersion: 'v1',
    kind: rule,
    metadata: {
      name: 'a',
      generation: 1,
      ...(deleting === undefined ? {} : { deletionTimestamp: '2026-11-24T00:00:00Z' }),
      ...(annotations === undefined ? {} : { annotations }),
    },
    ...(spec === undefined ? {} : { spec }),
    ...(status === undefined ? {} : { status }),
  }
}
