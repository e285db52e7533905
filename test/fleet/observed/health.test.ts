import { test } from 'tap'
import { managedResourceHealth, readyHealth } from '../../../src/fleet/observed/crossplane.ts'
import { type HealthReport, worstOf } from '../../../src/fleet/observed/health.ts'
import type { HealthRule } from '../../../src/fleet/observed/kinds.ts'
import { mattermostHealth } from '../../../src/fleet/observed/mattermost.ts'
import type { LiveObject } from '../../../src/fleet/observed/objects.ts'
import { keepPod, nodeCapacity, podSight } from '../../../src/fleet/observed/workloads.ts'
import { HEALTH_CASES, liveObjectOf } from '../../support/health-cases.ts'

const JUDGES = {
  mattermost: mattermostHealth,
  'managed-resource': managedResourceHealth,
  ready: readyHealth,
} as const satisfies Record<HealthRule, (object: LiveObject) => HealthReport>

test('what an installation consists of is judged as its controllers mean it', async (t) => {
  for (const one of HEALTH_CASES)
    t.match(
      JUDGES[one.rule](liveObjectOf(one)),
      { health: one.health, reason: one.reason },
      `${one.rule}: ${one.name}`,
    )
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
