/** kwok: nodes without machines, and pods on them that become ready, complete and go; images tagged `does-not-exist` are never pulled. */
import { join } from 'node:path'
import { ensureTool, ensureToolFiles } from './binaries.ts'
import type { KubernetesApi } from './kubernetes-api.ts'
import type { Supervisor } from './supervisor.ts'

/** This version has no stages built in. */
const STAGES = [
  'node/fast/node-initialize.yaml',
  'node/heartbeat-with-lease/node-heartbeat-with-lease.yaml',
  'pod/fast/pod-ready.yaml',
  'pod/fast/pod-complete.yaml',
  'pod/fast/pod-delete.yaml',
] as const

const ROOM = { cpu: '64', memory: '256Gi', pods: '500' } as const

export async function startKwok(supervisor: Supervisor, cluster: string, kubeconfig: string): Promise<void> {
  const files = await ensureToolFiles('kwok')
  await supervisor.start({
    name: `${cluster}-kwok`,
    command: await ensureTool('kwok'),
    args: [
      `--kubeconfig=${kubeconfig}`,
      '--manage-all-nodes',
      '--node-ip=127.0.0.1',
      '--node-lease-duration-seconds=40',
      `--config=${join(import.meta.dirname, 'stages/pod-image-pull-back-off.yaml')}`,
      ...STAGES.map((stage) => `--config=${join(files, 'kustomize/stage', stage)}`),
    ],
  })
}

export async function addNode(
  api: KubernetesApi,
  name: string,
  labels: Readonly<Record<string, string>>,
): Promise<void> {
  await api.create('/api/v1/nodes', {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      annotations: { 'kwok.x-k8s.io/node': 'fake' },
      labels: {
        ...labels,
        'kubernetes.io/hostname': name,
        'kubernetes.io/os': 'linux',
        'kubernetes.io/arch': 'amd64',
        'topology.kubernetes.io/zone': 'zone-a',
      },
    },
    status: { allocatable: ROOM, capacity: ROOM },
  })
}
