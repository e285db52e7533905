import { execFileSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { test } from 'tap'
import type { FileChange } from '../../src/fleet/files.ts'
import type { FleetPath, RefName } from '../../src/fleet/ids.ts'
import type { NewObject } from '../../src/git/contracts.ts'
import { openEmbeddedHome } from '../../src/git/embedded/home.ts'
import { commitObject, EMPTY_TREE } from '../../src/git/objects.ts'
import { createTreeEditor } from '../../src/git/tree-editor.ts'

const segment = fc.constantFrom('a', 'a.b', 'a-b', 'a0', 'b', 'clusters', 'z')
const path = fc
  .array(segment, { minLength: 1, maxLength: 3 })
  .map((names) => `d-${names.slice(0, -1).join('/d-')}/f-${names.at(-1)}`.replace('d-/', '') as FleetPath)
const change = fc.record({ path, text: fc.option(fc.string(), { nil: undefined }) })

test('trees are what native git makes of the same files, and their packs are sound', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'fleetwright-'))
  t.teardown(() => rm(directory, { recursive: true, force: true }))
  const home = await openEmbeddedHome(join(directory, 'fleet.git'))
  t.teardown(() => home.close())
  let runs = 0
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(change, { maxLength: 6 }), { minLength: 1, maxLength: 4 }),
      async (steps) => {
        runs += 1
        const editor = createTreeEditor(home.objects, EMPTY_TREE)
        const objects: NewObject[] = []
        const files = new Map<string, string>()
        for (const step of steps) {
          const unique = [...new Map(step.map((file) => [file.path, file])).values()] satisfies FileChange[]
          objects.push(...(await editor.apply(unique)))
          for (const { path: name, text } of unique) {
            if (text === undefined) files.delete(name)
            else files.set(name, text)
          }
        }
        if (files.size === 0) return editor.root === EMPTY_TREE
        const line = 'A <a@example.com> 1 +0000'
        const commit = commitObject({
          tree: editor.root,
          parents: [],
          author: line,
          committer: line,
          message: `Run ${runs}\n`,
          sign: undefined,
        })
        await home.push(
          [{ ref: `refs/heads/run-${runs}` as RefName, expected: undefined, next: commit.oid }],
          [...objects, commit],
        )
        return editor.root === nativeTree(home.gitDirectory, join(directory, 'index'), files)
      },
    ),
    { numRuns: 40 },
  )
  const fsck = execFileSync('git', ['--git-dir', home.gitDirectory, 'fsck', '--strict', '--no-dangling'], {
    encoding: 'utf8',
  })
  t.equal(fsck, '')
  t.equal(runs, 40)
})

test('what was read ahead is not read again', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'fleetwright-'))
  t.teardown(() => rm(directory, { recursive: true, force: true }))
  const home = await openEmbeddedHome(join(directory, 'fleet.git'))
  t.teardown(() => home.close())
  const write = (text: string): FileChange[] =>
    ['a/b/one', 'a/c/two', 'd/three'].map((name) => ({ path: name as FleetPath, text }))
  const maker = createTreeEditor(home.objects, EMPTY_TREE)
  const made = await maker.apply(write('1'))
  const line = 'A <a@example.com> 1 +0000'
  const commit = commitObject({
    tree: maker.root,
    parents: [],
    author: line,
    committer: line,
    message: 'x',
    sign: undefined,
  })
  await home.push(
    [{ ref: 'refs/heads/main' as RefName, expected: undefined, next: commit.oid }],
    [...made, commit],
  )
  let reads = 0
  const counting = {
    ...home.objects,
    tree(oid: Parameters<typeof home.objects.tree>[0]) {
      reads += 1
      return home.objects.tree(oid)
    },
  }
  const editor = createTreeEditor(counting, maker.root)
  await editor.readAhead(1)
  t.equal(reads, 3, 'the root, a and d')
  await editor.readAhead(4)
  t.equal(reads, 5, 'a/b and a/c')
  await editor.apply(write('2'))
  t.equal(reads, 5)
  await maker.apply(write('2'))
  t.equal(editor.root, maker.root)
})

function nativeTree(gitDirectory: string, index: string, files: ReadonlyMap<string, string>): string {
  const env = { ...process.env, GIT_INDEX_FILE: index }
  execFileSync('git', ['--git-dir', gitDirectory, 'read-tree', '--empty'], { env })
  const lines = [...files].map(([name, text]) => {
    const oid = execFileSync('git', ['--git-dir', gitDirectory, 'hash-object', '-w', '--stdin'], {
      input: text,
      encoding: 'utf8',
    }).trim()
    return `100644 ${oid}\t${name}\n`
  })
  execFileSync('git', ['--git-dir', gitDirectory, 'update-index', '--index-info'], {
    env,
    input: lines.join(''),
  })
  return execFileSync('git', ['--git-dir', gitDirectory, 'write-tree'], { env, encoding: 'utf8' }).trim()
}
