/** `fleetwright token create|list|revoke`: API tokens, in the data directory of a server that runs or not. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Command, Option } from 'commander'
import { FleetError } from '../../fleet/errors.ts'
import type { TokenIdentity, TokenStore } from '../../ports/tokens.ts'
import { openTokenFile } from '../../secrets/token-file.ts'
import {
  addSettings,
  type CommandContext,
  type ExitCode,
  type Options,
  readSettings,
} from '../command-context.ts'

const ROLES = ['reader', 'writer', 'admin'] as const satisfies readonly TokenIdentity['role'][]

export function addToken(program: Command, context: CommandContext, finish: (code: ExitCode) => void): void {
  const token = program
    .command('token')
    .description('create, list and revoke API tokens of a data directory, also while its server runs')
  const create = token
    .command('create')
    .description('make a token and print it, once')
    .argument('<name>', 'who it is for: a-z, 0-9, ".", "_" and "-"')
    .addOption(new Option('--role <role>', 'what it may do').choices(ROLES).default('reader'))
    .option('--json', 'as JSON')
    .action(async (name: string, options: TokenOptions) => {
      finish(await createToken(context, { ...options, name }))
    })
  const list = token
    .command('list')
    .description('names, roles and dates; the tokens themselves are not kept')
    .option('--json', 'as JSON')
    .action(async (options: TokenOptions) => {
      finish(await listTokens(context, options))
    })
  const revoke = token
    .command('revoke')
    .description('make a token invalid at once')
    .argument('<name>', 'name of the token')
    .action(async (name: string, options: Options) => {
      finish(await revokeToken(context, name, options))
    })
  for (const command of [create, list, revoke]) addSettings(command, ['data'])
}

interface TokenOptions extends Options {
  readonly role?: TokenIdentity['role']
  readonly json?: boolean
}

async function createToken(
  context: CommandContext,
  { name, role = 'reader', json, ...options }: TokenOptions & { readonly name: string },
): Promise<ExitCode> {
  const { terminal } = context
  const token = await (await open(context, options)).create({ name, role })
  if (json === true) terminal.json({ name, role, token })
  else terminal.line(token)
  terminal.error(`The token ${name} (${role}) is shown this once; a running server takes it from now on.`)
  return 0
}

async function listTokens(context: CommandContext, { json, ...options }: TokenOptions): Promise<ExitCode> {
  const { terminal } = context
  const tokens = (await open(context, options)).list()
  if (json === true) terminal.json({ tokens })
  else {
    const width = Math.max(...tokens.map(({ name }) => name.length))
    for (const { name, role, createdAt } of tokens)
      terminal.line(`${name.padEnd(width)}  ${role.padEnd(6)}  ${createdAt}`)
  }
  return 0
}

async function revokeToken(context: CommandContext, name: string, options: Options): Promise<ExitCode> {
  const tokens = await open(context, options)
  const admins = tokens.list().filter(({ role }) => role === 'admin')
  if (admins.length === 1 && admins[0]?.name === name)
    throw new FleetError('guarded', `${name} is the last admin token; make another one first.`)
  if (!(await tokens.revoke(name)))
    throw new FleetError(
      'not-found',
      `There is no token ${name}; fleetwright token list names those there are.`,
    )
  context.terminal.line(`Revoked ${name}.`)
  return 0
}

/** @throws FleetError `invalid-configuration` when nothing was ever started on the data directory */
async function open(context: CommandContext, options: Options): Promise<TokenStore> {
  const { data } = await readSettings(context, options)
  if (!existsSync(data))
    throw new FleetError(
      'invalid-configuration',
      `There is no data directory ${data}; name the server's with --data, or start fleetwright serve first.`,
    )
  return await openTokenFile({
    path: join(data, 'tokens.json'),
    clock: context.clock,
    randomness: context.randomness,
  })
}
