/**
 * Binaries of the test bed: found through KUBEBUILDER_ASSETS, then the cache folder, then PATH; built once from Go modules
 * whose go.sum is committed. Run it alone to build all of them: `node scripts/testbed/binaries.ts`.
 */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { access, chmod, constants, cp, mkdir, readdir, readFile, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'

/** What is built or installed once for the test bed. */
export const CACHE_FOLDER = process.env.TESTBED_CACHE ?? join(homedir(), '.cache', 'fleetwright', 'testbed')

const KUBERNETES_VERSION = 'v1.36.3'
const VERSION_FLAGS = [
  `-X k8s.io/component-base/version.gitVersion=${KUBERNETES_VERSION}`,
  '-X k8s.io/component-base/version.gitMajor=1',
  '-X k8s.io/component-base/version.gitMinor=36',
].join(' ')

interface Tool {
  readonly module: string
  readonly package: string
  readonly linkFlags?: string
  readonly tags?: string
  /** Found on PATH only where any version does: engines are pinned. */
  readonly anyVersion?: boolean
  /** Folders of the tool's own module that it reads at run time. */
  readonly files?: { readonly module: string; readonly folders: readonly string[] }
}

export const TOOLS = {
  etcd: { module: 'etcd', package: 'go.etcd.io/etcd/server/v3', anyVersion: true },
  'kube-apiserver': {
    module: 'kube',
    package: 'k8s.io/kubernetes/cmd/kube-apiserver',
    linkFlags: VERSION_FLAGS,
  },
  'kube-controller-manager': {
    module: 'kube',
    package: 'k8s.io/kubernetes/cmd/kube-controller-manager',
    linkFlags: VERSION_FLAGS,
  },
  'kube-scheduler': {
    module: 'kube',
    package: 'k8s.io/kubernetes/cmd/kube-scheduler',
    linkFlags: VERSION_FLAGS,
  },
  kubectl: {
    module: 'kube',
    package: 'k8s.io/kubernetes/cmd/kubectl',
    linkFlags: VERSION_FLAGS,
    anyVersion: true,
  },
  kwok: {
    module: 'kwok',
    package: 'sigs.k8s.io/kwok/cmd/kwok',
    files: { module: 'sigs.k8s.io/kwok', folders: ['kustomize/stage'] },
  },
  'kustomize-controller': {
    module: 'kustomize-controller',
    package: 'github.com/fluxcd/kustomize-controller',
  },
  argocd: { module: 'argocd', package: 'github.com/argoproj/argo-cd/v3/cmd' },
  gitea: {
    module: 'gitea',
    package: 'code.gitea.io/gitea',
    tags: 'sqlite sqlite_unlock_notify',
    files: { module: 'code.gitea.io/gitea', folders: ['templates', 'options', 'public'] },
  },
} as const satisfies Record<string, Tool>

export type ToolName = keyof typeof TOOLS

/** Thrown when a binary is neither there nor can be built; says what would help. */
export class ToolUnavailableError extends Error {
  override readonly name = 'ToolUnavailableError'
}

function toolsFolder(module: string): string {
  return join(import.meta.dirname, 'tools', module)
}

/** Folder of built binaries; one for each state of a module's go.sum, so a raised version is built anew. */
async function cacheFolder(module: string): Promise<string> {
  const sums = await readFile(join(toolsFolder(module), 'go.sum'))
  const key = createHash('sha256').update(sums).digest('hex').slice(0, 16)
  return join(CACHE_FOLDER, `${module}-${key}`)
}

async function executable(path: string): Promise<string | undefined> {
  return await access(path, constants.X_OK).then(
    () => path,
    () => undefined,
  )
}

/** Where a binary is, without building it. */
export async function findTool(name: ToolName): Promise<string | undefined> {
  const assets = process.env.KUBEBUILDER_ASSETS
  if (assets !== undefined) {
    const found = await executable(join(assets, name))
    if (found !== undefined) return found
  }
  const cached = await executable(join(await cacheFolder(TOOLS[name].module), name))
  if (cached !== undefined) return cached
  const tool: Tool = TOOLS[name]
  if (tool.anyVersion !== true) return undefined
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const found = await executable(join(folder, name))
    if (found !== undefined) return found
  }
  return undefined
}

/** The binary, built when it is not there. @throws ToolUnavailableError */
export async function ensureTool(
  name: ToolName,
  log: (line: string) => void = () => undefined,
): Promise<string> {
  const found = await findTool(name)
  if (found !== undefined) return found
  const folder = await cacheFolder(TOOLS[name].module)
  await mkdir(folder, { recursive: true })
  const target = join(folder, name)
  const partial = `${target}.${process.pid}.partial`
  log(`building ${name} (once; some minutes)`)
  try {
    await build(TOOLS[name], partial)
    await rename(partial, target)
  } finally {
    await rm(partial, { force: true })
  }
  return target
}

/** Folder with the files a tool reads at run time, copied out of its module once. @throws ToolUnavailableError */
export async function ensureToolFiles(name: 'kwok' | 'gitea'): Promise<string> {
  const { module, files } = TOOLS[name]
  const target = join(await cacheFolder(module), `${name}-files`)
  if ((await executable(target)) !== undefined) return target
  await go(module, ['mod', 'download', files.module])
  const source = (await go(module, ['list', '-m', '-f', '{{.Dir}}', files.module])).trim()
  const partial = `${target}.${process.pid}.partial`
  try {
    for (const folder of files.folders)
      await cp(join(source, folder), join(partial, folder), { recursive: true })
    await makeFoldersWritable(partial)
    await rename(partial, target).catch(async (error: unknown) => {
      // Another process was faster with the same files.
      if ((await executable(target)) === undefined) throw error
    })
  } finally {
    await rm(partial, { recursive: true, force: true })
  }
  return target
}

/** Go makes the folders of modules read-only; a copy must be removable. */
async function makeFoldersWritable(folder: string): Promise<void> {
  await chmod(folder, 0o755)
  for (const entry of await readdir(folder, { withFileTypes: true }))
    if (entry.isDirectory()) await makeFoldersWritable(join(folder, entry.name))
}

async function build(tool: Tool, output: string): Promise<void> {
  const link = ['-s', '-w', tool.linkFlags].filter((flag) => flag !== undefined).join(' ')
  const tags = tool.tags === undefined ? [] : ['-tags', tool.tags]
  const flags = ['-mod=readonly', '-trimpath', '-buildvcs=false', ...tags, '-ldflags', link]
  await go(tool.module, ['build', ...flags, '-o', output, tool.package])
}

/** Runs go in a tool's folder to its end; what it printed. @throws ToolUnavailableError */
async function go(module: string, args: readonly string[]): Promise<string> {
  const child = spawn('go', [...args], {
    cwd: toolsFolder(module),
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, GOFLAGS: '', GOVCS: '*:off', GOTOOLCHAIN: 'local' },
  })
  let output = ''
  let errors = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-4_000)
  })
  const code = await new Promise<number | string>((resolve) => {
    child.on('error', (error) => resolve(error.message))
    child.on('close', (status, signal) => resolve(status ?? signal ?? 'unknown'))
  })
  if (code === 0) return output
  const hint =
    typeof code === 'string'
      ? 'install Go 1.26 or newer, or point KUBEBUILDER_ASSETS at binaries'
      : errors.trim()
  throw new ToolUnavailableError(`go ${args[0]} in ${toolsFolder(module)} ended with ${code}: ${hint}`)
}

if (import.meta.main) {
  for (const name of Object.keys(TOOLS) as ToolName[]) {
    const path = await ensureTool(name, (line) => process.stderr.write(`${line}\n`))
    process.stdout.write(`${name} ${path}\n`)
  }
  for (const name of ['kwok', 'gitea'] as const)
    process.stdout.write(`files of ${name} ${await ensureToolFiles(name)}\n`)
}
