/** Fleetwright on a test bed: its server, the engines wired to its repository as a person does it once, clusters imported. */
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import type { Cluster } from '../../scripts/testbed/cluster.ts'
import type { KubernetesObject } from '../../scripts/testbed/kubernetes-api.ts'
import { freePort } from '../../scripts/testbed/ports.ts'
import type { Testbed } from '../../scripts/testbed/testbed.ts'
import { waitFor } from '../../scripts/testbed/wait.ts'
import { composeServer, type RunningServer } from '../../src/cli/compose.ts'
import { readConfiguration } from '../../src/configuration/read.ts'
import { git } from '../../src/git/child-process.ts'
import { send } from './api.ts'
import { applyAll, readFleetFile } from './fleet-files.ts'
import { commitAs } from './person.ts'
import { TOKEN } from './server.ts'

/** The Secret that both engines log in with. */
const LOGIN = 'fleetwright-repository'

export interface FleetCluster {
  /** A cluster of the test bed, not the control cluster. */
  readonly name: string
  readonly engine: 'argocd' | 'flux'
}

export interface FleetOnTestbed {
  readonly url: string
  readonly token: string
  /** The bare repository, or the clone of it. */
  readonly repository: string
  readonly server: RunningServer
  /** A person changes `spec` of fleet.yaml in git. */
  settle(spec: Readonly<Record<string, unknown>>): Promise<void>
  /** @throws Error when the API refuses */
  request<Answer>(method: string, path: string, body?: unknown): Promise<Answer>
  /** A person commits to main (undefined: the file goes), and Fleetwright takes it up. */
  commit(files: Readonly<Record<string, string | undefined>>, message: string): Promise<void>
  /** Text of a file of main. */
  read(path: string): Promise<string>
  close(): Promise<void>
}

export interface FleetOptions {
  /** `rendered`: Fleetwright gets the tokens of the accounts that it rendered itself; by default those of administrators. */
  readonly access?: 'administrator' | 'rendered'
  /** Where the fleet repository is; by default Fleetwright serves it itself. */
  readonly remote?: FleetRemote
}

/** A fleet repository on a git server. */
export interface FleetRemote {
  /** As `git clone` takes it. */
  readonly url: string
  /** Of Fleetwright. */
  readonly settings: Readonly<Record<string, string>>
  /** That engines log in with. */
  readonly login: { readonly username: string; readonly password: string }
  /** A person commits to main. */
  commit(files: Readonly<Record<string, string | undefined>>): Promise<unknown>
}

/** The control cluster is the first of the bed. Installations are placed by annotation: each cluster has its name as one. */
export async function startFleet(
  bed: Testbed,
  clusters: readonly FleetCluster[],
  { access = 'administrator', remote }: FleetOptions = {},
): Promise<FleetOnTestbed> {
  const [control] = bed.clusters
  if (control === undefined) throw new Error('the bed has no control cluster')
  const data = await bed.makeFolder('fleetwright')
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const credentials = join(data, 'credentials')
  await mkdir(credentials, { recursive: true, mode: 0o700 })
  if (access === 'administrator') await writeCredentials(credentials, bed)
  const server = await openServer(data, port, remote)
  const repository = remote === undefined ? join(data, 'fleet.git') : await cloneIn(data)
  const fleet: FleetOnTestbed = {
    url,
    token: TOKEN,
    repository,
    server,
    settle: (spec) => changeSettings(fleet, spec),
    request: (method, path, body) => request(url, method, path, body),
    async commit(files, message) {
      if (remote === undefined) await commitAs(repository, data, files, message)
      else await remote.commit(files)
      await server.parts.writer.poll()
    },
    read: (path) => readFleetFile(repository, 'main', path),
    close: () => server.close(),
  }
  await changeSettings(fleet, {
    // Where the engines find the repository; no charts, because nothing here can be downloaded.
    repository: { url: remote?.url ?? `${url}/fleet.git`, secretName: LOGIN },
    utilities: {},
  })
  for (const cluster of clusters) await importCluster(fleet, cluster)
  const wiring: Wiring = {
    repository,
    url: remote?.url ?? `${url}/fleet.git`,
    login: remote?.login ?? {
      username: 'engine',
      password: await server.parts.tokens.create({ name: 'engines', role: 'reader' }),
    },
  }
  const engines = new Set(clusters.map(({ engine }) => engine))
  if (engines.has('argocd')) await wireArgoCd(control, wiring)
  if (engines.has('flux')) await wireFlux(control, wiring)
  if (access === 'rendered') await writeRenderedCredentials(credentials, bed)
  return fleet
}

/** Tokens of the accounts that the bootstrap makes on the control cluster, and the engines on the others. */
async function writeRenderedCredentials(folder: string, { clusters }: Testbed): Promise<void> {
  await Promise.all(
    clusters.map(async (cluster, at) => {
      const account = at === 0 ? CONTROL_ACCOUNT : OBSERVER_ACCOUNT
      const text = cluster.kubeconfigFor(await tokenOf(cluster, account))
      await writeFile(join(folder, at === 0 ? 'control' : cluster.name), text, { mode: 0o600 })
    }),
  )
}

/** A token of a ServiceAccount, as `kubectl create token` makes it. Waits for the account. */
export async function tokenOf(
  { name, api }: Cluster,
  account: { readonly namespace: string; readonly name: string },
): Promise<string> {
  const path = `/api/v1/namespaces/${account.namespace}/serviceaccounts/${account.name}`
  await waitFor(`the account ${account.name} on ${name}`, () => api.get(path))
  const { status } = await api.create<TokenRequest>(`${path}/token`, {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: { expirationSeconds: 3600 },
  })
  return status.token
}

interface TokenRequest extends KubernetesObject {
  readonly status: { readonly token: string }
}

export const CONTROL_ACCOUNT = { namespace: 'argocd', name: 'fleetwright' } as const
export const OBSERVER_ACCOUNT = { namespace: 'fleetwright', name: 'fleetwright-observer' } as const

/** Fleetwright watches with these. The control cluster's has a name of its own. */
async function writeCredentials(folder: string, { clusters }: Testbed): Promise<void> {
  for (const [at, { name, token, kubeconfigFor }] of clusters.entries())
    await writeFile(join(folder, at === 0 ? 'control' : name), kubeconfigFor(token), { mode: 0o600 })
}

async function openServer(data: string, port: number, remote?: FleetRemote): Promise<RunningServer> {
  const more = remote === undefined ? {} : { fleet: remote.url, ...remote.settings }
  const flags = { data, 'poll-seconds': '1', 'log-level': 'warn', ...more }
  const configuration = readConfiguration({ flags, environment: { FLEETWRIGHT_ADMIN_TOKEN: TOKEN } })
  const server = await composeServer(configuration, '0.0.0')
  await server.api.listen({ host: '127.0.0.1', port })
  return server
}

async function request<Answer>(url: string, method: string, path: string, body?: unknown): Promise<Answer> {
  const reply = await send(url, method, path, body === undefined ? {} : { body })
  if (reply.status >= 300) throw new Error(`${method} ${path} was answered ${reply.status}: ${reply.text}`)
  return reply.body
}

async function changeSettings(fleet: FleetOnTestbed, spec: Readonly<Record<string, unknown>>): Promise<void> {
  const settings = parse(await readFleetFile(fleet.repository, 'main', 'fleet.yaml'))
  Object.assign(settings.spec, spec)
  await fleet.commit({ 'fleet.yaml': stringify(settings) }, 'Settings of the test bed')
}

async function importCluster(fleet: FleetOnTestbed, { name, engine }: FleetCluster): Promise<void> {
  await fleet.request('POST', '/api/clusters/import', {
    'external-cluster-secret-name': name,
    'allow-installations': true,
    annotations: [name],
  })
  const path = `clusters/${name}/cluster.yaml`
  const cluster = parse(await readFleetFile(fleet.repository, 'main', path))
  cluster.spec.engine = engine
  await fleet.commit({ [path]: stringify(cluster) }, `${name} is applied by ${engine}`)
}

/** What an engine needs to pull. */
interface Wiring {
  /** The bare repository, or the clone of it. */
  readonly repository: string
  readonly url: string
  readonly login: { readonly username: string; readonly password: string }
}

/** The clone that Fleetwright keeps beside a repository on a git server. */
async function cloneIn(data: string): Promise<string> {
  const folder = join(data, 'remote')
  const name = (await readdir(folder)).find((entry) => entry.endsWith('.git'))
  if (name === undefined) throw new Error(`${folder} has no clone`)
  return join(folder, name)
}

async function wireArgoCd({ api }: Cluster, { url, repository, login }: Wiring): Promise<void> {
  await api.apply({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: LOGIN,
      namespace: 'argocd',
      labels: { 'argocd.argoproj.io/secret-type': 'repository' },
    },
    stringData: { type: 'git', url, ...login },
  })
  await applyAll(api, await readFleetFile(repository, 'control', 'argocd/_fleet.yaml'))
}

async function wireFlux({ api }: Cluster, { repository, login }: Wiring): Promise<void> {
  await api.apply({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: LOGIN, namespace: 'flux-system' },
    stringData: login,
  })
  await applyAll(api, await readFleetFile(repository, 'control', 'flux/_fleet.yaml'))
}

/** Waits until the engine knows the cluster: it has applied `control/` of it. */
export async function clusterIsWired({ api }: Cluster, { name, engine }: FleetCluster): Promise<void> {
  const path =
    engine === 'argocd'
      ? `/apis/argoproj.io/v1alpha1/namespaces/argocd/applicationsets/${name}-installations`
      : `/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/flux-system/kustomizations/${name}-shard-y`
  await waitFor(`${engine} to know ${name}`, () => api.get(path), { every: 200 })
}

/** Tip of a branch. */
export async function tipOf({ repository }: FleetOnTestbed, branch: string): Promise<string> {
  const output = await git(['rev-parse', `refs/heads/${branch}`], { directory: repository })
  return output.toString('utf8').trim()
}
