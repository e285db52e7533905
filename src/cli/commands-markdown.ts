/** docs/commands.md: what `--help` says, of all commands. */
import type { Command } from 'commander'
import { systemClock, systemRandomness } from '../system/clock.ts'
import { createProgram } from './program.ts'
import { createTerminal } from './terminal.ts'

const WIDTH = 100

export function commandsMarkdown(): string {
  const terminal = createTerminal({
    output: process.stdout,
    errors: process.stderr,
    environment: { NO_COLOR: '1' },
    clock: systemClock,
  })
  const context = { version: '', environment: {}, terminal, clock: systemClock, randomness: systemRandomness }
  const program = createProgram(context, () => undefined)
  const sections = program.commands.flatMap((command) => [command, ...command.commands]).map(section)
  return [
    '# Commands',
    '',
    'Exit codes: 0 fine; 1 found something wrong or different, or failed; 2 wrong use. Data goes to standard output, what went wrong',
    'and progress to standard error. Colours and progress appear on a terminal only; `NO_COLOR` switches colours off. `--json` prints data as JSON.',
    'In a checkout of the project, `bin/fleetwright.js …` runs them, on the Node that `npm ci` brought.',
    '',
    '`init`, `validate`, `render`, `plan`, `check`, `diff` and `bootstrap` need no server. `status`, `history`, `drift`, `pull-requests` and `plan --server`',
    'ask one: its address is `--server`, the token comes from `FLEETWRIGHT_TOKEN` or a file. `token` works on the data directory, while its server runs or not.',
    '',
    ...sections,
  ].join('\n')
}

function section(command: Command): string {
  const name =
    command.parent?.parent === null ? command.name() : `${command.parent?.name()} ${command.name()}`
  const help = command.configureHelp({ helpWidth: WIDTH }).helpInformation().trimEnd()
  return [`## ${name}`, '', '```text', help, '```', ''].join('\n')
}
