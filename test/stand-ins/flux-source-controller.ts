/**
 * Stand-in for Flux' source controller (v1.9), which cannot be built here: it serves each GitRepository's ref as an
 * artifact without the files that `spec.ignore` names, notices every move of the ref, and at once when
 * `reconcile.fluxcd.io/requestedAt` changes.
 */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { KubernetesApi, KubernetesObject } from '../../scripts/testbed/kubernetes-api.ts'
import { type Behaviour, type Controller, keyOf, type StandIn, startController } from './controller.ts'
import { type Artifacts, serveArtifacts } from './flux-source-controller/artifacts.ts'
import { type Login, type Mirror, openMirror, type Tip } from './flux-source-controller/mirror.ts'

const GROUP = '/apis/source.toolkit.fluxcd.io/v1'
const RETRY = 5_000
/** Milliseconds that a fetch is good for, for those who were not asked to look. */
const FETCH_AGE = 1_000
const REQUESTED_AT = 'reconcile.fluxcd.io/requestedAt'

interface Condition {
  readonly type: string
  readonly status: 'True' | 'False'
  readonly reason: string
  readonly message: string
  readonly lastTransitionTime: string
  readonly observedGeneration: number
}

export interface GitRepository extends KubernetesObject {
  readonly spec: {
    readonly url: string
    readonly ref?: { readonly name?: string; readonly branch?: string }
    readonly ignore?: string
    readonly secretRef?: { readonly name: string }
  }
  readonly status?: {
    readonly artifact?: { readonly revision: string; readonly url: string; readonly digest: string }
    readonly conditions?: readonly Condition[]
    readonly observedGeneration?: number
    readonly lastHandledReconcileAt?: string
  }
}

export interface FluxSourceControllerOptions {
  readonly api: KubernetesApi
  /** For mirrors. */
  readonly folder: string
  /** Milliseconds between two looks at the refs of a repository, 5,000 by default; 0: only when told. The real one takes `spec.interval`. */
  readonly poll?: number
  readonly onError?: (key: string, error: unknown) => void
}

export async function startFluxSourceController(options: FluxSourceControllerOptions): Promise<StandIn> {
  const { api, folder, poll = 5_000 } = options
  const artifacts = await serveArtifacts()
  const remotes = createRemotes(folder, FETCH_AGE)
  const controller: Controller = startController<GitRepository>({
    api,
    path: `${GROUP}/gitrepositories`,
    concurrency: 4,
    reconcile: async (seen, behaviour) => {
      const repository = await api.get<GitRepository>(pathOf(seen))
      if (repository === undefined || repository.metadata.deletionTimestamp !== undefined) return undefined
      const isFine = await pass(api, remotes, artifacts, repository, behaviour)
      if (poll > 0) return poll
      return isFine ? undefined : RETRY
    },
    ...(options.onError === undefined ? {} : { onError: options.onError }),
  })
  return {
    behave: controller.behave,
    async close() {
      await controller.close()
      await artifacts.close()
    },
  }
}

/** @returns whether the artifact is the ref's */
async function pass(
  api: KubernetesApi,
  remotes: Remotes,
  artifacts: Artifacts,
  repository: GitRepository,
  behaviour: Behaviour,
): Promise<boolean> {
  const { spec, status } = repository
  const requestedAt = repository.metadata.annotations?.[REQUESTED_AT]
  const isAsked = requestedAt !== undefined && requestedAt !== status?.lastHandledReconcileAt
  try {
    if (behaviour.failure !== undefined) throw new Error(behaviour.failure)
    const login = await loginOf(api, repository)
    const { name, branch = 'master' } = spec.ref ?? {}
    const ref = name ?? `refs/heads/${branch}`
    const tip = await remotes.tip(spec.url, ref, login, isAsked)
    if (tip === undefined) throw new Error(`couldn't find remote ref "${ref}"`)
    const revision = `${name ?? branch}@sha1:${tip.commit}`
    const isCurrent =
      status?.artifact?.revision === revision &&
      status.observedGeneration === repository.metadata.generation &&
      status.conditions?.[0]?.status === 'True'
    if (isCurrent && !isAsked) return true
    const content = await remotes.archive(spec.url, tip, spec.ignore ?? '')
    const path = `gitrepository/${keyOf(repository)}/${tip.commit}.tar.gz`
    const artifact = {
      ...artifacts.put(path, content),
      path,
      revision,
      size: content.length,
      lastUpdateTime: new Date().toISOString(),
    }
    const message = `stored artifact for revision '${revision}'`
    await report(api, repository, behaviour, { status: 'True', reason: 'Succeeded', message }, { artifact })
    return true
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    // The artifact from before stays.
    await report(api, repository, behaviour, { status: 'False', reason: 'GitOperationFailed', message }, {})
    return false
  }
}

async function report(
  api: KubernetesApi,
  repository: GitRepository,
  behaviour: Behaviour,
  ready: Pick<Condition, 'status' | 'reason' | 'message'>,
  rest: object,
): Promise<void> {
  const { generation = 1, annotations = {} } = repository.metadata
  const observedGeneration = behaviour.staleGeneration ? generation - 1 : generation
  const [before] = repository.status?.conditions ?? []
  const isSame = before?.status === ready.status && before.reason === ready.reason
  const lastTransitionTime = isSame ? before.lastTransitionTime : new Date().toISOString()
  const requestedAt = annotations[REQUESTED_AT]
  const status = {
    ...rest,
    observedGeneration,
    conditions: [{ type: 'Ready', ...ready, lastTransitionTime, observedGeneration }],
    ...(requestedAt === undefined ? {} : { lastHandledReconcileAt: requestedAt }),
  }
  await api.patch(`${pathOf(repository)}/status?fieldManager=source-controller`, { status })
}

async function loginOf(api: KubernetesApi, { metadata, spec }: GitRepository): Promise<Login | undefined> {
  if (spec.secretRef === undefined) return undefined
  interface Secret extends KubernetesObject {
    readonly data?: Readonly<Record<string, string>>
  }
  const secret = await api.get<Secret>(
    `/api/v1/namespaces/${metadata.namespace}/secrets/${spec.secretRef.name}`,
  )
  if (secret === undefined)
    throw new Error(`secrets "${spec.secretRef.name}" not found in ${metadata.namespace}`)
  const text = (key: string): string => Buffer.from(secret.data?.[key] ?? '', 'base64').toString('utf8')
  return { username: text('username'), password: text('password') }
}

interface Remotes {
  /** @param fresh not from a fetch that somebody else asked for just now */
  tip(url: string, ref: string, login: Login | undefined, fresh: boolean): Promise<Tip | undefined>
  archive(url: string, tip: Tip, ignore: string): Promise<Buffer>
}

/**
 * Many GitRepositories of one repository share a mirror, and what was fetched a moment ago.
 * @param age milliseconds that a fetch is good for
 */
function createRemotes(folder: string, age: number): Remotes {
  const mirrors = new Map<string, Promise<Mirror>>()
  const fetches = new Map<string, { readonly at: number; readonly tips: Promise<ReadonlyMap<string, Tip>> }>()
  /** One fetch after the other: they would lock each other out. */
  let last: Promise<unknown> = Promise.resolve()

  function mirrorOf(url: string): Promise<Mirror> {
    const known = mirrors.get(url)
    if (known !== undefined) return known
    const path = join(folder, `source-${mirrors.size + 1}`)
    const opened = mkdir(path, { recursive: true }).then(() => openMirror(path, url))
    mirrors.set(url, opened)
    return opened
  }

  return {
    async tip(url, ref, login, fresh) {
      const key = JSON.stringify([url, login])
      const known = fetches.get(key)
      if (!fresh && known !== undefined && performance.now() - known.at < age)
        return (await known.tips).get(ref)
      const mirror = await mirrorOf(url)
      const tips = last.then(() => mirror.fetch(login))
      last = tips.catch(() => undefined)
      fetches.set(key, { at: performance.now(), tips })
      return (await tips).get(ref)
    },
    async archive(url, tip, ignore) {
      return await (await mirrorOf(url)).archive(tip, ignore)
    },
  }
}

function pathOf({ metadata }: KubernetesObject): string {
  return `${GROUP}/namespaces/${metadata.namespace}/gitrepositories/${metadata.name}`
}
