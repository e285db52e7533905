/**
 * Stand-in for Crossplane's providers (AWS v2.6, SQL): each managed resource gets its external name, the conditions
 * Synced and Ready, what the cloud would say of it, and its connection Secret. Nothing is made in any cloud.
 */
import { randomBytes } from 'node:crypto'
import type { KubernetesApi, KubernetesObject } from '../../scripts/testbed/kubernetes-api.ts'
import { conditionsWith, type NewCondition } from './conditions.ts'
import { type Behaviour, type StandIn, startController } from './controller.ts'
import { connectionOf, isAsynchronous, observationOf } from './crossplane/kinds.ts'

const EXTERNAL_NAME = 'crossplane.io/external-name'

export interface ManagedResource extends KubernetesObject {
  readonly spec: {
    readonly forProvider?: Readonly<Record<string, unknown>>
    readonly managementPolicies?: readonly string[]
    readonly writeConnectionSecretToRef?: { readonly name: string }
  }
  readonly status?: {
    readonly conditions?: readonly (NewCondition & { readonly lastTransitionTime?: string })[]
    readonly atProvider?: Readonly<Record<string, unknown>>
  }
}

export interface CrossplaneOptions {
  readonly api: KubernetesApi
  /** `<plural>.<group>`, for example `clusters.rds.aws.m.upbound.io`. */
  readonly kinds: readonly string[]
  /** Milliseconds from Creating to Available; 200 by default. */
  readonly creation?: number
  readonly onError?: (key: string, error: unknown) => void
}

/** One controller a kind, which all behave alike. */
export function startCrossplane(options: CrossplaneOptions): StandIn {
  const controllers = options.kinds.map((kind) => startKind(options, kind))
  return {
    behave(behaviour, key) {
      for (const controller of controllers) controller.behave(behaviour, key)
    },
    async close() {
      await Promise.all(controllers.map((controller) => controller.close()))
    },
  }
}

function startKind({ api, creation = 200, onError }: CrossplaneOptions, kind: string): StandIn {
  const [plural = '', ...group] = kind.split('.')
  const version = kind.endsWith('.crossplane.io') ? 'v1alpha1' : 'v1beta1'
  const base = `/apis/${group.join('.')}/${version}`
  return startController<ManagedResource>({
    api,
    path: `${base}/${plural}`,
    reconcile: async (resource, behaviour) => {
      const { namespace, name, deletionTimestamp } = resource.metadata
      if (deletionTimestamp !== undefined) return undefined
      return await pass(
        api,
        `${base}/namespaces/${namespace}/${plural}/${name}`,
        resource,
        behaviour,
        creation,
      )
    },
    ...(onError === undefined ? {} : { onError }),
  })
}

async function pass(
  api: KubernetesApi,
  path: string,
  resource: ManagedResource,
  behaviour: Behaviour,
  creation: number,
): Promise<number | undefined> {
  const { metadata, spec, status } = resource
  const { generation = 1, annotations = {} } = metadata
  const observedGeneration = behaviour.staleGeneration ? generation - 1 : generation
  const report = (conditions: readonly NewCondition[], rest: object = {}): Promise<unknown> =>
    api.patch(`${path}/status?fieldManager=crossplane-provider`, {
      status: { ...rest, conditions: conditionsWith(status?.conditions, conditions) },
    })
  const synced = { type: 'Synced', status: 'True', reason: 'ReconcileSuccess', observedGeneration } as const
  if (annotations['crossplane.io/paused'] === 'true' || spec.managementPolicies?.length === 0) {
    await report([{ ...synced, status: 'False', reason: 'ReconcilePaused' }])
    return undefined
  }
  const asynchronous = isAsynchronous(resource)
  if (behaviour.failure !== undefined) {
    const message = behaviour.failure
    const failure = asynchronous
      ? ({ type: 'LastAsyncOperation', status: 'False', reason: 'ApplyFailure', message } as const)
      : ({ ...synced, status: 'False', reason: 'ReconcileError', message } as const)
    await report([...(asynchronous ? [synced] : []), failure])
    return undefined
  }
  if (annotations[EXTERNAL_NAME] === undefined)
    await api.patch(path, { metadata: { annotations: { [EXTERNAL_NAME]: externalNameOf(resource) } } })
  const isReady = status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True')
  const isCreating = status?.conditions?.some(({ type }) => type === 'Ready')
  if (isReady !== true && isCreating !== true) {
    await report([synced, { type: 'Ready', status: 'False', reason: 'Creating' }])
    return creation
  }
  await writeConnection(api, resource)
  const finished = asynchronous
    ? [
        { type: 'LastAsyncOperation', status: 'True', reason: 'Success' } as const,
        { type: 'AsyncOperation', status: 'True', reason: 'Finished' } as const,
      ]
    : []
  await report([synced, { type: 'Ready', status: 'True', reason: 'Available' }, ...finished], {
    atProvider: observationOf(resource),
  })
  return undefined
}

/** AWS makes up the names of some kinds. */
function externalNameOf({ kind, metadata }: ManagedResource): string {
  const isMadeUp = kind === 'Key' || kind === 'AccessKey' || kind === 'SecurityGroup'
  return isMadeUp ? `${kind.toLowerCase()}-${randomBytes(8).toString('hex')}` : metadata.name
}

/** Written once: a second pass must not make up another password. */
async function writeConnection(api: KubernetesApi, resource: ManagedResource): Promise<void> {
  const { apiVersion, kind, metadata, spec } = resource
  const { name, namespace, uid = '' } = metadata
  const secret = spec.writeConnectionSecretToRef?.name
  if (secret === undefined) return
  const secrets = `/api/v1/namespaces/${namespace}/secrets`
  if ((await api.get(`${secrets}/${secret}`)) !== undefined) return
  await api.create(secrets, {
    metadata: { name: secret, ownerReferences: [{ apiVersion, kind, name, uid, controller: true }] },
    type: 'connection.crossplane.io/v1alpha1',
    stringData: connectionOf(resource, randomBytes(14).toString('hex')),
  })
}
