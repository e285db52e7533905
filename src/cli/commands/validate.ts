/** `fleetwright validate [dir]`: checks every document of a checkout, and the rules across them. */
import type { Command } from 'commander'
import { problemLines, readCheckout } from '../checkout.ts'
import type { CommandContext, ExitCode } from '../command-context.ts'
import { counted } from '../../fleet/counted.ts'

export function addValidate(
  program: Command,
  context: CommandContext,
  finish: (code: ExitCode) => void,
): void {
  program
    .command('validate')
    .description('check every document of a checkout, and the rules across them; needs no server')
    .argument('[dir]', 'folder of the fleet repository', '.')
    .option('--json', 'as JSON')
    .action(async (folder: string, { json }: { readonly json?: boolean }) => {
      finish(await validate(context, folder, json === true))
    })
}

async function validate(context: CommandContext, folder: string, asJson: boolean): Promise<ExitCode> {
  const { terminal } = context
  const { problems, count } = await readCheckout(folder, context)
  if (asJson) terminal.json({ documents: count, problems })
  else {
    for (const line of problemLines(problems)) terminal.line(line)
    const { green, red } = terminal.colors
    const verdict = problems.length === 0 ? green('no problems') : red(counted(problems.length, 'problem'))
    terminal.line(`${counted(count, 'document')}, ${verdict}`)
  }
  return problems.length === 0 ? 0 : 1
}
