/** A checkout as git sees it: revisions, and what the working tree changes against one. */
import { lstat, readFile, realpath } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join, resolve as resolvePath } from 'node:path'
import { FleetError } from '../fleet/errors.ts'
import { isObjectId, type ObjectId } from '../fleet/ids.ts'
import { git, runGit } from '../git/child-process.ts'
import type { ObjectReader } from '../git/contracts.ts'
import { createObjectReader } from '../git/object-reader.ts'
import { hashObject } from '../git/objects.ts'
import type { ChangedFile } from '../git/writer/ingest.ts'

export interface Changes {
  readonly files: readonly ChangedFile[]
  /** Text of what a file was or is. */
  text(oid: ObjectId): Promise<string>
}

export interface GitCheckout {
  readonly reader: ObjectReader
  /** Repository with all objects; that of all working trees together. */
  readonly gitDirectory: string
  /** History was cut off by `git clone --depth`. */
  readonly isShallow: boolean
  /** Undefined: there is no such commit. */
  find(revision: string): Promise<ObjectId | undefined>
  /** @throws FleetError `invalid-configuration` when there is no such commit */
  resolve(revision: string): Promise<ObjectId>
  /** Where the branch left what it follows; HEAD when it follows nothing. */
  base(): Promise<ObjectId>
  /** Between two commits. */
  between(from: ObjectId, to: ObjectId): Promise<Changes>
  /** From a commit to the files as they lie in the folder, those that git does not know yet included. */
  uncommitted(from: ObjectId): Promise<Changes>
  close(): Promise<void>
}

/** @throws FleetError `invalid-configuration` when the folder is not the top of a git checkout */
export async function openGitCheckout(folder: string): Promise<GitCheckout> {
  // Git's own rule of whose checkouts it reads stands in the user's settings.
  const environment = { GIT_CONFIG_GLOBAL: join(homedir(), '.gitconfig') }
  const ask = async (...args: readonly string[]): Promise<string | undefined> => {
    const { code, output } = await runGit(['-C', folder, ...args], { environment })
    return code === 0 ? output.toString('utf8') : undefined
  }
  const demand = async (...args: readonly string[]): Promise<string> =>
    (await git(['-C', folder, ...args], { environment })).toString('utf8')
  const wanted = ['--show-toplevel', '--absolute-git-dir', '--git-common-dir', '--is-shallow-repository']
  const places = await runGit(['-C', folder, 'rev-parse', ...wanted], { environment })
  const [top = '', directory = '', common = '', shallow] = places.output.toString('utf8').split('\n')
  if (places.code !== 0 || top !== (await realpath(folder)))
    throw new FleetError(
      'invalid-configuration',
      `${folder} is not a git checkout${top === '' ? ` (${places.words.trim()})` : `, but inside ${top}`}; name its top folder.`,
    )
  const reader = createObjectReader(directory)
  const find = async (revision: string): Promise<ObjectId | undefined> => {
    const found = (
      await ask('rev-parse', '--verify', '--quiet', '--end-of-options', `${revision}^{commit}`)
    )?.trim()
    // rev-parse of git 2.30 and later repeats the option.
    const oid = found?.split('\n').at(-1) ?? ''
    return isObjectId(oid) ? oid : undefined
  }
  const resolve = async (revision: string): Promise<ObjectId> => {
    const found = await find(revision)
    if (found !== undefined) return found
    throw new FleetError(
      'invalid-configuration',
      `There is no commit ${revision} in ${folder}; git log names those there are.`,
    )
  }
  const text = async (oid: ObjectId): Promise<string> => Buffer.from(await reader.blob(oid)).toString('utf8')
  return {
    reader,
    gitDirectory: resolvePath(folder, common),
    isShallow: shallow === 'true',
    find,
    resolve,
    async base() {
      const upstream = (await ask('merge-base', 'HEAD', '@{upstream}'))?.trim()
      return upstream !== undefined && isObjectId(upstream) ? upstream : await resolve('HEAD')
    },
    async between(from, to) {
      return { files: await reader.changedFiles(from, to), text }
    },
    async uncommitted(from) {
      const raw = await demand(
        'diff',
        '--raw',
        '-z',
        '--no-abbrev',
        '--no-renames',
        '--no-ext-diff',
        from,
        '--',
      )
      const others = await demand('ls-files', '--others', '--exclude-standard', '-z')
      return await readChanges(folder, [...parseRaw(raw), ...parseOthers(others)], text)
    },
    close: () => reader.close(),
  }
}

interface Candidate {
  readonly path: string
  readonly from: ObjectId | undefined
}

/** `:mode mode from to status NUL path NUL`, again and again. */
function parseRaw(raw: string): readonly Candidate[] {
  const parts = raw.split('\0')
  return parts.flatMap((part, at) => {
    if (!part.startsWith(':') || at % 2 === 1) return []
    const [, , from = ''] = part.split(' ')
    return [{ path: parts[at + 1] ?? '', from: isObjectId(from) && !/^0+$/.test(from) ? from : undefined }]
  })
}

function parseOthers(others: string): readonly Candidate[] {
  return others.split('\0').flatMap((path) => (path === '' ? [] : [{ path, from: undefined }]))
}

async function readChanges(
  folder: string,
  candidates: readonly Candidate[],
  committed: Changes['text'],
): Promise<Changes> {
  const contents = new Map<ObjectId, string>()
  const files: ChangedFile[] = []
  for (const { path, from } of candidates.toSorted((a, b) => (a.path < b.path ? -1 : 1))) {
    const found = await readIfFile(join(folder, path))
    if (found === undefined) {
      if (from !== undefined) files.push({ path, from, to: undefined, mode: undefined })
      continue
    }
    const to = hashObject('blob', found.content)
    contents.set(to, found.content.toString('utf8'))
    if (to !== from) files.push({ path, from, to, mode: found.mode })
  }
  return { files, text: async (oid) => contents.get(oid) ?? (await committed(oid)) }
}

/** Links are not followed. */
async function readIfFile(
  path: string,
): Promise<{ readonly mode: string; readonly content: Buffer } | undefined> {
  try {
    const state = await lstat(path)
    if (state.isFile()) return { mode: '100644', content: await readFile(path) }
    return { mode: state.isSymbolicLink() ? '120000' : '0', content: Buffer.alloc(0) }
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR'))
      return undefined
    throw error
  }
}
