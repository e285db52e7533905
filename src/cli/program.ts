/** The command line. Exit codes: 0 fine, 1 found something wrong or different, or failed, 2 wrong use. */
import { Command, CommanderError } from 'commander'
import { type FleetError, isFleetError } from '../fleet/errors.ts'
import type { AddCommand, CommandContext, ExitCode } from './command-context.ts'
import { addBootstrap } from './commands/bootstrap.ts'
import { addCheck } from './commands/check.ts'
import { addDiff } from './commands/diff.ts'
import { addDrift } from './commands/drift.ts'
import { addHistory } from './commands/history.ts'
import { addInit } from './commands/init.ts'
import { addPlan } from './commands/plan.ts'
import { addPullRequests } from './commands/pull-requests.ts'
import { addRender } from './commands/render.ts'
import { addServe } from './commands/serve.ts'
import { addStatus } from './commands/status.ts'
import { addToken } from './commands/token.ts'
import { addValidate } from './commands/validate.ts'

const COMMANDS: readonly AddCommand[] = [
  addInit,
  addServe,
  addValidate,
  addRender,
  addPlan,
  addCheck,
  addDiff,
  addStatus,
  addDrift,
  addHistory,
  addPullRequests,
  addBootstrap,
  addToken,
]

const EXIT_CODES = `
Exit codes: 0 fine; 1 found something wrong or different, or failed; 2 wrong use.
Settings can be flags, environment variables (FLEETWRIGHT_*) or keys of a YAML file (--config).`

/** @returns the exit code */
export async function run(argv: readonly string[], context: CommandContext): Promise<ExitCode | 2> {
  let code: ExitCode = 0
  const program = createProgram(context, (result) => {
    code = result
  })
  try {
    await program.parseAsync([...argv], { from: 'user' })
    return code
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    if (!isFleetError(error)) throw error
    context.terminal.error(describe(error))
    return error.code === 'invalid-configuration' || error.code === 'invalid-request' ? 2 : 1
  }
}

/** All commands; `finish` takes the exit code of the one that ran. */
export function createProgram(context: CommandContext, finish: (code: ExitCode) => void): Command {
  const program = new Command('fleetwright')
    .description('GitOps control plane for single-tenant SaaS: provisioning requests become commits.')
    .version(context.version)
    .addHelpText('after', EXIT_CODES)
    .showHelpAfterError('--help says what is possible.')
    .configureOutput({
      writeOut: (text) => context.terminal.write(text),
      writeErr: (text) => context.terminal.error(text.trimEnd()),
      outputError: (text, write) => write(text.replace(/^error: /, 'fleetwright: ')),
    })
    .exitOverride()
  for (const add of COMMANDS) add(program, context, finish)
  return program
}

function describe({ message, data }: FleetError): string {
  const details = (data.errors ?? []).filter(({ detail }) => !message.includes(detail))
  return [
    `fleetwright: ${message}`,
    ...details.map(({ pointer, detail }) => `  ${pointer === '' ? '' : `${pointer}: `}${detail}`),
  ].join('\n')
}
