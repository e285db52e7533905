/** A local copy of a repository's branches, and archives of its commits as an artifact holds them. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runGit } from '../../../src/git/child-process.ts'

/** Git knows this tree without having it. */
const EMPTY_TREE = '4b825dc642cb6eb9a060e54bf8d69288fbee4904'

export interface Login {
  readonly username: string
  readonly password: string
}

export interface Mirror {
  /** Commits by full ref name, as the remote has them now. @throws Error in git's words */
  listRefs(login: Login | undefined): Promise<ReadonlyMap<string, string>>
  /** A tar.gz of a commit without what the patterns (`.gitignore` syntax) name. */
  archive(commit: string, ref: string, login: Login | undefined, ignore: string): Promise<Buffer>
}

export async function openMirror(folder: string, url: string): Promise<Mirror> {
  const directory = join(folder, 'repository.git')
  const emptyTree = join(folder, 'work')
  await mkdir(emptyTree, { recursive: true })
  await run(['init', '--quiet', '--bare', directory])
  return {
    async listRefs(login) {
      const output = await run(['ls-remote', url, 'refs/heads/*'], environmentOf(url, login))
      const lines = output
        .toString('utf8')
        .split('\n')
        .filter((line) => line !== '')
      return new Map(
        lines.map((line) => {
          const [commit = '', ref = ''] = line.split('\t')
          return [ref, commit]
        }),
      )
    },
    async archive(commit, ref, login, ignore) {
      const inDirectory = ['--git-dir', directory]
      await run([...inDirectory, 'fetch', '--quiet', url, `+${ref}:${ref}`], environmentOf(url, login))
      const listed = await run([...inDirectory, 'ls-tree', '-r', '-z', '--name-only', commit])
      const paths = listed
        .toString('utf8')
        .split('\0')
        .filter((path) => path !== '')
      const ignored = await ignoredOf(inDirectory, emptyTree, paths, ignore)
      const kept = paths.filter((path) => !ignored.has(path)).map((path) => `:(literal)${path}`)
      const what = kept.length === 0 ? [EMPTY_TREE] : [commit, '--', ...kept]
      return await run([...inDirectory, 'archive', '--format=tar.gz', ...what])
    },
  }
}

async function ignoredOf(
  inDirectory: readonly string[],
  emptyTree: string,
  paths: readonly string[],
  ignore: string,
): Promise<ReadonlySet<string>> {
  if (ignore === '' || paths.length === 0) return new Set()
  const file = join(emptyTree, '..', 'ignore')
  await writeFile(file, ignore)
  const args = [
    ...inDirectory,
    '--work-tree',
    emptyTree,
    '-c',
    `core.excludesFile=${file}`,
    'check-ignore',
    '--no-index',
    '--stdin',
    '-z',
  ]
  const { code, output, words } = await runGit(args, { input: paths.join('\0') })
  // 1: none of them is ignored.
  if (code > 1) throw new Error(words)
  return new Set(output.toString('utf8').split('\0'))
}

/** The password travels in the environment, never on a command line. */
function environmentOf(url: string, login: Login | undefined): Readonly<Record<string, string>> {
  if (login === undefined) return {}
  const basic = Buffer.from(`${login.username}:${login.password}`).toString('base64')
  return {
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: `http.${new URL(url).origin}/.extraHeader`,
    GIT_CONFIG_VALUE_0: `Authorization: Basic ${basic}`,
  }
}

async function run(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Buffer> {
  const { code, output, words } = await runGit(args, { environment })
  if (code !== 0) throw new Error(words.trim())
  return output
}
