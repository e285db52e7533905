/** What the operator makes of a resource. */
import type { KubernetesApi, KubernetesObject } from '../../../scripts/testbed/kubernetes-api.ts'
import type { Deployment, Job, Mattermost } from './types.ts'

const MANAGER = 'mattermost-operator'
const UPDATE_JOB = 'mattermost-update-check'

export function deploymentPath({ metadata }: Mattermost): string {
  return `/apis/apps/v1/namespaces/${metadata.namespace}/deployments/${metadata.name}`
}

/** The first Secret that the resource names and that is not there, in the operator's words. */
export async function missingSecret(
  api: KubernetesApi,
  { metadata, spec }: Mattermost,
): Promise<string | undefined> {
  const names = [spec.database?.external?.secret, spec.fileStore?.external?.secret, spec.licenseSecret]
  for (const name of names) {
    if (name === undefined || name === '') continue
    const secret = await api.get(`/api/v1/namespaces/${metadata.namespace}/secrets/${name}`)
    if (secret === undefined) return `failed to get secret: secrets "${name}" not found`
  }
  return undefined
}

export function deploymentOf(mattermost: Mattermost): Deployment {
  const { spec } = mattermost
  const labels = selectorOf(mattermost)
  const command = spec.podTemplate?.command
  return {
    ...headOf(mattermost, 'apps/v1', 'Deployment'),
    spec: {
      replicas: spec.replicas ?? 0,
      selector: { matchLabels: labels },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      template: {
        metadata: {
          labels: { ...spec.resourceLabels, ...labels },
          annotations: spec.podTemplate?.extraAnnotations ?? {},
        },
        spec: {
          serviceAccountName: mattermost.metadata.name,
          affinity: spec.scheduling?.affinity,
          nodeSelector: spec.scheduling?.nodeSelector,
          tolerations: spec.scheduling?.tolerations,
          containers: [
            {
              name: 'mattermost',
              image: `${spec.image}${spec.version?.startsWith('sha256:') ? '@' : ':'}${spec.version}`,
              imagePullPolicy: spec.imagePullPolicy,
              env: spec.mattermostEnv,
              resources: spec.scheduling?.resources,
              ports: [{ name: 'app', containerPort: 8065 }],
              ...(command === undefined ? {} : { command }),
            },
          ],
        },
      },
    },
  }
}

/** Deployment, Service, Ingress, ServiceAccount, Role and RoleBinding, all named like the resource and owned by it. */
export async function applyObjects(
  api: KubernetesApi,
  mattermost: Mattermost,
  deployment: Deployment,
): Promise<void> {
  const { metadata, spec } = mattermost
  const { name, namespace } = metadata
  const head = (apiVersion: string, kind: string): KubernetesObject => headOf(mattermost, apiVersion, kind)
  const ownAccount = spec.fileStore?.external?.useServiceAccount !== true
  const backend = { service: { name, port: { number: 8065 } } }
  const objects: readonly KubernetesObject[] = [
    ...(ownAccount ? [head('v1', 'ServiceAccount')] : []),
    {
      ...head('rbac.authorization.k8s.io/v1', 'Role'),
      rules: [{ apiGroups: ['batch'], resources: ['jobs'], verbs: ['get', 'list', 'watch'] }],
    },
    {
      ...head('rbac.authorization.k8s.io/v1', 'RoleBinding'),
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
      subjects: [{ kind: 'ServiceAccount', name, namespace }],
    },
    {
      ...head('v1', 'Service'),
      spec: {
        clusterIP: 'None',
        selector: selectorOf(mattermost),
        ports: [
          { name: 'app', port: 8065 },
          { name: 'metrics', port: 8067 },
        ],
      },
    },
    ...(spec.ingress?.enabled === true
      ? [
          {
            ...head('networking.k8s.io/v1', 'Ingress'),
            spec: {
              ingressClassName: spec.ingress.ingressClass,
              rules: [
                {
                  host: spec.ingress.host,
                  http: { paths: [{ path: '/', pathType: 'ImplementationSpecific', backend }] },
                },
              ],
            },
          },
        ]
      : []),
    deployment,
  ]
  for (const object of objects) await api.apply(object, MANAGER)
}

/** Runs the job that checks a new version. @returns true when it succeeded; it is gone then */
export async function finishUpdateJob(
  api: KubernetesApi,
  mattermost: Mattermost,
  { spec }: Deployment,
): Promise<boolean> {
  const jobs = `/apis/batch/v1/namespaces/${mattermost.metadata.namespace}/jobs`
  const job = await api.get<Job>(`${jobs}/${UPDATE_JOB}`)
  if (job === undefined) {
    const head = headOf(mattermost, 'batch/v1', 'Job')
    const labels = { app: UPDATE_JOB }
    await api.create(jobs, {
      ...head,
      metadata: { ...head.metadata, name: UPDATE_JOB, labels },
      spec: {
        backoffLimit: 10,
        template: { metadata: { labels }, spec: { ...spec.template.spec, restartPolicy: 'Never' } },
      },
    })
    return false
  }
  if (job.metadata.deletionTimestamp !== undefined) return false
  // One that gave up has no completion time and counts as running for ever.
  if (job.status?.completionTime === undefined) return false
  await api.remove(`${jobs}/${UPDATE_JOB}?propagationPolicy=Background`)
  return true
}

function selectorOf({ metadata }: Mattermost): Readonly<Record<string, string>> {
  return {
    app: 'mattermost',
    'installation.mattermost.com/installation': metadata.name,
    'installation.mattermost.com/resource': metadata.name,
  }
}

function headOf(mattermost: Mattermost, apiVersion: string, kind: string): KubernetesObject {
  const { name, namespace = 'default', uid = '' } = mattermost.metadata
  const owner = { apiVersion: mattermost.apiVersion, kind: mattermost.kind, name, uid, controller: true }
  return {
    apiVersion,
    kind,
    metadata: {
      name,
      namespace,
      labels: { ...mattermost.spec.resourceLabels, ...selectorOf(mattermost) },
      ownerReferences: [owner],
    },
  }
}
