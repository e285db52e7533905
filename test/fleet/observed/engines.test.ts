import { test } from 'tap'
import {
  applicationWord,
  keepApplication,
  keepKustomization,
  kustomizationWord,
} from '../../../src/fleet/observed/engines.ts'
import type { LiveObject } from '../../../src/fleet/observed/objects.ts'

const SHA = 'a'.repeat(40)

function application(status: object): LiveObject {
  return keepApplication({
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name: 'mm-x' },
    status: status as never,
  })
}

const APPLICATIONS: readonly (readonly [string, object, object])[] = [
  ['nothing said yet', {}, { sync: 'unknown', revision: undefined, health: undefined }],
  [
    'synced and healthy',
    { sync: { status: 'Synced', revision: SHA }, health: { status: 'Healthy' } },
    { sync: 'synced', revision: SHA, health: { health: 'healthy' } },
  ],
  [
    'healthy, though it could not be rendered',
    {
      sync: { status: 'Unknown', revision: 'refs/heads/cluster/a' },
      health: { status: 'Healthy' },
      conditions: [{ type: 'ComparisonError', message: 'no path' }],
    },
    { sync: 'failed', revision: undefined, health: undefined, message: 'no path' },
  ],
  [
    'healthy before the first look',
    { sync: { status: 'Unknown', revision: 'refs/heads/cluster/a' }, health: { status: 'Healthy' } },
    { sync: 'unknown', revision: undefined, health: undefined },
  ],
  [
    'out of sync',
    { sync: { status: 'OutOfSync', revision: SHA }, health: { status: 'Degraded', message: 'no Secret' } },
    { sync: 'out-of-sync', health: { health: 'degraded', message: 'no Secret' } },
  ],
  [
    'an operation under way',
    {
      sync: { status: 'OutOfSync', revision: SHA },
      operationState: { phase: 'Running', message: 'waiting' },
    },
    { sync: 'progressing', revision: SHA },
  ],
  [
    'an operation that is tried again and again',
    {
      sync: { status: 'OutOfSync', revision: SHA },
      operationState: { phase: 'Running', message: 'Retrying attempt #2' },
    },
    { sync: 'failed' },
  ],
  [
    'an operation that failed',
    { sync: { status: 'OutOfSync', revision: SHA }, operationState: { phase: 'Failed', message: 'denied' } },
    { sync: 'failed', message: 'denied' },
  ],
]

test('an Application is believed only as far as it has rendered a commit', async (t) => {
  for (const [name, status, expected] of APPLICATIONS)
    t.match(applicationWord(application(status)), expected, name)
})

function kustomization(status: object, spec: object = {}): LiveObject {
  return keepKustomization({
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: { name: 'a-shard-y', generation: 2 },
    spec: spec as never,
    status: status as never,
  })
}

const ref = `refs/heads/shard/a/y@sha1:${SHA}`
const condition = (status: string, reason: string, message = '') => [
  { type: 'Ready', status, reason, message },
]

const KUSTOMIZATIONS: readonly (readonly [string, object, object])[] = [
  ['nothing said yet', {}, { sync: 'progressing', revision: undefined }],
  [
    'applied',
    {
      observedGeneration: 2,
      lastAttemptedRevision: ref,
      lastAppliedRevision: ref,
      conditions: condition('True', 'ReconciliationSucceeded'),
    },
    { sync: 'synced', revision: SHA },
  ],
  [
    'said of an older spec',
    {
      observedGeneration: 1,
      lastAppliedRevision: ref,
      lastAttemptedRevision: ref,
      conditions: condition('True', 'ReconciliationSucceeded'),
    },
    { sync: 'progressing' },
  ],
  [
    'under way',
    { observedGeneration: 2, lastAttemptedRevision: ref, conditions: condition('Unknown', 'Progressing') },
    { sync: 'progressing', revision: SHA },
  ],
  [
    'applied, something is not healthy',
    {
      observedGeneration: 2,
      lastAttemptedRevision: ref,
      conditions: condition('False', 'HealthCheckFailed', 'timeout'),
    },
    { sync: 'synced', revision: SHA, message: 'timeout' },
  ],
  [
    'not built',
    {
      observedGeneration: 2,
      lastAttemptedRevision: ref,
      conditions: condition('False', 'BuildFailed', 'bad'),
    },
    { sync: 'failed', message: 'bad' },
  ],
  [
    'no artifact',
    {
      observedGeneration: 2,
      conditions: condition('False', 'ArtifactFailed', 'path not found: /tmp/kustomization-123/x'),
    },
    { sync: 'failed', revision: undefined, message: 'path not found: …' },
  ],
]

test('a Kustomization has applied what it attempted unless it failed to', async (t) => {
  for (const [name, status, expected] of KUSTOMIZATIONS)
    t.match(kustomizationWord(kustomization(status)), expected, name)
  t.match(
    kustomizationWord(
      kustomization({ observedGeneration: 2, lastAttemptedRevision: ref }, { suspend: true }),
    ),
    { sync: 'unknown', message: /suspended/ },
  )
})
