/** A Kubernetes cluster without containers: real control plane, kwok's nodes. */
import { randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { applyCustomResources, type CustomResources } from './custom-resources.ts'
import { startEtcd } from './etcd.ts'
import { type ApiServerToken, startApiServer, writeApiServerFiles } from './kube-apiserver.ts'
import { startControllerManager } from './kube-controller-manager.ts'
import { startScheduler } from './kube-scheduler.ts'
import { createKubernetesApi, type KubernetesApi, type KubernetesObject } from './kubernetes-api.ts'
import { addNode, startKwok } from './kwok.ts'
import { freePort } from './ports.ts'
import type { Supervisor } from './supervisor.ts'
import { waitFor } from './wait.ts'

export interface ClusterOptions {
  readonly name: string
  /** How many nodes; 2 by default. 0: pods stay pending. */
  readonly nodes?: number
  readonly nodeLabels?: Readonly<Record<string, string>>
  /** `all`, or the groups that are needed: each group costs memory and start time. */
  readonly customResources?: CustomResources
  /** Further identities beside the administrator. */
  readonly tokens?: readonly ApiServerToken[]
  /** Asked (TokenReview over HTTP) about tokens that the API server does not know itself. */
  readonly tokenWebhookUrl?: string
}

export interface Cluster {
  readonly name: string
  readonly url: string
  /** Of the administrator (`system:masters`). */
  readonly token: string
  /** Certificates to trust, PEM. */
  readonly authority: string
  /** Kubeconfig of the administrator. */
  readonly kubeconfig: string
  readonly api: KubernetesApi
  /** Where the API server keeps its objects. */
  readonly etcdUrl: string
  /** Private key that signs tokens of service accounts, PEM. */
  readonly serviceAccountKey: string
  /** Text of a kubeconfig for another token. */
  kubeconfigFor(token: string): string
  /** SIGKILL by default: as a crash. etcd stays. */
  stopApiServer(signal?: NodeJS.Signals): Promise<void>
  startApiServer(): Promise<void>
}

export async function startCluster(supervisor: Supervisor, options: ClusterOptions): Promise<Cluster> {
  const { name, nodes = 2, nodeLabels = {}, customResources = [] } = options
  const token = randomBytes(24).toString('hex')
  const tokens = [{ token, user: 'admin', groups: ['system:masters'] }, ...(options.tokens ?? [])]
  const port = await freePort()
  const webhook = options.tokenWebhookUrl === undefined ? {} : { tokenWebhookUrl: options.tokenWebhookUrl }
  const files = await writeApiServerFiles(supervisor, { cluster: name, tokens, ...webhook })
  const { url: etcdUrl } = await startEtcd(supervisor, name)
  const startServer = () => startApiServer(supervisor, { cluster: name, etcdUrl, port, tokens }, files)
  let apiServer = await startServer()
  const authority = await readFile(files.authority, 'utf8')
  const url = `https://127.0.0.1:${port}`
  const kubeconfig = join(supervisor.folder, name, 'kubeconfig.json')
  const kubeconfigFor = (of: string): string => kubeconfigText({ name, url, authority, token: of })
  await writeFile(kubeconfig, kubeconfigFor(token), { mode: 0o600 })
  const api = createKubernetesApi({ url, authority, token })
  await Promise.all([
    startControllerManager(supervisor, { cluster: name, kubeconfig, ...files }),
    startScheduler(supervisor, name, kubeconfig),
    startKwok(supervisor, name, kubeconfig),
    applyCustomResources(api, customResources),
    ...Array.from({ length: nodes }, (_, at) => addNode(api, `${name}-node-${at + 1}`, nodeLabels)),
  ])
  await becomeUsable(api, name, nodes)
  return {
    name,
    url,
    token,
    authority,
    kubeconfig,
    api,
    etcdUrl,
    serviceAccountKey: files.serviceAccountKey,
    kubeconfigFor,
    stopApiServer: (signal = 'SIGKILL') => apiServer.stop(signal),
    async startApiServer() {
      apiServer = await startServer()
    },
  }
}

interface Node extends KubernetesObject {
  readonly status?: {
    readonly conditions?: readonly { readonly type: string; readonly status: string }[]
  }
}

/** Pods can be made, and run. */
async function becomeUsable(api: KubernetesApi, name: string, nodes: number): Promise<void> {
  await waitFor(`the default service account of ${name}`, () =>
    api.get('/api/v1/namespaces/default/serviceaccounts/default'),
  )
  await waitFor(`${nodes} ready nodes of ${name}`, async () => {
    const { items } = await api.list<Node>('/api/v1/nodes')
    const ready = items.filter(({ status }) =>
      status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True'),
    )
    return ready.length === nodes
  })
}

function kubeconfigText(cluster: Pick<Cluster, 'name' | 'url' | 'authority' | 'token'>): string {
  const { name, url, authority, token } = cluster
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name,
        cluster: {
          server: url,
          'certificate-authority-data': Buffer.from(authority).toString('base64'),
        },
      },
    ],
    users: [{ name, user: { token } }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    'current-context': name,
  })
}
