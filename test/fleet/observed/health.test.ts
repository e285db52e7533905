import { test } from 'tap'
import { managedResourceHealth, readyHealth } from '../../../src/fleet/observed/crossplane.ts'
import { worstOf } from '../../../src/fleet/observed/health.ts'
import { mattermostHealth } from '../../../src/fleet/observed/mattermost.ts'
import type { LiveObject } from '../../../src/fleet/observed/objects.ts'
import { keepPod, nodeCapacity, podSight } from '../../../src/fleet/observed/workloads.ts'

type Fields = Partial<LiveObject> & {
  readonly generation?: number
  readonly deleting?: boolean
  readonly annotations?: Record<string, string>
}

function object(
  kind: string,
  { generation = 1, deleting = false, annotations, ...rest }: Fields,
): LiveObject {
  return {
    apiVersion: 'v1',
    kind,
    metadata: {
      name: 'a',
      generation,
      ...(deleting ? { deletionTimestamp: '2026-11-24T00:00:00Z' } : {}),
      ...(annotations === undefined ? {} : { annotations }),
    },
    ...rest,
  }
}

const seen = { observedGeneration: 1 }

const MATTERMOSTS: readonly (readonly [string, Fields, string, string])[] = [
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
    { generation: 2, status: { ...seen, state: 'stable' } },
    'progressing',
    'GenerationNotObserved',
  ],
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
    'an empty error',
    { status: { ...seen, state: 'stable', error: '' }, spec: { replicas: 1 } },
    'healthy',
    'Stable',
  ],
  [
    'an error of before the last edit',
    { generation: 2, status: { ...seen, state: 'reconciling', error: 'old' } },
    'progressing',
    'GenerationNotObserved',
  ],
  ['being deleted', { deleting: true, status: { ...seen, state: 'stable' } }, 'progressing', 'Deleting'],
]

test('a Mattermost resource is judged as its operator means it', async (t) => {
  for (const [name, fields, health, reason] of MATTERMOSTS)
    t.match(mattermostHealth(object('Mattermost', fields)), { health, reason }, name)
})

const synced = { type: 'Synced', status: 'True', reason: 'ReconcileSuccess' }
const ready = { type: 'Ready', status: 'True', reason: 'Available' }
const conditions = (...list: readonly object[]): Fields => ({ status: { conditions: list as never } })

const MANAGED: readonly (readonly [string, Fields, string, string])[] = [
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
    'paused by policy',
    { ...conditions(synced, ready), spec: { managementPolicies: [] } },
    'suspended',
    'Paused',
  ],
  [
    'the present spec is not processed',
    { ...conditions({ ...synced, observedGeneration: 1 }, ready), generation: 2 },
    'progressing',
    'GenerationNotObserved',
  ],
  [
    'exists, and AWS calls it broken',
    { status: { conditions: [synced, ready] as never, atProvider: { status: 'storage-full' } } },
    'degraded',
    'NotAvailable',
  ],
  [
    'exists, and AWS is still making it',
    { status: { conditions: [synced, ready] as never, atProvider: { status: 'creating' } } },
    'progressing',
    'NotAvailable',
  ],
  [
    'exists, and AWS works on it',
    { status: { conditions: [synced, ready] as never, atProvider: { status: 'modifying' } } },
    'healthy',
    'Available',
  ],
  ['being deleted', { ...conditions(synced, ready), deleting: true }, 'progressing', 'Deleting'],
]

test('a managed resource is judged by all its conditions, whatever their order', async (t) => {
  for (const [name, fields, health, reason] of MANAGED)
    t.match(managedResourceHealth(object('Cluster', fields)), { health, reason }, name)
})

const READY: readonly (readonly [string, Fields, string])[] = [
  ['no status', {}, 'progressing'],
  ['ready', conditions(ready), 'healthy'],
  [
    'not ready yet',
    conditions({ type: 'Ready', status: 'False', reason: 'ClusterIsNotReady' }),
    'progressing',
  ],
  [
    'broken',
    conditions({ type: 'Ready', status: 'False', reason: 'SecretSyncedError', message: 'no such key' }),
    'degraded',
  ],
  [
    'ready of before the last edit',
    { status: { observedGeneration: 1, conditions: [ready] as never }, generation: 2 },
    'progressing',
  ],
]

test('what has a Ready condition is judged by it', async (t) => {
  for (const [name, fields, health] of READY)
    t.equal(readyHealth(object('ExternalSecret', fields)).health, health, name)
})

test('the worst part decides', async (t) => {
  const one = (health: 'healthy' | 'degraded' | 'progressing') => ({ health, reason: health, message: '' })
  t.equal(worstOf([]), undefined)
  t.match(worstOf([one('healthy'), one('degraded'), one('progressing')]), { health: 'degraded' })
})

function pod(status: object, labels: Record<string, string> = {}): LiveObject {
  return keepPod({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', labels }, status: status as never })
}

test('pods are counted with what keeps them from being ready', async (t) => {
  const waiting = (reason: string) => ({
    containerStatuses: [{ state: { waiting: { reason } } }],
    phase: 'Pending',
  })
  const sight = podSight(
    [
      pod({
        phase: 'Running',
        conditions: [{ type: 'Ready', status: 'True' }],
        initContainerStatuses: [{ started: false, state: { terminated: { reason: 'Completed' } } }],
        containerStatuses: [{ started: true, ready: true, state: { running: {} } }],
      }),
      pod(waiting('ImagePullBackOff')),
      pod(waiting('ImagePullBackOff')),
      pod(waiting('ContainerCreating')),
      pod({
        phase: 'Pending',
        conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: 'no node' }],
      }),
      pod({ phase: 'Succeeded' }),
    ],
    5,
  )
  t.strictSame(sight, {
    wanted: 5,
    total: 5,
    running: 1,
    started: 1,
    ready: 1,
    problems: [
      { reason: 'ImagePullBackOff', count: 2 },
      { reason: 'Unschedulable', message: 'no node', count: 1 },
    ],
  })
})

test('only ready nodes have room', async (t) => {
  const node = (status: string, pods: string): LiveObject => ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: 'n' },
    status: { allocatable: { pods }, conditions: [{ type: 'Ready', status }] },
  })
  t.strictSame(nodeCapacity([node('True', '110'), node('True', '50'), node('Unknown', '110')]), {
    nodes: 3,
    ready: 2,
    pods: 160,
  })
})
