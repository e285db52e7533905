/** `fleetwright plan`: what a change would do, before it is pushed or sent. */
import type { Command } from 'commander'
import { createDocuments } from '../../fleet/documents.ts'
import { FleetError } from '../../fleet/errors.ts'
import { changedFiles } from '../../fleet/review/changed-files.ts'
import { hashObject } from '../../git/objects.ts'
import { createRenderChanges } from '../../render/render.ts'
import { readTemplateSets, TEMPLATE_FOLDER } from '../../system/template-files.ts'
import { createApiClient } from '../api-client.ts'
import { showDiff, showFiles } from '../changed-files.ts'
import { problemLines } from '../checkout.ts'
import {
  addSettings,
  type CommandContext,
  type ExitCode,
  type Options,
  readSettings,
  readText,
} from '../command-context.ts'
import { counted } from '../../fleet/counted.ts'
import { showDifferences } from '../differences.ts'
import { type Changes, openGitCheckout } from '../git-checkout.ts'
import { type ChangePlan, planCheckout } from '../plan-changes.ts'
import { readToken } from '../client-token.ts'

interface PlanOptions extends Options {
  readonly base?: string
  readonly request?: string
  readonly patch?: boolean
  readonly json?: boolean
}

export function addPlan(program: Command, context: CommandContext, finish: (code: ExitCode) => void): void {
  const command = program
    .command('plan')
    .description('what a change would do: placement, changed documents, changed manifests')
    .argument('[dir]', 'folder of the fleet repository', '.')
    .option(
      '--base <revision>',
      'what to compare with (default: where the branch left what it follows, or HEAD)',
    )
    .option(
      '--request <file>',
      'also this request: a document (InstallationRequest); or a body of POST /api/installations in JSON, which the server plans',
    )
    .option('--patch', 'with the lines that differ')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      '\nExit codes: 0 the change can be made; 1 something is wrong with it; 2 wrong use.',
    )
  addSettings(command, ['server', 'token-file'])
  command.action(async (folder: string, options: PlanOptions) => {
    const request = options.request === undefined ? undefined : await readText(options.request)
    const body = request === undefined ? undefined : apiBody(request)
    finish(
      body === undefined
        ? await planFolder(context, folder, options, request)
        : await planRequest(context, body, options),
    )
  })
}

/** The body of an API request, if the text is one. A document says what kind it is. */
function apiBody(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !('kind' in value) ? value : undefined
  } catch (error) {
    // Documents are YAML.
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

async function planFolder(
  context: CommandContext,
  folder: string,
  options: PlanOptions,
  request: string | undefined,
): Promise<ExitCode> {
  const checkout = await openGitCheckout(folder)
  try {
    const base = options.base === undefined ? await checkout.base() : await checkout.resolve(options.base)
    const changes = withRequest(await checkout.uncommitted(base), request)
    const { clock, randomness } = context
    const render = createRenderChanges(await readTemplateSets(TEMPLATE_FOLDER))
    const documents = createDocuments()
    const plan = await planCheckout({
      base,
      changes,
      reader: checkout.reader,
      documents,
      render,
      clock,
      randomness,
    })
    report(context, plan, base, options)
    return plan.problems.length === 0 ? 0 : 1
  } finally {
    await checkout.close()
  }
}

/** @throws FleetError `invalid-configuration` when it is no request */
function withRequest(changes: Changes, text: string | undefined): Changes {
  if (text === undefined) return changes
  const name = /^ {2}name: *["']?([a-z0-9-]+)/m.exec(text)?.[1]
  if (!/^kind: *["']?InstallationRequest\b/m.test(text) || name === undefined)
    throw new FleetError(
      'invalid-configuration',
      'The request must be a document of kind InstallationRequest with metadata.name, or a JSON object for POST /api/installations.',
    )
  const to = hashObject('blob', Buffer.from(text))
  const file = { path: `requests/${name}.yaml`, from: undefined, to, mode: '100644' }
  return {
    files: [...changes.files.filter(({ path }) => path !== file.path), file],
    text: async (oid) => (oid === to ? text : await changes.text(oid)),
  }
}

function report(
  { terminal }: CommandContext,
  plan: ChangePlan,
  base: string,
  { json, patch }: PlanOptions,
): void {
  const { problems, placements, differences } = plan
  if (json === true) return terminal.json({ base, problems, placements, differences })
  for (const line of problemLines(problems)) terminal.line(line)
  showDifferences(terminal, differences, { patch: patch === true })
  for (const { subject, body } of placements) showText(terminal, subject, body)
  const { green, red } = terminal.colors
  const wrong = problems.length === 0 ? green('no problems') : red(counted(problems.length, 'problem'))
  const what =
    differences.length === 0 ? 'Nothing changes' : `${counted(differences.length, 'object')} would change`
  terminal.line(`${what} since ${base.slice(0, 12)}, ${wrong}.`)
}

function showText(
  { colors, line }: CommandContext['terminal'],
  subject: string,
  body: string | undefined,
): void {
  line(colors.bold(subject))
  for (const text of (body ?? '').split('\n')) if (text !== '') line(`  ${text}`)
}

/** What the server's dry run answers. */
interface DryRun {
  readonly subject: string
  readonly body?: string
  readonly diff: string
}

async function planRequest(context: CommandContext, body: unknown, options: PlanOptions): Promise<ExitCode> {
  const { terminal } = context
  const settings = await readSettings(context, options)
  const api = createApiClient({ url: settings.server, token: await readToken(settings) })
  const { json } = await api.request('POST', '/api/installations?dry_run=true', body)
  if (options.json === true) terminal.json(json)
  else {
    // The shape that the server's own OpenAPI document promises.
    const { subject, body: text, diff } = json as DryRun
    showText(terminal, subject, text)
    showFiles(terminal, changedFiles(diff), '  ')
    if (options.patch === true) showDiff(terminal, diff)
  }
  return 0
}
