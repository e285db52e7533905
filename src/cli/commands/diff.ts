/** `fleetwright diff [from] [to]`: what a checkout changes, or what changed between two revisions, by object. */
import type { Command } from 'commander'
import type { ObjectId } from '../../fleet/ids.ts'
import { type FileDifference, objectDifferences } from '../../fleet/review/differences.ts'
import type { CommandContext, ExitCode } from '../command-context.ts'
import { counted } from '../../fleet/counted.ts'
import { showDifferences } from '../differences.ts'
import { type Changes, openGitCheckout } from '../git-checkout.ts'

interface DiffOptions {
  readonly dir: string
  readonly patch?: boolean
  readonly json?: boolean
}

export function addDiff(program: Command, context: CommandContext, finish: (code: ExitCode) => void): void {
  program
    .command('diff')
    .description(
      'what a checkout changes, or two revisions, by installation, cluster, group; needs no server',
    )
    .argument('[from]', 'revision to compare with (default: where the branch left what it follows, or HEAD)')
    .argument('[to]', 'another revision (default: the files as they are)')
    .option('--dir <dir>', 'folder of the fleet repository', '.')
    .option('--patch', 'with the lines that differ')
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExit codes: 0 nothing differs; 1 something differs; 2 wrong use.')
    .action(async (from: string | undefined, to: string | undefined, options: DiffOptions) => {
      finish(await diff(context, options, from, to))
    })
}

async function diff(
  { terminal }: CommandContext,
  { dir, patch, json }: DiffOptions,
  from: string | undefined,
  to: string | undefined,
): Promise<ExitCode> {
  const checkout = await openGitCheckout(dir)
  try {
    const start = from === undefined ? await checkout.base() : await checkout.resolve(from)
    const end = to === undefined ? undefined : await checkout.resolve(to)
    const changes = end === undefined ? await checkout.uncommitted(start) : await checkout.between(start, end)
    const differences = objectDifferences(await readDifferences(changes), () => undefined)
    if (json === true) terminal.json({ from: start, to: end ?? null, differences })
    else {
      showDifferences(terminal, differences, { patch: patch === true })
      const since = `since ${start.slice(0, 12)}`
      terminal.line(
        differences.length === 0
          ? `Nothing differs ${since}.`
          : `${counted(differences.length, 'object')} ${differences.length === 1 ? 'differs' : 'differ'} ${since}.`,
      )
    }
    return differences.length === 0 ? 0 : 1
  } finally {
    await checkout.close()
  }
}

export async function readDifferences({ files, text }: Changes): Promise<readonly FileDifference[]> {
  const textOf = async (oid: ObjectId | undefined): Promise<string | undefined> =>
    oid === undefined ? undefined : await text(oid)
  return await Promise.all(
    files.map(async ({ path, from, to }) => ({ path, before: await textOf(from), after: await textOf(to) })),
  )
}
