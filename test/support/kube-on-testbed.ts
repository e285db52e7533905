/** Connections of the project's own to clusters of the test bed. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Cluster } from '../../scripts/testbed/cluster.ts'
import type { KubernetesApi } from '../../scripts/testbed/kubernetes-api.ts'
import type { Testbed } from '../../scripts/testbed/testbed.ts'
import type { LiveObject, ResourceKind } from '../../src/fleet/observed/objects.ts'
import { createClusters } from '../../src/kube/clusters.ts'
import { openCredentialsFolder } from '../../src/kube/credentials-folder.ts'
import type { ClusterApi, ClusterName, Clusters, Watch } from '../../src/ports/clusters.ts'
import { systemClock, systemRandomness } from '../../src/system/clock.ts'

export const CONFIG_MAP: ResourceKind = {
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  namespaced: true,
}
export const SECRET: ResourceKind = { ...CONFIG_MAP, kind: 'Secret', plural: 'secrets' }

export const NODE_KIND: ResourceKind = { ...CONFIG_MAP, kind: 'Node', plural: 'nodes', namespaced: false }

export interface FolderConnections {
  readonly clusters: Clusters
  /** Writes the kubeconfig of a cluster. */
  put(name: ClusterName, kubeconfig: string): Promise<void>
  close(): Promise<void>
}

/** Connections whose credentials are in a folder, as a server has them. */
export async function connectByFolder(
  bed: Testbed,
  folderName: string,
  names: readonly ClusterName[],
): Promise<FolderConnections> {
  const folder = await bed.makeFolder(folderName)
  await mkdir(folder, { recursive: true })
  const credentials = await openCredentialsFolder({ folder, fileOf: () => undefined, clusters: () => names })
  const clusters = createClusters({ credentials, clock: systemClock, randomness: systemRandomness })
  return {
    clusters,
    put: (name, kubeconfig) => writeFile(join(folder, name), kubeconfig, { mode: 0o600 }),
    async close() {
      await clusters.close()
      await credentials.close()
    },
  }
}

export interface Followed {
  /** Name to the value of `data.value`; what a reader of the watch believes there is. */
  readonly present: Map<string, string>
  /** How often everything was listed. */
  readonly lists: number
  /** Changes told, removals among them. */
  readonly told: number
  readonly watch: Watch
}

/** Follows the ConfigMaps of a namespace. */
export function followConfigMaps(api: ClusterApi, namespace: string): Followed {
  const present = new Map<string, string>()
  const followed = { present, lists: 0, told: 0 }
  const watch = api.watch({
    kind: CONFIG_MAP,
    namespace,
    keep: (object) => object,
    onChange({ object, removed }) {
      followed.told += 1
      if (removed) present.delete(object.metadata.name)
      else present.set(object.metadata.name, textOf(object))
    },
    onListed() {
      followed.lists += 1
    },
  })
  return Object.assign(followed, { watch })
}

function textOf({ data }: LiveObject): string {
  return String((data as { readonly value?: string } | undefined)?.value)
}

export function configMap(namespace: string, name: string, value: string): object {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data: { value } }
}

/** Many at once, some in flight at a time. */
export async function createAll(api: KubernetesApi, path: string, objects: readonly object[]): Promise<void> {
  const rest = objects.values()
  await Promise.all(
    Array.from({ length: 24 }, async () => {
      for (const object of rest) await api.create(path, object)
    }),
  )
}

/** A token of a service account from the API server itself. */
export async function serviceAccountToken(
  { api }: Cluster,
  namespace: string,
  name: string,
): Promise<string> {
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`
  const answer = await api.send<{ readonly status: { readonly token: string } }>('POST', path, {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: { expirationSeconds: 3_600 },
  })
  return answer.status.token
}
