/** What makes live objects differ from their manifests without anybody having changed what git says. */
import type { KubernetesApi, KubernetesObject } from '../../scripts/testbed/kubernetes-api.ts'
import { kindOf } from '../../src/fleet/drift/documents.ts'
import type { JsonObject } from '../../src/fleet/intents.ts'
import { pathOf } from '../../src/kube/resources.ts'

export interface Lookalike {
  readonly name: string
  readonly wanted: (namespace: string) => JsonObject
  /** What somebody else does to it; absent: the API server alone makes it differ. */
  readonly happens?: (api: KubernetesApi, live: KubernetesObject) => Promise<unknown>
  /** The live object really differs. */
  readonly lives: (live: KubernetesObject) => boolean
}

export const FALSE_POSITIVES: readonly Lookalike[] = [
  {
    name: 'defaults of the API server',
    wanted: (namespace) =>
      object('networking.k8s.io/v1', 'NetworkPolicy', namespace, {
        podSelector: {},
        ingress: [{ ports: [{ port: 8065 }] }],
      }),
    lives: has('"protocol":"TCP"', '"policyTypes":["Ingress"]'),
  },
  {
    name: 'defaults of a custom resource definition (External Secrets)',
    wanted: (namespace) => externalSecret(namespace),
    lives: has('"creationPolicy":"Owner"', '"deletionPolicy":"Retain"'),
  },
  {
    name: 'defaults of a custom resource definition in items of a list (CloudNativePG)',
    wanted: (namespace) =>
      object('postgresql.cnpg.io/v1', 'Cluster', namespace, {
        instances: 1,
        storage: { size: '20Gi' },
        managed: { roles: [{ name: 'app', login: true }] },
      }),
    lives: has('"connectionLimit":-1', '"ensure":"present"'),
  },
  {
    name: 'an operator that completes the spec',
    wanted: (namespace) => mattermost(namespace, { version: '11.2.0', replicas: 2 }),
    happens: update('mattermost-operator', {
      spec: { imagePullPolicy: 'IfNotPresent', useIngressTLS: true },
    }),
    lives: has('"imagePullPolicy":"IfNotPresent"'),
  },
  {
    name: 'an autoscaler that owns the replicas',
    wanted: (namespace) => mattermost(namespace, { version: '11.2.0' }),
    happens: update('horizontal-pod-autoscaler', { spec: { replicas: 7 } }),
    lives: has('"replicas":7'),
  },
  {
    name: 'labels and annotations of others',
    wanted: (namespace) => ({
      ...mattermost(namespace, { version: '11.2.0' }),
      metadata: { name: 'it', namespace, labels: { own: 'yes' }, annotations: { own: 'yes' } },
    }),
    happens: update('kubectl-label', {
      metadata: { labels: { team: 'a' }, annotations: { 'example.com/seen': 'now' } },
    }),
    lives: ({ metadata }) => metadata.labels?.team === 'a' && metadata.annotations?.own === 'yes',
  },
  {
    name: 'keys that a webhook adds to a map',
    wanted: (namespace) => mattermost(namespace, { version: '11.2.0', resourceLabels: { own: 'yes' } }),
    happens: update('kyverno', { spec: { resourceLabels: { injected: 'yes' } } }),
    lives: has('"injected":"yes"', '"own":"yes"'),
  },
  {
    name: 'items that another manager adds to a list by key',
    wanted: (namespace) => ({
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'it', namespace },
      secrets: [{ name: 'own' }],
    }),
    happens: (api, live) =>
      api.apply(
        {
          apiVersion: 'v1',
          kind: 'ServiceAccount',
          metadata: { name: live.metadata.name, namespace: live.metadata.namespace ?? '' },
          secrets: [{ name: 'registry' }],
        },
        'registry-operator',
      ),
    lives: has('{"name":"own"}', '{"name":"registry"}'),
  },
  {
    name: 'quantities that are written otherwise',
    wanted: (namespace) =>
      mattermost(namespace, {
        version: '11.2.0',
        scheduling: { resources: { requests: { cpu: '0.1', memory: '1024Mi' } } },
      }),
    happens: update('mattermost-operator', {
      spec: { scheduling: { resources: { requests: { cpu: '100m', memory: '1Gi' } } } },
    }),
    lives: has('"cpu":"100m"', '"memory":"1Gi"'),
  },
  {
    name: 'durations that are written otherwise',
    wanted: (namespace) => externalSecret(namespace, '60m'),
    happens: update('external-secrets', { spec: { refreshInterval: '1h0m0s' } }),
    lives: has('"refreshInterval":"1h0m0s"'),
  },
  {
    name: 'a status in the manifest and another one in the cluster',
    wanted: (namespace) => ({
      ...mattermost(namespace, { version: '11.2.0' }),
      status: { state: 'reconciling' },
    }),
    happens: async (api, live) =>
      api.patch(
        `${addressOf(live)}/status?fieldManager=mattermost-operator`,
        { status: { state: 'stable' } },
        'merge',
      ),
    lives: has('"state":"stable"'),
  },
  {
    name: 'fields that Crossplane initialises late, and the name it writes down',
    wanted: (namespace) =>
      object('s3.aws.m.upbound.io/v1beta1', 'Bucket', namespace, {
        forProvider: { region: 'us-east-1', tags: { own: 'yes' } },
      }),
    happens: update('crossplane-provider-aws', {
      metadata: { annotations: { 'crossplane.io/external-name': 'made-up', 'upjet.crossplane.io/id': '1' } },
      spec: { forProvider: { objectLockEnabled: false, tags: { 'crossplane-kind': 'bucket' } } },
    }),
    lives: has('"objectLockEnabled":false', '"crossplane-kind"'),
  },
  {
    name: 'empty and absent',
    wanted: (namespace) => ({
      ...mattermost(namespace, { version: '11.2.0', mattermostEnv: [], resourceLabels: {} }),
      metadata: { name: 'it', namespace, labels: null, annotations: {} },
    }),
    lives: ({ metadata, spec }) =>
      metadata.annotations === undefined && metadata.labels === undefined && spec !== undefined,
  },
]

function object(apiVersion: string, kind: string, namespace: string, spec: JsonObject): JsonObject {
  return { apiVersion, kind, metadata: { name: 'it', namespace }, spec }
}

function mattermost(namespace: string, spec: JsonObject): JsonObject {
  return object('installation.mattermost.com/v1beta1', 'Mattermost', namespace, spec)
}

function externalSecret(namespace: string, refreshInterval = '1h0m0s'): JsonObject {
  return object('external-secrets.io/v1', 'ExternalSecret', namespace, {
    refreshInterval,
    secretStoreRef: { name: 'fleetwright', kind: 'ClusterSecretStore' },
    data: [{ secretKey: 'password', remoteRef: { key: 'x' } }],
  })
}

/** As controllers and webhooks do it. */
function update(manager: string, patch: JsonObject): NonNullable<Lookalike['happens']> {
  return (api, live) => api.patch(`${addressOf(live)}?fieldManager=${manager}`, patch, 'merge')
}

function addressOf(live: KubernetesObject): string {
  // What came from an API server has been JSON.
  const kind = kindOf(live as unknown as JsonObject)
  if (kind === undefined) throw new Error(`${live.kind} is not compared`)
  return pathOf(kind, live.metadata.namespace, live.metadata.name)
}

function has(...texts: readonly string[]): Lookalike['lives'] {
  return (live) => {
    const { metadata: _metadata, ...rest } = live
    return texts.every((text) => JSON.stringify(rest).includes(text))
  }
}
