/** The test bed: real clusters, engines and services on loopback, in one temporary folder, ended together. */
import { type ArgoCd, type ArgoCdOptions, startArgoCd } from './argocd.ts'
import { type Cluster, type ClusterOptions, startCluster } from './cluster.ts'
import { ENGINE_RESOURCES } from './custom-resources.ts'
import { type Gitea, startGitea } from './gitea.ts'
import { type Flux, startKustomizeController } from './kustomize-controller.ts'
import { type Moto, startMoto } from './moto.ts'
import { createSupervisor, type ManagedProcess, type Supervisor } from './supervisor.ts'

export interface TestbedOptions {
  /** The first one is the control cluster: the engines run on it. */
  readonly clusters?: readonly ClusterOptions[]
  readonly argocd?: boolean | ArgoCdOptions
  /** kustomize-controller. */
  readonly flux?: boolean
  readonly gitea?: boolean
  readonly moto?: boolean
  /** Told what started, with the seconds it took. */
  readonly log?: (line: string) => void
}

export interface Testbed {
  readonly folder: string
  /** A folder in it, gone with it. */
  makeFolder(name: string): Promise<string>
  readonly clusters: readonly Cluster[]
  /** @throws Error when there is no cluster of that name */
  cluster(name: string): Cluster
  /** One more, known to the engines. */
  addCluster(options: ClusterOptions): Promise<Cluster>
  /** The others throw when they were not asked for. */
  readonly argocd: ArgoCd
  readonly flux: Flux
  readonly gitea: Gitea
  readonly moto: Moto
  running(): readonly ManagedProcess[]
  stop(): Promise<void>
}

interface Engines {
  readonly argocd: ArgoCd | undefined
  readonly flux: Flux | undefined
}

/** Starts everything in parallel; what started is ended when something does not. */
export async function startTestbed(options: TestbedOptions): Promise<Testbed> {
  const supervisor = await createSupervisor()
  try {
    return await startParts(supervisor, options)
  } catch (error) {
    await supervisor.close()
    throw error
  }
}

async function startParts(supervisor: Supervisor, options: TestbedOptions): Promise<Testbed> {
  const { log = () => undefined } = options
  const starting = withEngineResources(options).map((one) =>
    timed(log, `cluster ${one.name}`, () => startCluster(supervisor, one)),
  )
  const gitea = options.gitea === true ? timed(log, 'gitea', () => startGitea(supervisor)) : undefined
  const moto = options.moto === true ? timed(log, 'moto', () => startMoto(supervisor)) : undefined
  // Nothing may still be starting when everything is ended because one of them failed.
  await Promise.allSettled([...starting, gitea, moto])
  const clusters = await Promise.all(starting)
  const engines = await startEngines(supervisor, options, clusters)
  const parts = { ...engines, gitea: await gitea, moto: await moto }
  return {
    folder: supervisor.folder,
    makeFolder: (name) => supervisor.makeFolder(name),
    clusters,
    cluster(name) {
      return given(
        clusters.find((one) => one.name === name),
        `cluster ${name}`,
      )
    },
    async addCluster(one) {
      const cluster = await timed(log, `cluster ${one.name}`, () => startCluster(supervisor, one))
      await register(engines, cluster)
      clusters.push(cluster)
      return cluster
    },
    get argocd() {
      return given(parts.argocd, 'argocd')
    },
    get flux() {
      return given(parts.flux, 'flux')
    },
    get gitea() {
      return given(parts.gitea, 'gitea')
    },
    get moto() {
      return given(parts.moto, 'moto')
    },
    running: () => supervisor.running(),
    async stop() {
      for (const { api } of clusters) api.close()
      await supervisor.close()
    },
  }
}

/** The control cluster needs the engines' own kinds. */
function withEngineResources({ clusters = [], argocd, flux }: TestbedOptions): readonly ClusterOptions[] {
  const needed = [...(argocd ? ENGINE_RESOURCES.argocd : []), ...(flux === true ? ENGINE_RESOURCES.flux : [])]
  return clusters.map((one, at) => {
    const { customResources = [] } = one
    if (at > 0 || customResources === 'all') return one
    return { ...one, customResources: [...customResources, ...needed] }
  })
}

async function startEngines(
  supervisor: Supervisor,
  { argocd, flux, log = () => undefined }: TestbedOptions,
  clusters: readonly Cluster[],
): Promise<Engines> {
  const [control, ...others] = clusters
  if (!argocd && flux !== true) return { argocd: undefined, flux: undefined }
  if (control === undefined) throw new Error('the engines need a cluster to run on')
  const settings = argocd === true || !argocd ? {} : argocd
  const startingArgoCd = argocd
    ? timed(log, 'argocd', () => startArgoCd(supervisor, control, settings))
    : undefined
  const startingFlux = flux
    ? timed(log, 'flux', () => startKustomizeController(supervisor, control))
    : undefined
  await Promise.allSettled([startingArgoCd, startingFlux])
  const engines = { argocd: await startingArgoCd, flux: await startingFlux }
  await Promise.all(others.map((cluster) => register(engines, cluster)))
  return engines
}

async function register({ argocd, flux }: Engines, cluster: Cluster): Promise<void> {
  await Promise.all([argocd?.registerCluster(cluster), flux?.registerCluster(cluster)])
}

function given<Part>(part: Part | undefined, what: string): Part {
  if (part === undefined) throw new Error(`${what} was not asked for when the test bed was started`)
  return part
}

async function timed<Part>(
  log: (line: string) => void,
  what: string,
  start: () => Promise<Part>,
): Promise<Part> {
  const before = performance.now()
  const part = await start()
  log(`${what}: ${((performance.now() - before) / 1000).toFixed(1)} s`)
  return part
}
