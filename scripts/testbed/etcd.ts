/** etcd: one member, without durability. */
import { join } from 'node:path'
import { ensureTool } from './binaries.ts'
import { answers, freePorts } from './ports.ts'
import type { Supervisor } from './supervisor.ts'

/** @param cluster whose state it keeps; names the process and its folder */
export async function startEtcd(supervisor: Supervisor, cluster: string): Promise<{ readonly url: string }> {
  const [clientPort = 0, peerPort = 0] = await freePorts(2)
  const url = `http://127.0.0.1:${clientPort}`
  const peerUrl = `http://127.0.0.1:${peerPort}`
  await supervisor.start({
    name: `${cluster}-etcd`,
    command: await ensureTool('etcd'),
    args: [
      '--name=member',
      `--data-dir=${join(supervisor.folder, cluster, 'etcd')}`,
      `--listen-client-urls=${url}`,
      `--advertise-client-urls=${url}`,
      `--listen-peer-urls=${peerUrl}`,
      `--initial-advertise-peer-urls=${peerUrl}`,
      `--initial-cluster=member=${peerUrl}`,
      '--unsafe-no-fsync',
      '--log-level=warn',
    ],
    endsLast: true,
    ready: () => answers(`${url}/health`),
  })
  return { url }
}
