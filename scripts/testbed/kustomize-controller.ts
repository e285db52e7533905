/** Flux' kustomize-controller on one cluster. Its source controller cannot be built from Go modules: the tests bring a stand-in. */
import { ensureTool } from './binaries.ts'
import type { Cluster } from './cluster.ts'
import { answers, freePorts } from './ports.ts'
import type { Supervisor } from './supervisor.ts'

const FLUX_NAMESPACE = 'flux-system'

export interface Flux {
  readonly namespace: string
  /** Makes another cluster reachable through `spec.kubeConfig.secretRef` with its name. */
  registerCluster(cluster: Cluster): Promise<void>
}

export async function startKustomizeController(supervisor: Supervisor, cluster: Cluster): Promise<Flux> {
  const { api, kubeconfig } = cluster
  const [metricsPort, healthPort] = await freePorts(2)
  await api.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: FLUX_NAMESPACE } })
  const temporary = await supervisor.makeFolder('kustomize-controller')
  await supervisor.start({
    name: 'kustomize-controller',
    command: await ensureTool('kustomize-controller'),
    args: [
      '--watch-all-namespaces',
      '--enable-leader-election=false',
      '--events-addr=',
      '--concurrent=4',
      `--metrics-addr=127.0.0.1:${metricsPort}`,
      `--health-addr=127.0.0.1:${healthPort}`,
    ],
    environment: { RUNTIME_NAMESPACE: FLUX_NAMESPACE, KUBECONFIG: kubeconfig, TMPDIR: temporary },
    ready: () => answers(`http://127.0.0.1:${healthPort}/readyz`),
  })
  return {
    namespace: FLUX_NAMESPACE,
    async registerCluster(other) {
      await api.apply({
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: other.name, namespace: FLUX_NAMESPACE },
        stringData: { value: other.kubeconfigFor(other.token) },
      })
    },
  }
}
