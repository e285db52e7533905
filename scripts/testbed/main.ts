/** `npm run testbed`: real clusters and engines with Fleetwright in front, to look at until Ctrl-C. */
import { once } from 'node:events'
import { startFluxSourceController } from '../../test/stand-ins/flux-source-controller.ts'
import { startOperators } from '../../test/stand-ins/operators.ts'
import { type FleetOnGitea, startFleetOnGitea } from '../../test/support/fleet-on-gitea.ts'
import type { FleetCluster, FleetOnTestbed } from '../../test/support/fleet-on-testbed.ts'
import { isStable, mattermostWith } from '../../test/support/installation-on-testbed.ts'
import { ToolUnavailableError } from './binaries.ts'
import { INSTALLATION_RESOURCES, missingCustomResources } from './custom-resources.ts'
import { prepare } from './prepare.ts'
import { startTestbed, type Testbed } from './testbed.ts'

const CLUSTERS: readonly FleetCluster[] = [
  { name: 'prod-1', engine: 'argocd' },
  { name: 'prod-2', engine: 'flux' },
]

function print(text = ''): void {
  process.stdout.write(`${text}\n`)
}

function timer(): () => string {
  const start = performance.now()
  return () => `${((performance.now() - start) / 1000).toFixed(1).padStart(6)} s`
}

const missing = missingCustomResources()
if (missing !== undefined) {
  print(missing)
  process.exit(2)
}
try {
  await run()
} catch (error) {
  if (!(error instanceof ToolUnavailableError)) throw error
  print(error.message)
  process.exitCode = 2
}

async function run(): Promise<void> {
  // The watchdog of the bed ends everything when this process ends, so a signal may come at any time.
  const stopping = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')])
  await prepare(print)
  print('Starting clusters, engines and services')
  const bed = await startTestbed({
    clusters: [
      { name: 'control', nodes: 0 },
      ...CLUSTERS.map(({ name }) => ({ name, customResources: INSTALLATION_RESOURCES })),
    ],
    argocd: { server: true },
    flux: true,
    gitea: true,
    moto: true,
    log: (line) => print(`  ${line}`),
  })
  try {
    const parts = await startRest(bed)
    await Promise.race([demonstrate(bed, parts.fleet), stopping])
    explain(bed, parts)
    await stopping
    print('Stopping')
    await parts.close()
  } finally {
    await bed.stop()
  }
}

interface Rest extends FleetOnGitea {
  close(): Promise<void>
}

/** Stand-ins for what is not there as a real part, and Fleetwright. */
async function startRest(bed: Testbed): Promise<Rest> {
  const { api } = bed.cluster('control')
  const source = await startFluxSourceController({ api, folder: await bed.makeFolder('flux-source') })
  const operators = CLUSTERS.map(({ name }) =>
    startOperators({ api: bed.cluster(name).api, crossplane: false }),
  )
  const onGitea = await startFleetOnGitea(bed, CLUSTERS)
  return {
    ...onGitea,
    async close() {
      await onGitea.fleet.close()
      await source.close()
      await Promise.all(operators.map((one) => one.close()))
    },
  }
}

/** One workspace on each cluster, from the request to the running pods, then a new version. */
async function demonstrate(bed: Testbed, fleet: FleetOnTestbed): Promise<void> {
  for (const cluster of CLUSTERS) {
    const { name, engine } = cluster
    print(`\nA workspace on ${name}, applied by ${engine === 'argocd' ? 'Argo CD' : 'Flux'}`)
    const took = timer()
    const { ID: id } = await fleet.request<{ readonly ID: string }>('POST', '/api/installations', {
      Name: `acme-${name}`,
      OwnerID: 'acme-inc',
      Version: '11.2.0',
      DNSNames: [`acme-${name}.cloud.example.com`],
      Affinity: 'multitenant',
      Database: 'cloudnative-pg',
      Filestore: 'local-ephemeral',
      Annotations: [name],
    })
    print(`${took()}  committed as ${id}`)
    await mattermostWith(bed.cluster(name), id, () => true)
    print(`${took()}  applied by the engine`)
    await mattermostWith(bed.cluster(name), id, isStable)
    print(`${took()}  stable: its pods are ready`)
    await apiSays(fleet, id, 'stable')
    print(`${took()}  stable in the API`)
    const change = timer()
    await fleet.request('PUT', `/api/installation/${id}/mattermost`, { Version: '11.3.0' })
    await mattermostWith(bed.cluster(name), id, (one) => isStable(one) && one.status?.version === '11.3.0')
    print(`${change()}  from the request for version 11.3.0 to stable`)
    await apiSays(fleet, id, 'stable')
  }
}

async function apiSays(fleet: FleetOnTestbed, id: string, state: string): Promise<void> {
  for (;;) {
    const { State } = await fleet.request<{ readonly State: string }>('GET', `/api/installation/${id}`)
    if (State === state) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

function explain(bed: Testbed, { fleet: { url, token }, gitea }: FleetOnGitea): void {
  const { login, password, token: secret } = gitea.person
  const host = bed.gitea.url.replace('http://', '')
  const kubectl = (name: string, rest: string): string =>
    `kubectl --kubeconfig ${bed.cluster(name).kubeconfig} ${rest}`
  print(`
The test bed is up: ${bed.running().length} processes; folder ${bed.folder} (logs in logs/)

Fleetwright   ${url}   token ${token}
              curl -H 'Authorization: Bearer ${token}' ${url}/api/fleet/status
Workspaces    ${kubectl('prod-1', 'get mattermosts,pods -A')}
              ${kubectl('prod-2', 'get mattermosts,pods -A')}
Argo CD       ${kubectl('control', 'get applications -n argocd')}
              API without a page: ${bed.argocd.url}
Flux          ${kubectl('control', 'get kustomizations,gitrepositories -n flux-system')}
Fleet         ${bed.gitea.url}/${gitea.repository}   on Gitea: log in as ${login}, password ${password}
Pull requests export GITEA=http://${login}:${secret}@${host}   and go on as the README says
moto          ${bed.moto.url}

Ctrl-C ends and removes everything.`)
}
