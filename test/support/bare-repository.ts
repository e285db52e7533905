/** Commits, merges, squashes and rebases in a bare repository, as a forge makes them. */
import { randomUUID } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ObjectId } from '../../src/fleet/ids.ts'
import { git, runGit } from '../../src/git/child-process.ts'
import type { Files, MergeStyle } from './forge-world.ts'

export interface BareRepository {
  tip(ref: string): Promise<ObjectId | undefined>
  /** @param commit undefined: the ref goes */
  move(ref: string, commit: ObjectId | undefined): Promise<void>
  /** The parent's files with these in their place. */
  commit(parent: ObjectId | undefined, files: Files, message: string): Promise<ObjectId>
  /** What main becomes. @throws Error when there is a conflict */
  merge(main: ObjectId, head: ObjectId, style: MergeStyle, message: string): Promise<ObjectId>
}

const PERSON = {
  GIT_AUTHOR_NAME: 'Grace',
  GIT_AUTHOR_EMAIL: 'grace@example.com',
  GIT_COMMITTER_NAME: 'Forge',
  GIT_COMMITTER_EMAIL: 'forge@fleetwright.invalid',
}

export function openBareRepository(directory: string): BareRepository {
  async function run(args: readonly string[], input = '', index?: string): Promise<string> {
    const environment = { ...PERSON, ...(index === undefined ? {} : { GIT_INDEX_FILE: index }) }
    return (await git(args, { directory, input, environment })).toString('utf8').trim()
  }
  async function treeOf(parent: ObjectId | undefined, files: Files): Promise<string> {
    const index = join(tmpdir(), `fleetwright-index-${randomUUID()}`)
    try {
      await run(parent === undefined ? ['read-tree', '--empty'] : ['read-tree', parent], '', index)
      for (const [path, text] of Object.entries(files)) {
        if (text === undefined) {
          await run(['update-index', '--index-info'], `0 ${'0'.repeat(40)}\t${path}\n`, index)
          continue
        }
        const blob = await run(['hash-object', '-w', '--stdin'], text)
        await run(['update-index', '--add', '--cacheinfo', `100644,${blob},${path}`], '', index)
      }
      return await run(['write-tree'], '', index)
    } finally {
      await rm(index, { force: true })
    }
  }
  async function commitTree(tree: string, parents: readonly string[], message: string): Promise<ObjectId> {
    const flags = parents.flatMap((parent) => ['-p', parent])
    return (await run(['commit-tree', tree, ...flags, '-F', '-'], message)) as ObjectId
  }
  async function mergedTree(ours: string, theirs: string): Promise<string> {
    return await run(['merge-tree', '--write-tree', ours, theirs])
  }
  async function rebase(main: ObjectId, head: ObjectId): Promise<ObjectId> {
    const commits = await run(['rev-list', '--reverse', '--no-merges', `${main}..${head}`])
    let onto = main
    for (const commit of commits.split('\n').filter((line) => line !== '')) {
      // What both come from is the commit before: what is there already stands beside it for a moment.
      const there = await commitTree(`${onto}^{tree}`, [`${commit}^`], 'What is there')
      const tree = await mergedTree(there, commit)
      onto = await commitTree(tree, [onto], await run(['log', '-1', '--format=%B', commit]))
    }
    return onto
  }
  return {
    async tip(ref) {
      const { code, output } = await runGit(['rev-parse', '--verify', '--quiet', `${ref}^{commit}`], {
        directory,
      })
      return code === 0 ? (output.toString('utf8').trim() as ObjectId) : undefined
    },
    async move(ref, commit) {
      await run(commit === undefined ? ['update-ref', '-d', ref] : ['update-ref', ref, commit])
    },
    async commit(parent, files, message) {
      return await commitTree(await treeOf(parent, files), parent === undefined ? [] : [parent], message)
    },
    async merge(main, head, style, message) {
      if (style === 'rebase') return await rebase(main, head)
      const tree = await mergedTree(main, head)
      return await commitTree(tree, style === 'merge' ? [main, head] : [main], message)
    },
  }
}
