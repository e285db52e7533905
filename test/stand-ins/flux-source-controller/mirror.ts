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

export interface Tip {
  readonly commit: string
  readonly tree: string
}

export interface Mirror {
  /** Tips by full ref name, as the remote has them now; their commits are here then. @throws Error in git's words */
  fetch(login: Login | undefined): Promise<ReadonlyMap<string, Tip>>
  /** A tar.gz of a commit without what the patterns (`.gitignore` syntax) name. */
  archive(tip: Tip, ignore: string): Promise<Buffer>
}

export async function openMirror(folder: string, url: string): Promise<Mirror> {
  const directory = join(folder, 'repository.git')
  const emptyTree = join(folder, 'work')
  await mkdir(emptyTree, { recursive: true })
  await run(['init', '--quiet', '--bare', directory])
  const inDirectory = ['--git-dir', directory]
  return {
    async fetch(login) {
      const refs = ['--prune', '--no-write-fetch-head', url, '+refs/heads/*:refs/heads/*']
      await run([...inDirectory, 'fetch', '--quiet', ...refs], environmentOf(url, login))
      const format = '--format=%(refname) %(objectname) %(tree)'
      const output = await run([...inDirectory, 'for-each-ref', format, 'refs/heads'])
      const lines = output.toString('utf8').split('\n')
      return new Map(
        lines
          .filter((line) => line !== '')
          .map((line) => {
            const [ref = '', commit = '', tree = ''] = line.split(' ')
            return [ref, { commit, tree }]
          }),
      )
    },
    async archive({ commit, tree }, ignore) {
      const paths = tree === EMPTY_TREE ? [] : await pathsOf(inDirectory, commit)
      const ignored = await ignoredOf(inDirectory, emptyTree, paths, ignore)
      const kept = paths.filter((path) => !ignored.has(path)).map((path) => `:(literal)${path}`)
      const what = kept.length === 0 ? [EMPTY_TREE] : [commit, '--', ...kept]
      return await run([...inDirectory, 'archive', '--format=tar.gz', ...what])
    },
  }
}

async function pathsOf(inDirectory: readonly string[], commit: string): Promise<readonly string[]> {
  const listed = await run([...inDirectory, 'ls-tree', '-r', '-z', '--name-only', commit])
  return listed
    .toString('utf8')
    .split('\0')
    .filter((path) => path !== '')
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
