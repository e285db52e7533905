/**
 * `node scripts/bench/engine-latency.ts [--engine argocd|flux] [--installations 500] [--changes 7]`: from a request over HTTP until it is
 * live on a real API server, and until the API says `stable`, with so many installations on the cluster. Real Argo CD or real
 * kustomize-controller; the operator is a stand-in. No peer: the engines alone are in the reference of the wiring.
 */
import { Command } from 'commander'
import { startFluxSourceController } from '../../test/stand-ins/flux-source-controller.ts'
import { startCloudNativePg } from '../../test/stand-ins/cloudnative-pg.ts'
import { startExternalSecrets } from '../../test/stand-ins/external-secrets.ts'
import { startMattermostOperator } from '../../test/stand-ins/mattermost-operator.ts'
import {
  clusterIsWired,
  type FleetCluster,
  type FleetOnTestbed,
  startFleet,
} from '../../test/support/fleet-on-testbed.ts'
import { isStable, mattermostWith } from '../../test/support/installation-on-testbed.ts'
import type { Mattermost } from '../../test/stand-ins/mattermost-operator/types.ts'
import { INSTALLATION_RESOURCES } from '../testbed/custom-resources.ts'
import { startTestbed, type Testbed } from '../testbed/testbed.ts'
import { waitFor } from '../testbed/wait.ts'
import { median } from './row.ts'

const AT_ONCE = 16
const FIRST_APPLY_MILLISECONDS = 15 * 60_000
const LIST = '/apis/installation.mattermost.com/v1beta1/mattermosts'

const program = new Command('engine-latency')
  .option('--engine <engine>', 'argocd or flux', 'flux')
  .option('--installations <number>', 'how many are on the cluster', '500')
  .option('--changes <number>', 'how many changes are measured', '7')
  .parse()
const options = program.opts<Record<'engine' | 'installations' | 'changes', string>>()
const engine: FleetCluster['engine'] = options.engine === 'argocd' ? 'argocd' : 'flux'
const cluster: FleetCluster = { name: 'prod-1', engine }
const write = (line: string): void => void process.stdout.write(`${line}\n`)

const bed = await startTestbed({
  clusters: [
    { name: 'control', nodes: 0 },
    { name: cluster.name, nodes: 20, customResources: INSTALLATION_RESOURCES },
  ],
  argocd: engine === 'argocd',
  flux: engine === 'flux',
})
try {
  await measure(bed)
} finally {
  await bed.stop()
}

async function measure(bed: Testbed): Promise<void> {
  const control = bed.cluster('control')
  const source = await startFluxSourceController({
    api: control.api,
    folder: await bed.makeFolder('flux-source'),
  })
  const { api } = bed.cluster(cluster.name)
  // The real operator's 20 slots would only make the beginning longer.
  const operator = startMattermostOperator({ api, slots: Number(options.installations) })
  const standIns = [operator, startExternalSecrets({ api }), startCloudNativePg(api)]
  const fleet = await startFleet(bed, [cluster])
  try {
    await clusterIsWired(control, cluster)
    // Placement fills a cluster up to a part of its capacity only.
    await fleet.settle({
      placement: { thresholdPercent: 80, installationsPerCluster: 2 * Number(options.installations) },
    })
    const ids = await createAll(fleet, Number(options.installations))
    await allLive(bed, ids.length)
    await changeAndReport(bed, fleet, ids)
  } finally {
    await fleet.close()
    await Promise.all(standIns.map((standIn) => standIn.close()))
    await source.close()
  }
}

async function createAll(fleet: FleetOnTestbed, count: number): Promise<readonly string[]> {
  const started = performance.now()
  const ids: string[] = []
  let next = 0
  async function work(): Promise<void> {
    while (next < count) {
      const name = `w${next}`
      next += 1
      const { ID } = await fleet.request<{ readonly ID: string }>('POST', '/api/installations', {
        Name: name,
        OwnerID: 'bench',
        Version: '11.2.0',
        DNSNames: [`${name}.cloud.example.com`],
        Affinity: 'multitenant',
        Database: 'cloudnative-pg',
        Filestore: 'local-ephemeral',
        Annotations: [cluster.name],
      })
      ids.push(ID)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  write(`${count} installations committed in ${seconds(started)}`)
  return ids
}

async function allLive(bed: Testbed, count: number): Promise<void> {
  const started = performance.now()
  const { api } = bed.cluster(cluster.name)
  await waitFor(
    `${count} installations to be stable`,
    async () => (await api.list<Mattermost>(LIST)).items.filter(isStable).length >= count,
    { within: FIRST_APPLY_MILLISECONDS, every: 2_000 },
  )
  write(`all live and stable ${seconds(started)} later`)
}

async function changeAndReport(bed: Testbed, fleet: FleetOnTestbed, ids: readonly string[]): Promise<void> {
  const [committed, live, stable]: [number[], number[], number[]] = [[], [], []]
  for (let round = 0; round < Number(options.changes); round += 1) {
    const id = ids[(round * 37) % ids.length] ?? ''
    const version = `11.3.${round}`
    const started = performance.now()
    await fleet.request('PUT', `/api/installation/${id}/mattermost`, { Version: version })
    committed.push(performance.now() - started)
    await mattermostWith(bed.cluster(cluster.name), id, ({ spec }) => spec.version === version)
    live.push(performance.now() - started)
    await waitFor(`${id} to be stable in the API`, async () => {
      const { State } = await fleet.request<{ readonly State: string }>('GET', `/api/installation/${id}`)
      return State === 'stable'
    })
    stable.push(performance.now() - started)
  }
  const shown = (times: readonly number[]): string => `${(median(times) / 1000).toFixed(2)} s`
  write(
    `${engine}, ${ids.length} installations, median of ${live.length} changes: committed ${shown(committed)}, live ${shown(live)}, stable in the API ${shown(stable)}`,
  )
}

function seconds(since: number): string {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`
}
