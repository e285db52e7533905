/** `fleetwright check`: the check of a pull request, in any CI and without a server. */
import { appendFile, writeFile } from 'node:fs/promises'
import { type Command, Option } from 'commander'
import { counted } from '../../fleet/counted.ts'
import { FleetError } from '../../fleet/errors.ts'
import type { ObjectId } from '../../fleet/ids.ts'
import { commentOf } from '../../fleet/review/comment.ts'
import { githubCommands } from '../../fleet/review/formats/github-commands.ts'
import { codeQualityOf } from '../../fleet/review/formats/gitlab-code-quality.ts'
import { plainText } from '../../fleet/review/formats/plain-text.ts'
import { sarifOf } from '../../fleet/review/formats/sarif.ts'
import type { ReviewPlan } from '../../fleet/review/plan.ts'
import { authorOf, basesOf } from '../ci-variables.ts'
import type { CommandContext, ExitCode } from '../command-context.ts'
import { type GitCheckout, openGitCheckout } from '../git-checkout.ts'
import { reviewCheckout } from '../review-checkout.ts'

const FORMATS = ['text', 'json', 'markdown', 'sarif', 'github', 'gitlab'] as const
type Format = (typeof FORMATS)[number]

interface CheckOptions {
  readonly base?: string
  readonly format: Format
  readonly output?: string
  readonly author?: string
  readonly team?: readonly string[]
}

const HELP = `
What is committed is checked (HEAD), laid over the base as a merge would do it; fleetwright plan looks at files that are not.
Formats: text; json: the whole plan; markdown: the comment of the server; sarif: code scanning; gitlab: code quality;
github: workflow commands on standard output, and the comment on the page of the run (GITHUB_STEP_SUMMARY).
Exit codes: 0 it can be merged; 1 it must not be; 2 wrong use, or the checkout has not what is needed.`

export function addCheck(program: Command, context: CommandContext, finish: (code: ExitCode) => void): void {
  program
    .command('check')
    .description('what the server says of a pull request, in any CI; needs no server')
    .argument('[dir]', 'checkout of the fleet repository, with its whole history', '.')
    .option(
      '--base <revision>',
      'what it is to be merged into (default: the target branch that the CI names, or what the branch follows)',
    )
    .addOption(new Option('--format <format>', 'how to say it').choices(FORMATS).default('text'))
    .option('--output <file>', 'where to write the format; text goes to standard output then')
    .option('--author <login>', 'who made the change, for rules of who may (default: as the CI says)')
    .option(
      '--team <name>',
      'a team of the author; can be given more than once',
      (team: string, teams: readonly string[] = []) => [...teams, team],
    )
    .addHelpText('after', HELP)
    .action(async (folder: string, options: CheckOptions) => {
      finish(await check(context, folder, options))
    })
}

async function check(context: CommandContext, folder: string, options: CheckOptions): Promise<ExitCode> {
  const checkout = await openGitCheckout(folder)
  try {
    if (checkout.isShallow)
      throw new FleetError(
        'invalid-configuration',
        `${folder} has only the last commits; fetch the whole history (GitHub: fetch-depth: 0, GitLab: GIT_DEPTH: 0, git: git fetch --unshallow).`,
      )
    const base = await baseOf(checkout, options.base, context)
    const head = await checkout.resolve('HEAD')
    const left = (await checkout.uncommitted(head)).files.length
    if (left > 0)
      context.terminal.error(
        `${counted(left, 'file')} not committed and not looked at; see fleetwright plan.`,
      )
    const login = options.author ?? authorOf(context.environment) ?? ''
    const author = { login, teams: options.team ?? [] }
    const plan = await reviewCheckout(checkout, { base, head, author }, context)
    await tell(plan, context, options)
    return plan.problems.length === 0 ? 0 : 1
  } finally {
    await checkout.close()
  }
}

async function baseOf(
  checkout: GitCheckout,
  given: string | undefined,
  { environment }: CommandContext,
): Promise<ObjectId> {
  if (given !== undefined) return await checkout.resolve(given)
  const named = basesOf(environment)
  if (named.length === 0) return await checkout.base()
  for (const revision of named) {
    const found = await checkout.find(revision)
    if (found !== undefined) return found
  }
  throw new FleetError(
    'invalid-configuration',
    `The checkout has none of ${named.join(', ')}, which the CI names as the target; fetch the branch, or give --base.`,
  )
}

async function tell(
  plan: ReviewPlan,
  { terminal, environment, version }: CommandContext,
  { format, output }: CheckOptions,
): Promise<void> {
  const text = [formatted(plan, format, version)].flat().join('\n')
  const summary = environment.GITHUB_STEP_SUMMARY
  if (format === 'github' && summary !== undefined && summary !== '')
    await written(summary, appendFile(summary, commentOf(plan)))
  if (output === undefined) return terminal.write(`${text.trimEnd()}\n`)
  await written(output, writeFile(output, `${text.trimEnd()}\n`))
  for (const line of plainText(plan)) terminal.line(line)
}

/** @throws FleetError `invalid-configuration` */
async function written(path: string, writing: Promise<void>): Promise<void> {
  try {
    await writing
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new FleetError('invalid-configuration', `${path} cannot be written: ${why}`, {}, { cause })
  }
}

function formatted(plan: ReviewPlan, format: Format, version: string): string | readonly string[] {
  switch (format) {
    case 'text':
      return plainText(plan)
    case 'markdown':
      return commentOf(plan)
    case 'json':
      return JSON.stringify(plan, undefined, 2)
    case 'sarif':
      return JSON.stringify(sarifOf(plan, version), undefined, 2)
    case 'gitlab':
      return JSON.stringify(codeQualityOf(plan), undefined, 2)
    case 'github':
      return [...githubCommands(plan), ...plainText(plan).slice(-1)]
  }
}
