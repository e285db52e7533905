/** What an installation of Argo CD brings along as Kubernetes objects. */
import { randomBytes } from 'node:crypto'
import type { Cluster } from './cluster.ts'
import type { KubernetesApi, KubernetesObject } from './kubernetes-api.ts'

export const ARGOCD_NAMESPACE = 'argocd'

const PART_OF = { 'app.kubernetes.io/part-of': 'argocd' } as const
const EMPTY_CONFIG_MAPS = [
  'argocd-rbac-cm',
  'argocd-cmd-params-cm',
  'argocd-tls-certs-cm',
  'argocd-ssh-known-hosts-cm',
  'argocd-gpg-keys-cm',
] as const

const CONFIGURATION = {
  // The poll is the safety net: a nudge or a webhook comes first.
  'timeout.reconciliation': '900s',
  'timeout.reconciliation.jitter': '0s',
  'application.resourceTrackingMethod': 'annotation',
} as const

export async function applyArgoCdObjects(
  api: KubernetesApi,
  configuration: Readonly<Record<string, string>>,
): Promise<void> {
  await api.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: ARGOCD_NAMESPACE } })
  const objects = [
    configMap('argocd-cm', { ...CONFIGURATION, ...configuration }),
    ...EMPTY_CONFIG_MAPS.map((name) => configMap(name, {})),
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: metadata('argocd-secret'),
      stringData: { 'server.secretkey': randomBytes(32).toString('base64') },
    },
    defaultProject(),
  ]
  await Promise.all(objects.map((object) => api.apply(object)))
}

/** How Argo CD learns of another cluster. */
export function clusterSecret({ name, url, token, authority }: Cluster): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      ...metadata(`cluster-${name}`),
      labels: { ...PART_OF, 'argocd.argoproj.io/secret-type': 'cluster' },
    },
    stringData: {
      name,
      server: url,
      config: JSON.stringify({
        bearerToken: token,
        tlsClientConfig: { insecure: false, caData: Buffer.from(authority).toString('base64') },
      }),
    },
  }
}

function defaultProject(): KubernetesObject {
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'AppProject',
    metadata: metadata('default'),
    spec: {
      sourceRepos: ['*'],
      destinations: [{ server: '*', namespace: '*' }],
      clusterResourceWhitelist: [{ group: '*', kind: '*' }],
    },
  }
}

function configMap(name: string, data: Readonly<Record<string, string>>): KubernetesObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: metadata(name), data }
}

function metadata(name: string): KubernetesObject['metadata'] {
  return { name, namespace: ARGOCD_NAMESPACE, labels: PART_OF }
}
