import { test } from 'tap'
import { FleetIndex } from '../../src/fleet/fleet-index.ts'
import { clusterPath } from '../../src/fleet/paths.ts'
import { judgeClusters } from '../../src/reconcile/judge-clusters.ts'
import { createMemoryObservations } from '../../src/store/memory.ts'
import { systemClock } from '../../src/system/clock.ts'
import { cluster, id, settings } from '../support/intents.ts'

function bed() {
  const fleet = new FleetIndex(settings())
  const utilities = { nginx: { chart: '4.12.0', valuesPath: 'ours.yaml' } }
  fleet.apply([
    { path: clusterPath('prod-1'), before: undefined, after: cluster('prod-1', 1, { utilities }) },
  ])
  const observations = createMemoryObservations()
  let told = 0
  observations.onChange(() => {
    told += 1
  })
  const charts = new Map<string, string>()
  return {
    charts,
    observations,
    told: () => told,
    judge: () =>
      judgeClusters({
        writer: { fleet },
        observations,
        clock: systemClock,
        sightOf: () => ({
          contact: { connected: true, lastContact: 1 },
          fresh: true,
          nodes: { nodes: 1, ready: 1, pods: 110 },
          operatorBusy: 0,
          resources: [],
        }),
        chartOf: (_engine, unit) => charts.get(unit),
      }),
  }
}

test('the charts that engines have installed are what runs, and are told once', async (t) => {
  const { charts, observations, told, judge } = bed()
  judge()
  t.equal(observations.get('cluster', id(1))?.utilities, undefined)
  charts.set('prod-1-nginx', '4.11.1')
  charts.set('prod-2-nginx', '1.0.0')
  judge()
  const found = observations.get('cluster', id(1))
  t.strictSame(found?.utilities, { nginx: { chart: '4.11.1', valuesPath: 'ours.yaml' } })
  t.equal(found?.state, 'stable')
  const before = told()
  judge()
  t.equal(told(), before)
})

test('while no engine says anything, what was known stays', async (t) => {
  const { charts, observations, judge } = bed()
  charts.set('prod-1-nginx', '4.11.1')
  judge()
  charts.clear()
  judge()
  t.match(observations.get('cluster', id(1))?.utilities, { nginx: { chart: '4.11.1' } })
})
