/** Commits that no git would make, written object by object. */
import { spawnSync } from 'node:child_process'
import type { ObjectId } from '../../src/fleet/ids.ts'

export interface RawEntry {
  readonly mode: string
  readonly name: string | Uint8Array
  readonly oid: string
}

export interface HostileCommits {
  blob(content: string | Uint8Array): string
  /** In this order, whatever it says; nothing is checked. */
  tree(entries: readonly RawEntry[]): string
  /** Entries in the order in which git has them. */
  sortedTree(entries: readonly RawEntry[]): string
  /** Main's files, and these entries beside or instead of those of the same names at the top. */
  commit(entries: readonly RawEntry[], order?: 'sorted' | 'as-given'): ObjectId
  commitTree(tree: string, parents: readonly string[]): ObjectId
  git(args: readonly string[], input?: string | Uint8Array): string
}

const WHO = {
  GIT_AUTHOR_NAME: 'Mallory',
  GIT_AUTHOR_EMAIL: 'mallory@example.com',
  GIT_COMMITTER_NAME: 'Mallory',
  GIT_COMMITTER_EMAIL: 'mallory@example.com',
}

export function hostileCommits(directory: string): HostileCommits {
  function git(args: readonly string[], input: string | Uint8Array = ''): string {
    const { status, stdout, stderr } = spawnSync('git', ['--git-dir', directory, ...args], {
      input,
      env: { ...process.env, ...WHO },
      maxBuffer: 1 << 28,
    })
    if (status === 0) return stdout.toString('utf8').trim()
    throw new Error(`git ${args[0]}: ${stderr.toString('utf8')}`)
  }
  const encoded = ({ mode, name, oid }: RawEntry): Buffer =>
    Buffer.concat([Buffer.from(`${mode} `), Buffer.from(name), Buffer.from([0]), Buffer.from(oid, 'hex')])
  const keyOf = ({ mode, name }: RawEntry): Buffer =>
    Buffer.concat([Buffer.from(name), Buffer.from(mode === '40000' ? '/' : '')])
  const tree = (entries: readonly RawEntry[]): string =>
    git(['hash-object', '-t', 'tree', '-w', '--literally', '--stdin'], Buffer.concat(entries.map(encoded)))
  const sortedTree = (entries: readonly RawEntry[]): string =>
    tree(entries.toSorted((a, b) => Buffer.compare(keyOf(a), keyOf(b))))
  const commitTree = (root: string, parents: readonly string[]): ObjectId => {
    const flags = parents.flatMap((parent) => ['-p', parent])
    return git(['commit-tree', root, ...flags, '-m', 'Change']) as ObjectId
  }
  return {
    git,
    tree,
    sortedTree,
    commitTree,
    blob: (content) => git(['hash-object', '-w', '--stdin'], content),
    commit(entries, order = 'sorted') {
      const present = git(['ls-tree', 'main'])
        .split('\n')
        .map((line): RawEntry => {
          const [head = '', name = ''] = line.split('\t')
          const [mode = '', , oid = ''] = head.split(' ')
          return { mode: mode.replace(/^0/, ''), name, oid }
        })
      const names = new Set(entries.map(({ name }) => String(name)))
      const all = [...present.filter(({ name }) => !names.has(String(name))), ...entries]
      return commitTree(order === 'sorted' ? sortedTree(all) : tree(all), [git(['rev-parse', 'main'])])
    },
  }
}
