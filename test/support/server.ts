/** A whole server on loopback with a repository of its own, placement deferred, as `serve --loops none` runs. */
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { composeServer, type RunningServer } from '../../src/cli/compose.ts'
import { readConfiguration } from '../../src/configuration/read.ts'
import { applySetup } from './setup-steps.ts'

export const TOKEN = 'fwt_for-tests-only-0123456789-0123456789'

export interface TestServer {
  readonly url: string
  readonly setupUrl: string
  readonly server: RunningServer
  /** Its data directory. */
  readonly folder: string
  /** Ends it and keeps the data directory. */
  stop(): Promise<void>
  close(): Promise<void>
}

/**
 * @param existing a data directory to go on with
 * @param more settings
 */
export async function startTestServer(
  loops: 'all' | 'none' = 'none',
  existing?: string,
  more: Readonly<Record<string, string>> = {},
): Promise<TestServer> {
  const folder = existing ?? (await mkdtemp(join(tmpdir(), 'fleetwright-')))
  const environment = { FLEETWRIGHT_ADMIN_TOKEN: TOKEN }
  const flags = { data: folder, loops, 'log-level': 'silent', ...more }
  const server = await composeServer(readConfiguration({ flags, environment }), '0.0.0')
  const { url } = await server.api.listen({ host: '127.0.0.1', port: 0 })
  const setup = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    try {
      const answer = await applySetup(untold(server), JSON.parse(Buffer.concat(chunks).toString('utf8')))
      response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(answer))
    } catch (error) {
      response.writeHead(400).end(error instanceof Error ? error.message : 'failed')
    }
  })
  await new Promise<void>((resolve) => setup.listen(0, '127.0.0.1', resolve))
  async function stop(): Promise<void> {
    await new Promise((resolve) => setup.close(resolve))
    await server.close()
  }
  // An address, because it listens on TCP.
  const { port } = setup.address() as AddressInfo
  return {
    url,
    setupUrl: `http://127.0.0.1:${port}/`,
    server,
    folder,
    stop,
    async close() {
      await stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** What a setup step puts in place is where a recorded story begins: nobody is told of it. */
function untold({ parts, observation }: RunningServer): RunningServer['parts'] {
  const { observations } = parts
  return {
    ...parts,
    observations: {
      ...observations,
      set: (...seen) => observation.tracker.adopt(() => observations.set(...seen)),
    },
  }
}
