/** `fleetwright render [dir] [--check]`: writes the manifests of a checkout, or says which are not what the intents say. */
import { lstat, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Command } from 'commander'
import { FleetError } from '../../fleet/errors.ts'
import type { FileChange } from '../../fleet/files.ts'
import { renderFleet } from '../../render/render.ts'
import { readTemplateSets, TEMPLATE_FOLDER } from '../../system/template-files.ts'
import { type Checkout, problemLines, readCheckout } from '../checkout.ts'
import type { CommandContext, ExitCode } from '../command-context.ts'
import { counted } from '../../fleet/counted.ts'

export function addRender(program: Command, context: CommandContext, finish: (code: ExitCode) => void): void {
  program
    .command('render')
    .description('write the manifests of a checkout from its documents; needs no server')
    .argument('[dir]', 'folder of the fleet repository', '.')
    .option('--check', 'write nothing; say which files are not what the documents say')
    .option('--json', 'as JSON')
    .action(async (folder: string, options: { readonly check?: boolean; readonly json?: boolean }) => {
      finish(await render(context, { folder, check: options.check === true, json: options.json === true }))
    })
}

interface RenderOptions {
  readonly folder: string
  readonly check: boolean
  readonly json: boolean
}

/** A file that is not what the documents say. */
interface Difference {
  readonly path: string
  readonly change: 'missing' | 'different' | 'extra'
  /** First line that differs, from 1. */
  readonly line: number
}

async function render(context: CommandContext, options: RenderOptions): Promise<ExitCode> {
  const { folder, check, json } = options
  const checkout = await readCheckout(folder, context)
  const whole = checkout.problems.length === 0
  const found = (await compare(context, folder, checkout)).filter(
    // What belongs to a document that is not valid only seems to be extra.
    ({ difference }) => whole || difference.change !== 'extra',
  )
  if (!check) await write(folder, found)
  const differences = found.map(({ difference }) => difference)
  report(context, options, checkout, differences)
  if (json)
    context.terminal.json({
      checked: check,
      documents: checkout.count,
      problems: checkout.problems,
      differences,
    })
  return whole && (!check || differences.length === 0) ? 0 : 1
}

interface Found {
  readonly difference: Difference
  readonly file: FileChange
}

async function compare(
  { terminal }: CommandContext,
  folder: string,
  { fleet, rendered }: Checkout,
): Promise<readonly Found[]> {
  const sets = await readTemplateSets(TEMPLATE_FOLDER)
  const total = fleet.installations().length
  const progress = terminal.progress('Rendering')
  const found: Found[] = []
  const wanted = new Set<string>()
  for (const file of renderFleet(sets, fleet)) {
    wanted.add(file.path)
    progress.update(Math.min(wanted.size, total), total)
    const present = await readFile(join(folder, file.path), 'utf8').catch(whenMissing)
    if (present === file.text || file.text === undefined) continue
    const change = present === undefined ? 'missing' : 'different'
    found.push({
      file,
      difference: { path: file.path, change, line: firstDifference(present ?? '', file.text) },
    })
  }
  progress.end()
  const extra = rendered.filter((path) => !wanted.has(path))
  for (const path of extra)
    found.push({ file: { path, text: undefined }, difference: { path, change: 'extra', line: 1 } })
  return found
}

function firstDifference(present: string, wanted: string): number {
  const lines = wanted.split('\n')
  const at = present.split('\n').findIndex((line, index) => line !== lines[index])
  return (at < 0 ? Math.min(present.split('\n').length, lines.length) : at) + (at < 0 ? 0 : 1)
}

async function write(folder: string, found: readonly Found[]): Promise<void> {
  const checked = new Set<string>()
  for (const { file } of found) {
    await refuseLinks(folder, file.path, checked)
    const path = join(folder, file.path)
    if (file.text === undefined) {
      await rm(path)
      continue
    }
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, file.text)
  }
}

/** A link in the checkout must not lead a file out of it. @throws FleetError `invalid-document` */
async function refuseLinks(folder: string, path: string, checked: Set<string>): Promise<void> {
  const parts = path.split('/')
  for (let length = 1; length <= parts.length; length += 1) {
    const below = parts.slice(0, length).join('/')
    if (checked.has(below)) continue
    const state = await lstat(join(folder, below)).catch(whenMissing)
    if (state === undefined) return
    if (state.isSymbolicLink())
      throw new FleetError(
        'invalid-document',
        `${below}:1:1: a symbolic link stands where a rendered file or its folder belongs; remove it`,
      )
    checked.add(below)
  }
}

function whenMissing(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR'))
    return undefined
  throw error
}

const SAID = {
  missing: 'is missing; run fleetwright render and commit it',
  different: 'is not what its document renders to; run fleetwright render and commit it',
  extra: 'belongs to no document; run fleetwright render and commit its removal',
} as const
const DONE = { missing: 'written', different: 'written', extra: 'removed' } as const

function report(
  { terminal }: CommandContext,
  { check, json }: RenderOptions,
  { problems, count }: Checkout,
  differences: readonly Difference[],
): void {
  if (json) return
  const { green, red } = terminal.colors
  for (const line of problemLines(problems)) terminal.line(line)
  for (const { path, line, change } of differences)
    terminal.line(check ? `${path}:${line}:1: ${SAID[change]}` : `${DONE[change]} ${path}`)
  const differ = check
    ? `${counted(differences.length, 'file')} not what the documents say`
    : `${counted(differences.length, 'file')} changed`
  const wrong = problems.length === 0 ? 'no problems' : red(counted(problems.length, 'problem'))
  const verdict =
    differences.length === 0 ? green('manifests are what the documents say') : check ? red(differ) : differ
  terminal.line(`${counted(count, 'document')}, ${wrong}, ${verdict}`)
}
