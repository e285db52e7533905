import { test } from 'tap'
import { FleetIndex } from '../../src/fleet/fleet-index.ts'
import type { Cluster, Installation } from '../../src/fleet/intents.ts'
import { clusterPath, installationPath } from '../../src/fleet/paths.ts'
import { place } from '../../src/fleet/placement.ts'
import { AWS, CREATED_AT, cluster, id, installation, settings } from '../support/intents.ts'

const INPUT = { logicalDatabaseId: id(77), now: CREATED_AT }

function fleetWith(clusters: readonly Cluster[], installations: readonly Installation[] = []): FleetIndex {
  const fleet = new FleetIndex(settings({ aws: AWS }))
  fleet.apply(clusters.map((after) => ({ path: clusterPath(after.metadata.name), before: undefined, after })))
  fleet.apply(
    installations.map((after) => ({
      path: installationPath(after.spec.placement?.cluster ?? '', after.metadata.id),
      before: undefined,
      after,
    })),
  )
  return fleet
}

test('the least loaded cluster that fits is taken, and the reason is told', async (t) => {
  const fleet = fleetWith(
    [cluster('a', 101), cluster('b', 102)],
    [installation('one', 1, { placement: { cluster: 'a' } })],
  )
  const placed = place(fleet, installation('two', 2), INPUT)
  t.match(placed, { outcome: 'placed', cluster: 'b', reason: /least loaded of 2 clusters that fit/ })
})

test('each reason not to take a cluster is told', async (t) => {
  const lonely = installation('lonely', 1, { placement: { cluster: 'c' }, affinity: 'isolated' })
  const cases: readonly (readonly [Cluster, Installation, RegExp])[] = [
    [cluster('c', 1, { allowInstallations: false }), installation('x', 9), /takes no new installations/],
    [
      cluster('c', 1),
      { ...installation('x', 9), metadata: { ...installation('x', 9).metadata, annotations: ['eu-only'] } },
      /lacks the annotation eu-only/,
    ],
    [cluster('c', 1), installation('x', 9, { affinity: 'isolated' }), /wants to be alone/],
    [
      cluster('c', 1, { capacity: { installations: 1, thresholdPercent: 100 } }),
      installation('x', 9),
      /is full \(1 of 1/,
    ],
    [cluster('c', 1), installation('x', 9, { filestore: { kind: 'aws-s3' } }), /has no AWS/],
    [
      cluster('c', 1, {
        provider: 'aws',
        provisioner: 'eks',
        operation: { kind: 'creation', generation: 1, requestedAt: CREATED_AT },
      }),
      installation('x', 9),
      /is not there yet/,
    ],
    [
      cluster('c', 1, { vpc: 'vpc-1' }),
      installation('x', 9, { database: { kind: 'aws-multitenant-rds-postgres' } }),
      /no aws-multitenant-rds-postgres database with room/,
    ],
  ]
  for (const [target, wanted, reason] of cases) {
    const fleet = fleetWith([target], [installation('there', 5, { placement: { cluster: 'c' } })])
    const result = place(fleet, wanted, INPUT)
    t.equal(result.outcome, 'waiting')
    t.match(result.reason, reason)
  }
  t.match(
    place(fleetWith([cluster('c', 1)], [lonely]), installation('x', 9), INPUT).reason,
    /holds an installation that wants to be alone/,
  )
  t.match(place(fleetWith([]), installation('x', 9), INPUT).reason, /the fleet has no cluster/)
})
