/** History of the fleet repository for people, read by native git. */
import { FleetError } from '../fleet/errors.ts'
import { isObjectId, type ObjectId } from '../fleet/ids.ts'
import type { FleetHistory, HistoryEntry } from '../ports/writer.ts'
import { git, runGit } from './child-process.ts'

const MAIN = 'refs/heads/main'
/** NUL separates fields; each entry starts with a record separator, which no message may hold. */
const FORMAT = '%x1e%H%x00%an%x00%ae%x00%cn%x00%aI%x00%s%x00%b%x00%(trailers:only,unfold)%x00'

export function createHistory(directory: string): FleetHistory {
  return {
    async log({ paths = [], limit, after, from, since, diff = false }) {
      const start = [after ?? from ?? MAIN, ...(since === undefined ? [] : [`^${since}`])]
      const skip = after === undefined ? [] : ['--skip=1']
      const shown = diff ? ['--patch', '--no-renames', '--no-color', '--no-ext-diff', '--no-textconv'] : []
      const args = [
        'log',
        `--format=${FORMAT}`,
        `--max-count=${limit}`,
        ...skip,
        ...shown,
        ...start,
        '--',
        ...paths,
      ]
      const { code, output, words } = await runGit(args, { directory })
      if (code !== 0) {
        if (/unknown revision|bad revision|bad object/.test(words)) return missing(after ?? from)
        throw new FleetError('repository-damaged', `git log ended with status ${code}: ${words.trim()}`)
      }
      return output
        .toString('utf8')
        .split('\x1e')
        .slice(1)
        .map((record) => entryOf(record, diff))
    },
    async fileAt(commit, path) {
      const { code, output } = await runGit(['cat-file', 'blob', `${commit}:${path}`], { directory })
      return code === 0 ? output.toString('utf8') : undefined
    },
    async parentOf(commit) {
      const { code, output } = await runGit(['rev-list', '--parents', '--max-count=1', commit], { directory })
      if (code !== 0) throw notFound(commit)
      const parent = output.toString('utf8').trim().split(' ')[1]
      return parent !== undefined && isObjectId(parent) ? parent : undefined
    },
    async isOnMain(commit) {
      const { code, words } = await runGit(['merge-base', '--is-ancestor', commit, MAIN], { directory })
      if (code === 0 || code === 1) return code === 0
      if (/Not a valid (commit|object) name|bad object/.test(words)) return false
      throw new FleetError('repository-damaged', `git merge-base ended with status ${code}: ${words.trim()}`)
    },
    async lastChangeOf(text, paths) {
      const search = ['log', '--first-parent', '-m', '--max-count=1', '--format=%ct', `-S${text}`, MAIN]
      const output = await git([...search, '--', ...paths], { directory })
      const seconds = output.toString('utf8').trim()
      return seconds === '' ? undefined : Number(seconds) * 1000
    },
    async changedPaths(commit) {
      const { code } = await runGit(['cat-file', '-e', `${commit}^{commit}`], { directory })
      if (code !== 0) throw notFound(commit)
      const output = await git(
        [
          'diff-tree',
          '-r',
          '-z',
          '--root',
          '--no-commit-id',
          '--name-only',
          '--no-renames',
          '-m',
          '--first-parent',
          commit,
        ],
        { directory },
      )
      return output
        .toString('utf8')
        .split('\0')
        .filter((path) => path !== '')
    },
  }
}

/** A repository without a first commit has no history; a commit that is asked for must be there. */
function missing(after: ObjectId | undefined): readonly HistoryEntry[] {
  if (after === undefined) return []
  throw notFound(after)
}

function notFound(commit: ObjectId): FleetError {
  return new FleetError('not-found', `There is no commit ${commit} in the fleet repository.`)
}

function entryOf(record: string, diff: boolean): HistoryEntry {
  const [
    commit = '',
    author = '',
    email = '',
    committer = '',
    at = '',
    subject = '',
    body = '',
    trailers = '',
    patch = '',
  ] = record.split('\0')
  const found = parseTrailers(trailers)
  const text = Object.keys(found).length === 0 ? body : withoutTrailers(body)
  return {
    // Git's own output.
    commit: commit as ObjectId,
    author,
    email,
    committer,
    at,
    subject,
    body: text.trim(),
    trailers: found,
    ...(diff ? { diff: patch.replace(/^\n+/, '') } : {}),
  }
}

function parseTrailers(text: string): Readonly<Record<string, string>> {
  const pairs = text.split('\n').flatMap((line) => {
    const at = line.indexOf(': ')
    return at < 0 ? [] : [[line.slice(0, at), line.slice(at + 2)] as const]
  })
  return Object.fromEntries(pairs)
}

/** Trailers are the last paragraph. */
function withoutTrailers(body: string): string {
  const paragraphs = body.trimEnd().split('\n\n')
  return paragraphs.slice(0, -1).join('\n\n')
}
