/** kube-scheduler: puts pods on kwok's nodes. */
import { join } from 'node:path'
import { ensureTool } from './binaries.ts'
import { freePort, isListening } from './ports.ts'
import type { Supervisor } from './supervisor.ts'

export async function startScheduler(
  supervisor: Supervisor,
  cluster: string,
  kubeconfig: string,
): Promise<void> {
  const port = await freePort()
  await supervisor.start({
    name: `${cluster}-kube-scheduler`,
    command: await ensureTool('kube-scheduler'),
    args: [
      `--kubeconfig=${kubeconfig}`,
      '--bind-address=127.0.0.1',
      `--secure-port=${port}`,
      `--cert-dir=${join(supervisor.folder, cluster, 'kube-scheduler')}`,
      '--leader-elect=false',
      '--profiling=false',
    ],
    ready: () => isListening(port),
  })
}
