/**
 * Stand-in for the CloudNativePG operator: a Cluster gets its Secret `<name>-app` and becomes healthy. No database runs;
 * its Services are not made.
 */
import { randomBytes } from 'node:crypto'
import type { KubernetesApi, KubernetesObject } from '../../scripts/testbed/kubernetes-api.ts'
import { conditionsWith } from './conditions.ts'
import { type StandIn, startController } from './controller.ts'

const GROUP = '/apis/postgresql.cnpg.io/v1'
const HEALTHY = 'Cluster in healthy state'

interface PostgresqlCluster extends KubernetesObject {
  readonly spec: {
    readonly instances: number
    readonly bootstrap?: { readonly initdb?: { readonly database?: string; readonly owner?: string } }
  }
  readonly status?: { readonly phase?: string; readonly conditions?: readonly object[] }
}

export function startCloudNativePg(
  api: KubernetesApi,
  onError?: (key: string, error: unknown) => void,
): StandIn {
  return startController<PostgresqlCluster>({
    api,
    path: `${GROUP}/clusters`,
    reconcile: async (cluster, behaviour) => {
      const { metadata, spec } = cluster
      const path = `${GROUP}/namespaces/${metadata.namespace}/clusters/${metadata.name}`
      const hibernated = metadata.annotations?.['cnpg.io/hibernation'] === 'on'
      const failed = behaviour.failure !== undefined
      const phase = behaviour.failure ?? HEALTHY
      if (!failed) await ensureSecret(api, cluster)
      const readyInstances = failed || hibernated ? 0 : spec.instances
      const ready = {
        type: 'Ready',
        status: failed ? 'False' : 'True',
        reason: failed ? 'ClusterIsNotReady' : 'ClusterIsReady',
        message: failed ? 'Cluster Is Not Ready' : 'Cluster is Ready',
      } as const
      await api.patch(`${path}/status?fieldManager=cloudnative-pg`, {
        status: {
          phase,
          instances: spec.instances,
          readyInstances,
          conditions: conditionsWith(cluster.status?.conditions, [ready]),
        },
      })
      return undefined
    },
    ...(onError === undefined ? {} : { onError }),
  })
}

async function ensureSecret(
  api: KubernetesApi,
  { apiVersion, kind, metadata, spec }: PostgresqlCluster,
): Promise<void> {
  const { name, namespace, uid = '' } = metadata
  const secrets = `/api/v1/namespaces/${namespace}/secrets`
  if ((await api.get(`${secrets}/${name}-app`)) !== undefined) return
  const { database = 'app', owner = 'app' } = spec.bootstrap?.initdb ?? {}
  const password = randomBytes(24).toString('hex')
  const host = `${name}-rw`
  await api.create(secrets, {
    metadata: {
      name: `${name}-app`,
      ownerReferences: [{ apiVersion, kind, name, uid, controller: true }],
    },
    type: 'kubernetes.io/basic-auth',
    stringData: {
      username: owner,
      user: owner,
      password,
      dbname: database,
      host,
      port: '5432',
      uri: `postgresql://${owner}:${password}@${host}.${namespace}:5432/${database}`,
    },
  })
}
