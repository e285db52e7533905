/** `fleetwright init [target]`: a new fleet repository, in a folder, a bare repository on this disk, or on a git server. */
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { type Command, Option } from 'commander'
import { createDocuments } from '../../fleet/documents.ts'
import { FleetError } from '../../fleet/errors.ts'
import { FleetIndex } from '../../fleet/fleet-index.ts'
import type { EngineName, FleetSettings } from '../../fleet/intents.ts'
import { FLEET_PATH } from '../../fleet/paths.ts'
import { readRepositoryAddress } from '../../fleet/repository-address.ts'
import { git, runGit } from '../../git/child-process.ts'
import type { NativeAccess } from '../../git/contracts.ts'
import { renderFleet } from '../../render/render.ts'
import { readTemplateSets, TEMPLATE_FOLDER } from '../../system/template-files.ts'
import { problemLines } from '../checkout.ts'
import {
  addSettings,
  type CommandContext,
  type ExitCode,
  flagOf,
  type Options,
  readSettings,
} from '../command-context.ts'
import { fleetTransport, pathAccess } from '../fleet-transport.ts'
import { type NewFile, newFleetFiles } from '../new-fleet.ts'

const EMBEDDED_URL = 'http://127.0.0.1:8075/fleet.git'
const AUTHOR = { name: 'Fleetwright', email: 'fleetwright@fleetwright.invalid' } as const
const LOGIN_SETTINGS = [
  'fleet-token-file',
  'fleet-user',
  'fleet-ssh-key-file',
  'fleet-known-hosts-file',
] as const
const ENGINES: readonly EngineName[] = ['argocd', 'flux']

interface InitOptions extends Options {
  readonly name?: string
  readonly domain: string
  readonly engine: EngineName
  readonly json?: boolean
}

export function addInit(program: Command, context: CommandContext, finish: (code: ExitCode) => void): void {
  const command = program
    .command('init')
    .description('make a new fleet repository')
    .argument(
      '[target]',
      'a folder, a bare repository on this disk (name.git), or the URL of an empty one',
      '.',
    )
    .option('--name <name>', 'name of the fleet (default: that of the target)')
    .requiredOption('--domain <domain>', 'DNS domain below which installations get their names (required)')
    .addOption(
      new Option('--engine <engine>', 'what applies the manifests').choices(ENGINES).default('argocd'),
    )
    .option('--json', 'as JSON')
  addSettings(command, LOGIN_SETTINGS)
  command.action(async (target: string, options: InitOptions) => {
    finish(await init(context, target, options))
  })
}

type Kind = 'folder' | 'bare' | 'remote'

async function init(context: CommandContext, target: string, options: InitOptions): Promise<ExitCode> {
  const { terminal } = context
  const login = await readSettings(context, options)
  const kind = kindOf(target)
  const name = options.name ?? nameOf(target)
  const repositoryUrl = kind === 'remote' ? target : EMBEDDED_URL
  const written = newFleetFiles({ name, domain: options.domain, engine: options.engine, repositoryUrl })
  const files = [...written, ...(await renderedFiles(requireValid(written)))]
  const commit =
    kind === 'folder'
      ? await initFolder(target, files, name)
      : await initRemote(target, await accessTo(target, kind, login), files, name)
  if (options.json === true) {
    terminal.json({ target, commit, files: files.map(({ path }) => path) })
    return 0
  }
  const { bold, cyan, dim, green } = terminal.colors
  terminal.line(bold(`Created fleet ${name} in ${target}`) + dim(` (main ${commit.slice(0, 12)})`))
  for (const { path } of files) terminal.line(`  ${green(`+ ${path}`)}`)
  const serve = [kind === 'folder' ? '<bare repository or URL>' : target, ...loginFlags(options)].join(' ')
  terminal.line('Next:')
  if (kind === 'folder') terminal.line(`  ${cyan(`git -C ${target} push <bare repository or URL> main`)}`)
  terminal.line(`  ${cyan(`fleetwright serve --fleet ${serve}`)}`)
  return 0
}

/** What the server needs as well to get at the repository; the token itself is never a flag. */
function loginFlags(options: Options): readonly string[] {
  return LOGIN_SETTINGS.flatMap((key) => {
    const value = flagOf(options, key)
    return value === undefined ? [] : [`--${key} ${value}`]
  })
}

function kindOf(target: string): Kind {
  const reading = readRepositoryAddress(target)
  // What is wrong with an address is said when it is used.
  if ('problem' in reading || reading.address.kind !== 'path') return 'remote'
  return target.endsWith('.git') || existsSync(join(target, 'objects')) ? 'bare' : 'folder'
}

/** The last part of the target, made fit for a name. */
function nameOf(target: string): string {
  const last = basename(kindOf(target) === 'remote' ? target.replace(':', '/') : resolve(target)).replace(
    /\.git$/,
    '',
  )
  return (
    last
      .toLowerCase()
      .replaceAll(/[^a-z0-9-]+/g, '-')
      .replaceAll(/^-+|-+$/g, '') || 'fleet'
  )
}

/** @throws FleetError `invalid-configuration` when a name or domain is none */
function requireValid(files: readonly NewFile[]): FleetSettings {
  const text = files.find(({ path }) => path === FLEET_PATH)?.text ?? ''
  const { intent, problems } = createDocuments().parse(FLEET_PATH, text)
  if (intent?.kind === 'Fleet') return intent
  throw new FleetError(
    'invalid-configuration',
    `The fleet would not be valid; choose another --name or --domain.\n${problemLines(problems).join('\n')}`,
  )
}

/** What the engines follow from the start. */
async function renderedFiles(settings: FleetSettings): Promise<readonly NewFile[]> {
  const rendered = renderFleet(await readTemplateSets(TEMPLATE_FOLDER), new FleetIndex(settings))
  return [...rendered].flatMap(({ path, text }) => (text === undefined ? [] : [{ path, text }]))
}

async function initFolder(folder: string, files: readonly NewFile[], name: string): Promise<string> {
  const present = files.filter(({ path }) => existsSync(join(folder, path))).map(({ path }) => path)
  if (present.length > 0)
    throw new FleetError(
      'invalid-configuration',
      `${folder} has ${present.join(', ')} already; name another folder, or move them away.`,
    )
  await mkdir(folder, { recursive: true })
  if (!existsSync(join(folder, '.git'))) await git(['init', '--quiet', '--initial-branch=main', folder])
  return await commitFiles(folder, files, name)
}

async function commitFiles(folder: string, files: readonly NewFile[], name: string): Promise<string> {
  for (const { path, text } of files) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), text, { flag: 'wx' })
  }
  const paths = files.map(({ path }) => path)
  const environment = {
    GIT_AUTHOR_NAME: AUTHOR.name,
    GIT_AUTHOR_EMAIL: AUTHOR.email,
    GIT_COMMITTER_NAME: AUTHOR.name,
    GIT_COMMITTER_EMAIL: AUTHOR.email,
  }
  await git(['-C', folder, 'add', '--', ...paths])
  await git(['-C', folder, 'commit', '--quiet', '-m', `Create fleet ${name}`, '--', ...paths], {
    environment,
  })
  return (await git(['-C', folder, 'rev-parse', 'HEAD'])).toString('utf8').trim()
}

interface Access extends NativeAccess {
  close(): Promise<void>
}

/** @throws FleetError `invalid-configuration` */
async function accessTo(
  target: string,
  kind: Exclude<Kind, 'folder'>,
  login: Parameters<typeof fleetTransport>[1],
): Promise<Access> {
  const transport = kind === 'remote' ? fleetTransport(target, login) : undefined
  if (transport !== undefined) return { ...transport.native, close: () => transport.close() }
  if (!existsSync(target)) await git(['init', '--quiet', '--bare', '--initial-branch=main', target])
  return { ...pathAccess(target), close: async () => undefined }
}

/** @throws FleetError `remote-unavailable`, `remote-denied`, `remote-refused`; `invalid-configuration` when it has a main branch */
async function initRemote(
  target: string,
  access: Access,
  files: readonly NewFile[],
  name: string,
): Promise<string> {
  try {
    await requireEmpty(target, access)
    return await pushFirst(target, access, files, name)
  } finally {
    await access.close()
  }
}

async function requireEmpty(target: string, access: Access): Promise<void> {
  const found = await runGit(['ls-remote', access.url, 'refs/heads/main'], {
    environment: await access.environment(),
  })
  if (found.code !== 0)
    throw (
      access.failure(found.words) ??
      new FleetError('remote-unavailable', `${target} cannot be read: ${access.redact(found.words.trim())}`)
    )
  if (found.output.length > 0)
    throw new FleetError(
      'invalid-configuration',
      `${target} has a main branch already; name an empty repository.`,
    )
}

async function pushFirst(
  target: string,
  access: Access,
  files: readonly NewFile[],
  name: string,
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'fleetwright-init-'))
  try {
    await git(['init', '--quiet', '--initial-branch=main', folder])
    const commit = await commitFiles(folder, files, name)
    const pushed = await runGit(['-C', folder, 'push', '--quiet', access.url, 'HEAD:refs/heads/main'], {
      environment: await access.environment(),
    })
    if (pushed.code === 0) return commit
    throw new FleetError(
      'remote-refused',
      `${target} did not take the push: ${access.redact(pushed.words.trim())}`,
    )
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
