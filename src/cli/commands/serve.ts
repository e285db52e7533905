/** `fleetwright serve`: the server, until it is told to stop. */
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import type { Command } from 'commander'
import { type Configuration, isRemote, SETTINGS } from '../../configuration/settings.ts'
import { FleetError } from '../../fleet/errors.ts'
import { addSettings, type CommandContext, type ExitCode, readSettings } from '../command-context.ts'
import type { RunningServer } from '../compose.ts'
import { playExample } from '../example.ts'
import { watchStopSignals } from '../stop-signal.ts'
import type { Terminal } from '../terminal.ts'

const DEFAULT_DATA: string = SETTINGS.find(({ key }) => key === 'data')?.default ?? ''
const SERVER_KEYS = SETTINGS.filter((setting) => !('of' in setting)).map(({ key }) => key)

export function addServe(program: Command, context: CommandContext, finish: (code: ExitCode) => void): void {
  const command = program
    .command('serve')
    .description('run the server until Ctrl-C or SIGTERM')
    .option('--demo', 'play the example requests when the data directory is empty')
  addSettings(command, SERVER_KEYS)
  command.action(async (options: { readonly demo?: boolean }) => {
    finish(await serve(context, await readSettings(context, { ...options }), options.demo === true))
  })
}

async function serve(
  { terminal, version, environment }: CommandContext,
  configuration: Configuration,
  demo: boolean,
): Promise<ExitCode> {
  const isNew = configuration.fleet === undefined && !existsSync(join(configuration.data, 'fleet.git'))
  const stop = watchStopSignals()
  // Before anything is written, so that the start after this one is still the first.
  await requireFreeAddress(configuration.listen)
  // Only here: the other commands start without the server's libraries.
  const { composeServer } = await import('../compose.ts')
  const server = await composeServer(configuration, version)
  try {
    const { url } = await reachable(configuration.listen, () =>
      server.api.listen(endpoint(configuration.listen)),
    )
    if (demo && isNew && server.adminToken !== undefined)
      await playExample(url, server.adminToken, terminal, stop)
    if (!stop.requested) announce(terminal, server, { url, configuration, environment })
    await stop.wait()
  } finally {
    await server.close()
    stop.close()
  }
  return 0
}

const LISTEN_PROBLEMS: Readonly<Record<string, string>> = {
  EADDRINUSE:
    'another program listens there, maybe another Fleetwright; stop that one, or choose another port',
  EACCES: 'this user may not listen there',
  EADDRNOTAVAIL: 'this machine does not have that address',
  ENOTFOUND: 'there is no such host',
  EAI_AGAIN: 'there is no such host',
}

/** @throws FleetError `invalid-configuration` when nothing can listen there */
async function requireFreeAddress(address: string): Promise<void> {
  const probe = createServer()
  await reachable(address, async () => {
    probe.listen(endpoint(address))
    await once(probe, 'listening')
  })
  probe.close()
  await once(probe, 'close')
}

function endpoint(address: string): { readonly host: string; readonly port: number } {
  const at = address.lastIndexOf(':')
  return { host: address.slice(0, at).replaceAll(/[[\]]/g, ''), port: Number(address.slice(at + 1)) }
}

async function reachable<Result>(address: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
    const why = LISTEN_PROBLEMS[code]
    if (why === undefined) throw cause
    throw new FleetError(
      'invalid-configuration',
      `Cannot listen on ${address}: ${why}. Listen elsewhere with --listen 127.0.0.1:8076 (or FLEETWRIGHT_LISTEN; port 0 takes any free one).`,
      {},
      { cause },
    )
  }
}

interface Announcement {
  readonly url: string
  readonly configuration: Configuration
  readonly environment: CommandContext['environment']
}

function announce(
  terminal: Terminal,
  { adminToken }: RunningServer,
  { url, configuration, environment }: Announcement,
): void {
  const { bold, cyan, dim } = terminal.colors
  const row = (name: string, text: string): void => terminal.line(`  ${dim(name.padEnd(7))}${text}`)
  // npm starts it from a checkout, where the command is not on the PATH.
  const command = environment.npm_lifecycle_event === undefined ? 'fleetwright' : 'bin/fleetwright.js'
  const data = configuration.data === DEFAULT_DATA ? '' : ` --data ${configuration.data}`
  const given = configuration['admin-token'] !== undefined
  const known = given ? '$FLEETWRIGHT_ADMIN_TOKEN' : (adminToken ?? '<token>')
  terminal.line()
  terminal.line(bold('Fleetwright is up'))
  row('API', cyan(url))
  row('Fleet', configuration.fleet ?? join(configuration.data, 'fleet.git'))
  if (given) row('Token', 'the configured admin token')
  else if (adminToken !== undefined) row('Token', `${adminToken}  ${dim('(admin; shown this once)')}`)
  else row('Token', `as before; another one: ${cyan(`${command} token create <name> --role admin${data}`)}`)
  if (isRemote(configuration.fleet)) row('Clone', cyan(`git clone ${configuration.fleet}`))
  else row('Clone', cyan(`git clone http://fleet:${known}@${url.replace('http://', '')}/fleet.git`))
  row('Stop', 'Ctrl-C')
}
