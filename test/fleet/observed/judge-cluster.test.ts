import { test } from 'tap'
import type { ClusterOperation } from '../../../src/fleet/intents.ts'
import { type ClusterSightInput, judgeCluster } from '../../../src/fleet/observed/judge-cluster.ts'
import type { HealthReport } from '../../../src/fleet/observed/health.ts'
import { cluster } from '../../support/intents.ts'

const SEEN: ClusterSightInput = {
  contact: { connected: true, lastContact: 1 },
  fresh: true,
  nodes: { nodes: 3, ready: 3, pods: 330 },
  engine: undefined,
  resources: [],
}
const AT = '2026-01-01T00:00:00.000Z'
const AWAY: ClusterSightInput['contact'] = {
  connected: false,
  lastContact: undefined,
  problem: { code: 'unreachable', detail: 'connect ECONNREFUSED', since: 1 },
}
const nodeGroup = (health: HealthReport['health'], message: string) => ({
  kind: 'NodeGroup',
  name: 'prod-1-workers',
  report: { health, reason: 'Because', message },
  since: 1,
})
const word = { engine: 'flux', name: 'prod-1-system', revision: undefined, observedAt: 1 } as const
const FAILED = { ...word, sync: 'failed', current: false, message: 'no such chart' } as const
const APPLIED = { ...word, sync: 'synced', current: true } as const

const CASES: readonly (readonly [
  what: string,
  operation: ClusterOperation,
  seen: Partial<ClusterSightInput>,
  state: string,
  reason: RegExp,
])[] = [
  ['it is there', 'creation', {}, 'stable', /Stable/],
  ['it has not answered', 'creation', { contact: AWAY }, 'creation-requested', /ECONNREFUSED/],
  [
    'it is being made, and so has not answered',
    'creation',
    { contact: AWAY, resources: [nodeGroup('progressing', 'Creating')] },
    'creation-in-progress',
    /^NodeGroup prod-1-workers: Creating$/,
  ],
  [
    'what failed is told before what goes on',
    'creation',
    { contact: AWAY, resources: [nodeGroup('progressing', 'Creating'), nodeGroup('degraded', 'no quota')] },
    'creation-in-progress',
    /no quota/,
  ],
  ['all of it is there', 'creation', { resources: [nodeGroup('healthy', '')] }, 'stable', /Stable/],
  ['AWS was not asked', 'creation', { resources: [nodeGroup('unknown', 'AWS is away')] }, 'stable', /Stable/],
  [
    'its machines change',
    'resize',
    { resources: [nodeGroup('progressing', 'Updating')] },
    'resize-requested',
    /Updating/,
  ],
  ['a new size that nothing here tells of', 'resize', {}, 'resize-requested', /Waits for the resize/],
  [
    'without nodes',
    'creation',
    { nodes: { nodes: 3, ready: 0, pods: 0 } },
    'waiting-for-nodes',
    /None of 3 nodes is ready/,
  ],
  ['utilities fail', 'provisioning', { engine: FAILED }, 'provision-in-progress', /no such chart/],
  ['utilities are applied', 'provisioning', { engine: APPLIED }, 'stable', /Stable/],
  [
    'it goes',
    'deletion',
    { resources: [nodeGroup('progressing', 'Deleting')] },
    'deletion-requested',
    /Waits for the deletion/,
  ],
]

for (const [what, operation, seen, state, reason] of CASES)
  test(`a cluster whose ${operation} is wanted: ${what}`, async (t) => {
    const one = cluster('prod-1', 1, { operation: { kind: operation, generation: 2, requestedAt: AT } })
    const verdict = judgeCluster(one, { ...SEEN, ...seen })
    t.match(verdict, { state, reason, completed: state === 'stable' })
  })

test('once it was there, a disturbance is no new operation', async (t) => {
  const one = cluster('prod-1', 1, { operation: { kind: 'creation', generation: 2, requestedAt: AT } })
  const verdict = judgeCluster(one, { ...SEEN, resources: [nodeGroup('degraded', 'no quota')] }, 2)
  t.match(verdict, { state: 'stable', completed: true })
})
