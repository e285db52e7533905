/** What every home of the fleet repository promises; run against each implementation. */
import { execFileSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Test, test } from 'tap'
import type { FleetPath, ObjectId, RefName } from '../../src/fleet/ids.ts'
import type { NewObject, PushOutcome, RepositoryHome } from '../../src/git/contracts.ts'
import { commitObject, EMPTY_TREE } from '../../src/git/objects.ts'
import { createTreeEditor } from '../../src/git/tree-editor.ts'
import { commitAs as commitInFolder } from '../support/person.ts'

export interface HomeSubject {
  open(): Promise<RepositoryHome>
  /** The repository that counts, to look at and to change behind the home's back. */
  readonly directory: string
  /** Refuses every push from now on with these words; undefined: takes them again. */
  refuse(words: string | undefined): Promise<void>
  close(): Promise<void>
}

export const MAIN = 'refs/heads/main' as RefName
const CLUSTER = 'refs/heads/cluster/prod-1' as RefName
const SIGNATURE = 'Ada <ada@example.com> 1795424400 +0000'

export interface MadeCommit {
  readonly oid: ObjectId
  readonly objects: readonly NewObject[]
}

/** A commit of some files on top of another. */
export async function makeCommit(
  home: RepositoryHome,
  parent: ObjectId | undefined,
  files: Readonly<Record<string, string>>,
  message = 'Change\n',
): Promise<MadeCommit> {
  const tree = parent === undefined ? EMPTY_TREE : (await home.objects.commit(parent)).tree
  const editor = createTreeEditor(home.objects, tree)
  const made = await editor.apply(
    Object.entries(files).map(([path, text]) => ({ path: path as FleetPath, text })),
  )
  const parents = parent === undefined ? [] : [parent]
  const commit = commitObject({
    tree: editor.root,
    parents,
    author: SIGNATURE,
    committer: SIGNATURE,
    message,
    sign: undefined,
  })
  return { oid: commit.oid, objects: [...made, commit] }
}

export async function pushMain(
  home: RepositoryHome,
  expected: ObjectId | undefined,
  { oid, objects }: MadeCommit,
): Promise<PushOutcome> {
  return await home.push([{ ref: MAIN, expected, next: oid }], objects)
}

export function gitIn(directory: string, ...args: readonly string[]): string {
  return execFileSync('git', ['--git-dir', directory, ...args], { encoding: 'utf8', maxBuffer: 1 << 28 })
}

/** Commits files to main as a person with native git does, in a folder that goes again; the new commit. */
export async function commitAs(
  directory: string,
  files: Readonly<Record<string, string>>,
  message = 'Edit',
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'fleetwright-work-'))
  try {
    return await commitInFolder(directory, folder, files, message)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function opened(
  t: Test,
  start: () => Promise<HomeSubject>,
): Promise<HomeSubject & { home: RepositoryHome }> {
  const subject = await start()
  const home = await subject.open()
  t.teardown(async () => {
    await home.close()
    await subject.close()
  })
  return { ...subject, home }
}

async function textAt(home: RepositoryHome, commit: ObjectId, name: string): Promise<string | undefined> {
  const { tree } = await home.objects.commit(commit)
  const entry = (await home.objects.tree(tree)).find((candidate) => candidate.name === name)
  return entry === undefined ? undefined : Buffer.from(await home.objects.blob(entry.oid)).toString('utf8')
}

export function testHome(name: string, start: () => Promise<HomeSubject>): void {
  test(`${name}: an empty home has no tips and takes a first commit, whose objects are readable`, async (t) => {
    const { home, directory } = await opened(t, start)
    t.equal((await home.tips()).size, 0)
    t.equal((await home.fetch()).size, 0)
    const first = await makeCommit(home, undefined, { 'a.yaml': 'a: 1\n', 'folder/b.yaml': 'b: 1\n' })
    t.same(await pushMain(home, undefined, first), { outcome: 'accepted' })
    t.same([...(await home.tips())], [[MAIN, first.oid]])
    t.same([...(await home.fetch())], [[MAIN, first.oid]])
    t.equal(await textAt(home, first.oid, 'a.yaml'), 'a: 1\n')
    t.equal(gitIn(home.gitDirectory, 'rev-parse', 'main').trim(), first.oid)
    t.equal(gitIn(directory, 'show', 'main:folder/b.yaml'), 'b: 1\n')
    t.equal(gitIn(directory, 'fsck', '--strict', '--no-dangling'), '')
  })

  test(`${name}: many commits with trees as deltas, over several refs, arrive whole and stay after a restart`, async (t) => {
    const subject = await opened(t, start)
    const { home, directory } = subject
    const files = Object.fromEntries(
      Array.from({ length: 60 }, (_, at) => [`folder/${at}.yaml`, `n: ${at}\n`]),
    )
    const first = await makeCommit(home, undefined, files)
    await pushMain(home, undefined, first)
    const editor = createTreeEditor(home.objects, (await home.objects.commit(first.oid)).tree)
    const objects: NewObject[] = []
    let tip = first.oid
    for (let at = 0; at < 30; at += 1) {
      objects.push(
        ...(await editor.apply([{ path: `folder/${at}.yaml` as FleetPath, text: `n: new ${at}\n` }])),
      )
      const commit = commitObject({
        tree: editor.root,
        parents: [tip],
        author: SIGNATURE,
        committer: SIGNATURE,
        message: `Change ${at}\n`,
        sign: undefined,
      })
      objects.push(commit)
      tip = commit.oid
    }
    const updates = [
      { ref: MAIN, expected: first.oid, next: tip },
      { ref: CLUSTER, expected: undefined, next: first.oid },
    ]
    t.same(await home.push(updates, objects), { outcome: 'accepted' })
    t.equal(gitIn(directory, 'show', 'main:folder/29.yaml'), 'n: new 29\n')
    t.equal(gitIn(directory, 'rev-list', '--count', 'main').trim(), '31')
    t.equal(gitIn(directory, 'fsck', '--strict', '--no-dangling'), '')
    t.equal(gitIn(home.gitDirectory, 'fsck', '--strict', '--no-dangling'), '')
    await home.close()
    const again = await subject.open()
    t.same(
      new Map(await again.fetch()),
      new Map([
        [MAIN, tip],
        [CLUSTER, first.oid],
      ]),
    )
    t.equal((await again.objects.commit(tip)).message, 'Change 29\n')
    await again.close()
  })

  test(`${name}: a stale lease on one ref keeps all refs where they are`, async (t) => {
    const { home, directory } = await opened(t, start)
    const first = await makeCommit(home, undefined, { 'a.yaml': 'a: 1\n' })
    await home.push(
      [
        { ref: MAIN, expected: undefined, next: first.oid },
        { ref: CLUSTER, expected: undefined, next: first.oid },
      ],
      first.objects,
    )
    const theirs = await commitAs(directory, { 'b.yaml': 'b: 1\n' })
    const second = await makeCommit(home, first.oid, { 'a.yaml': 'a: 2\n' })
    const both = [
      { ref: CLUSTER, expected: first.oid, next: second.oid },
      { ref: MAIN, expected: first.oid, next: second.oid },
    ]
    t.match(await home.push(both, second.objects), { outcome: 'stale', detail: /\w/ })
    t.equal(gitIn(directory, 'rev-parse', 'main').trim(), theirs)
    t.equal(gitIn(directory, 'rev-parse', 'cluster/prod-1').trim(), first.oid)
    t.match(await pushMain(home, undefined, second), { outcome: 'stale' }, 'a ref that must not exist')
    const tips = await home.fetch()
    t.equal(tips.get(MAIN), theirs)
    const third = await makeCommit(home, tips.get(MAIN), { 'a.yaml': 'a: 2\n' })
    t.same(await pushMain(home, tips.get(MAIN), third), { outcome: 'accepted' })
    t.equal(gitIn(directory, 'show', 'main:b.yaml'), 'b: 1\n')
  })

  test(`${name}: what others push is fetched with its objects, and refs they remove go`, async (t) => {
    const { home, directory } = await opened(t, start)
    const first = await makeCommit(home, undefined, { 'a.yaml': 'a: 1\n' })
    await pushMain(home, undefined, first)
    gitIn(directory, 'branch', 'proposal', first.oid)
    t.ok((await home.fetch()).has('refs/heads/proposal' as RefName))
    const theirs = (await commitAs(directory, { 'b.yaml': 'b: 1\n' })) as ObjectId
    gitIn(directory, 'branch', '-D', 'proposal')
    const tips = await home.fetch()
    t.same([...tips], [[MAIN, theirs]])
    t.equal(await textAt(home, theirs, 'b.yaml'), 'b: 1\n')
    const changed = await home.objects.changedFiles(first.oid, theirs)
    t.same(
      changed.map(({ path }) => path),
      ['b.yaml'],
    )
    t.equal(gitIn(home.gitDirectory, 'rev-parse', 'main').trim(), theirs)
  })

  test(`${name}: a push that is refused writes nothing and says the repository's words`, async (t) => {
    const { home, directory, refuse } = await opened(t, start)
    const first = await makeCommit(home, undefined, { 'a.yaml': 'a: 1\n' })
    await pushMain(home, undefined, first)
    await refuse('main is protected')
    const second = await makeCommit(home, first.oid, { 'a.yaml': 'a: 2\n' })
    await t.rejects(pushMain(home, first.oid, second), { code: 'remote-refused', message: /protected/ })
    t.equal(gitIn(directory, 'rev-parse', 'main').trim(), first.oid)
    await refuse(undefined)
    t.same(await pushMain(home, first.oid, second), { outcome: 'accepted' })
  })

  test(`${name}: a main that was rewritten or removed is refused until it is put right`, async (t) => {
    const { home, directory } = await opened(t, start)
    const first = await makeCommit(home, undefined, { 'a.yaml': 'a: 1\n' })
    await pushMain(home, undefined, first)
    const second = await makeCommit(home, first.oid, { 'a.yaml': 'a: 2\n' })
    await pushMain(home, first.oid, second)
    gitIn(directory, 'update-ref', 'refs/heads/main', first.oid)
    await t.rejects(home.fetch(), { code: 'history-rewritten', message: new RegExp(second.oid) })
    await t.rejects(home.fetch(), { code: 'history-rewritten' })
    const third = await makeCommit(home, second.oid, { 'a.yaml': 'a: 3\n' })
    t.match(await pushMain(home, second.oid, third), { outcome: 'stale' }, 'nothing is overwritten')
    gitIn(directory, 'update-ref', '-d', 'refs/heads/main')
    await t.rejects(home.fetch(), { code: 'history-rewritten', message: /is gone/ })
    gitIn(directory, 'update-ref', 'refs/heads/main', second.oid)
    t.equal((await home.fetch()).get(MAIN), second.oid)
    t.same(await pushMain(home, second.oid, third), { outcome: 'accepted' })
  })

  test(`${name}: maintenance keeps everything readable, and one process at a time works on it`, async (t) => {
    const subject = await opened(t, start)
    const { home } = subject
    let tip: ObjectId | undefined
    for (let at = 0; at < 5; at += 1) {
      const made = await makeCommit(home, tip, { [`${at}.yaml`]: `n: ${at}\n` })
      await pushMain(home, tip, made)
      tip = made.oid
    }
    await home.maintain()
    t.equal(tip === undefined ? '' : await textAt(home, tip, '0.yaml'), 'n: 0\n')
    const next = await makeCommit(home, tip, { 'a.yaml': 'a: 1\n' })
    t.same(await pushMain(home, tip, next), { outcome: 'accepted' })
    await t.rejects(subject.open(), { code: 'invalid-configuration', message: /works on .* already/ })
  })
}
