/** redis-server (Debian: redis-server) without persistence. */
import { freePort, isListening } from './ports.ts'
import type { Supervisor } from './supervisor.ts'

export async function startRedis(
  supervisor: Supervisor,
  name: string,
): Promise<{ readonly address: string }> {
  const port = await freePort()
  const folder = await supervisor.makeFolder(name)
  await supervisor.start({
    name,
    command: 'redis-server',
    args: [
      `--port`,
      String(port),
      '--bind',
      '127.0.0.1',
      '--save',
      '',
      '--appendonly',
      'no',
      '--dir',
      folder,
      '--protected-mode',
      'no',
    ],
    ready: () => isListening(port),
  })
  return { address: `127.0.0.1:${port}` }
}
