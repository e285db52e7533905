import { test } from 'tap'
import type { LiveObject } from '../../src/fleet/observed/objects.ts'
import type { ClusterApi, WatchOptions } from '../../src/ports/clusters.ts'
import { openInfrastructureWorld } from '../../src/reconcile/infrastructure-world.ts'

const NAMESPACE = 'fleetwright-clusters'

/** The control cluster, as far as its watches go. */
function bed() {
  const watches: WatchOptions[] = []
  const ticks = Array.from({ length: 100 }, (_, at) => at + 1).values()
  let closed = 0
  const api = {
    watch(options: WatchOptions) {
      watches.push(options)
      return {
        fresh: true,
        async close() {
          closed += 1
        },
      }
    },
  } as unknown as ClusterApi
  const world = openInfrastructureWorld({
    api,
    clock: { now: () => ticks.next().value ?? 0, monotonic: () => 0, sleep: async () => undefined },
  })
  function tell(kind: string, object: LiveObject, removed = false): void {
    const watch = watches.find((options) => options.kind.kind === kind)
    if (watch === undefined) throw new Error(`${kind} is not watched`)
    watch.onChange({ object: removed ? object : watch.keep(object), removed })
  }
  return { watches, world, tell, closed: () => closed }
}

function nodeGroup(name: string, cluster: string | undefined, ready = true): LiveObject {
  const condition = (type: string, status: boolean) => ({
    type,
    status: status ? 'True' : 'False',
    reason: status ? 'Available' : 'Creating',
    lastTransitionTime: '2026-01-01T00:00:00Z',
  })
  return {
    apiVersion: 'eks.aws.m.upbound.io/v1beta1',
    kind: 'NodeGroup',
    metadata: {
      name,
      namespace: NAMESPACE,
      labels: { ...(cluster === undefined ? {} : { 'fleetwright.dev/cluster': cluster }), team: 'platform' },
    },
    spec: { forProvider: { region: 'us-east-1' } },
    status: { conditions: [condition('Synced', true), condition('Ready', ready)] },
  }
}

test('only what says to which cluster it belongs is watched, in one namespace', async (t) => {
  const { watches } = bed()
  t.ok(watches.length > 0)
  for (const { namespace, labelSelector } of watches)
    t.strictSame(
      { namespace, labelSelector },
      { namespace: NAMESPACE, labelSelector: 'fleetwright.dev/cluster' },
    )
})

test('each cluster has its own resources, with their health and since when', async (t) => {
  const { world, tell } = bed()
  tell('NodeGroup', nodeGroup('b', 'prod-1', false))
  tell('NodeGroup', nodeGroup('a', 'prod-1'))
  tell('NodeGroup', nodeGroup('c', 'prod-2'))
  t.match(world.ofCluster('prod-1'), [
    { kind: 'NodeGroup', name: 'a', report: { health: 'healthy' } },
    { kind: 'NodeGroup', name: 'b', report: { health: 'progressing' }, since: 1 },
  ])
  tell('NodeGroup', nodeGroup('b', 'prod-1', false))
  t.match(world.ofCluster('prod-1')[1], { since: 1 }, 'nothing is new')
  tell('NodeGroup', nodeGroup('b', 'prod-1'))
  t.match(world.ofCluster('prod-1')[1], { report: { health: 'healthy' }, since: 4 })
  t.strictSame(world.ofCluster('prod-3'), [])
})

test('what goes, or goes to another cluster, is gone', async (t) => {
  const { world, tell } = bed()
  tell('NodeGroup', nodeGroup('a', 'prod-1'))
  tell('NodeGroup', nodeGroup('b', 'prod-1'))
  tell('NodeGroup', nodeGroup('a', 'prod-2'))
  t.match(world.ofCluster('prod-1'), [{ name: 'b' }])
  t.match(world.ofCluster('prod-2'), [{ name: 'a' }])
  // Of what vanished unseen only the name is known.
  tell('NodeGroup', nodeGroup('a', undefined), true)
  tell('NodeGroup', nodeGroup('b', undefined))
  t.strictSame([world.ofCluster('prod-1'), world.ofCluster('prod-2')], [[], []])
})

test('closing it closes every watch', async (t) => {
  const { world, watches, closed } = bed()
  await world.close()
  t.equal(closed(), watches.length)
})
