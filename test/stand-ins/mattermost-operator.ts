/**
 * Stand-in for the Mattermost operator (v1.25.9), which cannot be built here. As observed of the real one: it makes the
 * objects of an installation and reports `reconciling`, then `stable`; runs an update job on a new version; leaves a fully
 * specified resource alone and writes its defaults into any other; works on at most 20 installations at a time; says for a moment
 * that a ServiceAccount is missing although all is well.
 */
import type { KubernetesApi, KubernetesObject } from '../../scripts/testbed/kubernetes-api.ts'
import { type Behaviour, type Controller, keyOf, type StandIn, startController } from './controller.ts'
import { withDefaults } from './mattermost-operator/defaults.ts'
import {
  applyObjects,
  deploymentOf,
  deploymentPath,
  finishUpdateJob,
  missingSecret,
} from './mattermost-operator/objects.ts'
import type { Deployment, Mattermost, MattermostStatus } from './mattermost-operator/types.ts'

const LIST = '/apis/installation.mattermost.com/v1beta1/mattermosts'
const SLOTS = 20
const POLL = 150

export interface MattermostOperatorOptions {
  readonly api: KubernetesApi
  /** How many installations may be reconciling; 20 as the real one. */
  readonly slots?: number
  /** Milliseconds until a deferred installation is looked at again; 20,000 as the real one. */
  readonly deferral?: number
  /** The short-lived error of a healthy first pass; on as with the real one. */
  readonly flicker?: boolean
  readonly onError?: (key: string, error: unknown) => void
}

/** One for each cluster that runs installations. */
export function startMattermostOperator(options: MattermostOperatorOptions): StandIn {
  const { api, slots = SLOTS, deferral = 20_000, flicker = true } = options
  /** Those in `reconciling` or `ready`, which take a slot each. */
  const admitted = new Set<string>()
  const controller: Controller = startController<Mattermost>({
    api,
    path: LIST,
    reconcile: async (seen, behaviour) => {
      const mattermost = await api.get<Mattermost>(pathOf(seen))
      if (mattermost === undefined || mattermost.metadata.deletionTimestamp !== undefined) {
        admitted.delete(keyOf(seen))
        return undefined
      }
      if (!admitted.has(keyOf(seen))) {
        if (isDone(mattermost)) return undefined
        if (admitted.size >= slots) return deferral
        admitted.add(keyOf(seen))
      }
      const again = await pass(api, mattermost, behaviour, flicker)
      if (again === undefined) admitted.delete(keyOf(seen))
      return again
    },
    onRemove: (key) => admitted.delete(key),
    ...(options.onError === undefined ? {} : { onError: options.onError }),
  })
  return controller
}

/** One pass: objects, then what can be said of them. @returns undefined when there is nothing left to wait for */
async function pass(
  api: KubernetesApi,
  mattermost: Mattermost,
  behaviour: Behaviour,
  flicker: boolean,
): Promise<number | undefined> {
  const { generation = 1 } = mattermost.metadata
  const observedGeneration = behaviour.staleGeneration ? generation - 1 : generation
  const before = mattermost.status ?? {}
  const working = { ...before, state: 'reconciling', observedGeneration } as const
  if (before.state === undefined && flicker) {
    await report(api, mattermost, {
      ...working,
      error: `ServiceAccount "${mattermost.metadata.name}" not found`,
    })
    return POLL
  }
  const defaulted = withDefaults(mattermost.spec)
  if (defaulted !== undefined) {
    await report(api, mattermost, { ...working, error: undefined })
    // The event of this very change brings the next pass.
    await api.send('PUT', `${pathOf(mattermost)}?fieldManager=mattermost-operator`, {
      ...(await api.get<Mattermost>(pathOf(mattermost))),
      spec: defaulted,
    })
    return POLL
  }
  const error = behaviour.failure ?? (await problemOf(api, mattermost))
  if (error !== undefined) {
    await report(api, mattermost, { ...working, error })
    return 1_000
  }
  return await rollOut(api, mattermost, { ...working, error: undefined })
}

async function rollOut(
  api: KubernetesApi,
  mattermost: Mattermost,
  working: MattermostStatus,
): Promise<number | undefined> {
  const wanted = deploymentOf(mattermost)
  const running = await api.get<Deployment>(deploymentPath(mattermost))
  const update = running !== undefined && imageOf(running) !== imageOf(wanted)
  if (update && !(await finishUpdateJob(api, mattermost, wanted))) {
    const { version: _, ...withoutVersion } = working
    await report(api, mattermost, { ...withoutVersion, version: undefined })
    return POLL
  }
  await applyObjects(api, mattermost, wanted)
  const deployment = await api.get<Deployment>(deploymentPath(mattermost))
  const status = statusOf(mattermost, deployment, working)
  await report(api, mattermost, status)
  return status.state === 'stable' ? undefined : POLL
}

/** What is wrong with the resource itself or what it refers to, in the operator's words. */
async function problemOf(api: KubernetesApi, mattermost: Mattermost): Promise<string | undefined> {
  const { ingress } = mattermost.spec
  if (ingress?.enabled === true && (ingress.host ?? '') === '') return 'ingress.host required, but not set'
  return await missingSecret(api, mattermost)
}

function statusOf(
  { spec }: Mattermost,
  deployment: Deployment | undefined,
  working: MattermostStatus,
): MattermostStatus {
  const {
    replicas = 0,
    updatedReplicas = 0,
    availableReplicas = 0,
    observedGeneration = 0,
  } = deployment?.status ?? {}
  const rolledOut =
    observedGeneration === deployment?.metadata.generation &&
    updatedReplicas === spec.replicas &&
    availableReplicas === spec.replicas &&
    replicas === spec.replicas
  const serving = updatedReplicas > 0 && availableReplicas > 0
  return {
    ...working,
    state: rolledOut ? 'stable' : serving ? 'ready' : 'reconciling',
    replicas,
    updatedReplicas: Math.min(updatedReplicas, availableReplicas),
    endpoint: spec.ingress?.host ?? 'not available',
    ...(serving || rolledOut ? { version: spec.version, image: spec.image } : {}),
  }
}

function imageOf(deployment: Deployment): string | undefined {
  return deployment.spec.template.spec.containers[0]?.image
}

function isDone({ metadata, status }: Mattermost): boolean {
  return (
    status?.state === 'stable' &&
    status.observedGeneration === metadata.generation &&
    (status.error ?? '') === ''
  )
}

async function report(api: KubernetesApi, mattermost: Mattermost, status: MattermostStatus): Promise<void> {
  // A merge patch takes away what is null.
  const body = Object.fromEntries(Object.entries(status).map(([key, value]) => [key, value ?? null]))
  await api.patch(`${pathOf(mattermost)}/status?fieldManager=mattermost-operator`, { status: body })
}

function pathOf({ metadata }: KubernetesObject): string {
  return `/apis/installation.mattermost.com/v1beta1/namespaces/${metadata.namespace}/mattermosts/${metadata.name}`
}
