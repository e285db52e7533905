/** kube-controller-manager: Deployments, Jobs, namespaces, service accounts; nodes are kwok's business. */
import { join } from 'node:path'
import { ensureTool } from './binaries.ts'
import { freePort, isListening } from './ports.ts'
import type { Supervisor } from './supervisor.ts'

export interface ControllerManagerOptions {
  readonly cluster: string
  readonly kubeconfig: string
  readonly serviceAccountKey: string
  /** Path of the API server's certificates. */
  readonly authority: string
}

export async function startControllerManager(
  supervisor: Supervisor,
  { cluster, kubeconfig, serviceAccountKey, authority }: ControllerManagerOptions,
): Promise<void> {
  const port = await freePort()
  await supervisor.start({
    name: `${cluster}-kube-controller-manager`,
    command: await ensureTool('kube-controller-manager'),
    args: [
      `--kubeconfig=${kubeconfig}`,
      `--service-account-private-key-file=${serviceAccountKey}`,
      `--root-ca-file=${authority}`,
      '--bind-address=127.0.0.1',
      `--secure-port=${port}`,
      `--cert-dir=${join(supervisor.folder, cluster, 'kube-controller-manager')}`,
      '--leader-elect=false',
      '--controllers=*,-nodelifecycle,-nodeipam,-cloud-node-lifecycle,-route,-service-lb-controller',
      // With the default limits the first service account takes five seconds.
      '--kube-api-qps=200',
      '--kube-api-burst=400',
      '--profiling=false',
    ],
    ready: () => isListening(port),
  })
}
