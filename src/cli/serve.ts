/** `fleetwright serve`: the server, until it is told to stop. */
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import colors from 'picocolors'
import type { Configuration } from '../configuration/settings.ts'
import { composeServer } from './compose.ts'
import { type Printer, playExample } from './example.ts'

export interface ServeOptions {
  readonly configuration: Configuration
  readonly version: string
  /** Plays the example requests when the data directory is empty. */
  readonly demo: boolean
}

export async function serve({ configuration, version, demo }: ServeOptions): Promise<void> {
  const data = configuration.data ?? '.fleetwright'
  const isNew = !existsSync(join(data, 'fleet.git')) && configuration.fleet === undefined
  const server = await composeServer(configuration, version)
  const listen = configuration.listen ?? '127.0.0.1:8075'
  const { url } = await server.api.listen({
    host: listen.slice(0, listen.lastIndexOf(':')).replaceAll(/[[\]]/g, ''),
    port: Number(listen.slice(listen.lastIndexOf(':') + 1)),
  })
  const print = printer()
  if (demo && isNew && server.adminToken !== undefined)
    await playExample(url, server.adminToken, server.parts.history, print)
  print.line()
  print.heading('Fleetwright is up')
  print.line(`   API     ${url}`)
  print.line(`   Data    ${data}`)
  if (server.adminToken === undefined)
    print.line(
      '   Token   the admin token was shown at the first start; FLEETWRIGHT_ADMIN_TOKEN sets another',
    )
  else print.line(`   Token   ${server.adminToken}   (shown this once)`)
  print.line(
    `   Clone   git clone http://fleet:${server.adminToken ?? '<token>'}@${url.replace('http://', '')}/fleet.git`,
  )
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')])
  await server.close()
}

function printer(): Printer {
  const write = (text: string): void => void process.stdout.write(`${text}\n`)
  return {
    line: (text = '') => write(text),
    heading: (text) => write(colors.bold(text)),
    dim: (text) => write(colors.dim(text)),
  }
}
