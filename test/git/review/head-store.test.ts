import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type Test, test } from 'tap'
import type { ObjectId, RefName } from '../../../src/fleet/ids.ts'
import { git } from '../../../src/git/child-process.ts'
import type { NativeAccess } from '../../../src/git/contracts.ts'
import { type HeadStore, openHeadStore } from '../../../src/git/review/head-store.ts'
import { type ReviewLimits, REVIEW_LIMITS } from '../../../src/git/review/limits.ts'
import { type HostileCommits, hostileCommits } from '../../support/hostile-commits.ts'

const HEAD = 'refs/pull/7/head' as RefName
const NOWHERE = '1'.repeat(40) as ObjectId

interface Forge {
  readonly store: HeadStore
  readonly raw: HostileCommits
  /** Of main, which has nothing of pull requests. */
  readonly clone: string
  readonly folder: string
  /** What the pull request is at. */
  propose(head: ObjectId): void
  bring(expected?: ObjectId): ReturnType<HeadStore['bring']>
}

async function start(
  t: Test,
  limits: Partial<ReviewLimits> = {},
  remote?: Partial<NativeAccess>,
): Promise<Forge> {
  const folder = t.testdir({})
  const [origin, clone] = [join(folder, 'origin.git'), join(folder, 'clone.git')]
  await git(['init', '--quiet', '--bare', '--initial-branch=main', origin])
  const raw = hostileCommits(origin)
  const first = raw.commitTree(
    raw.sortedTree([{ mode: '100644', name: 'fleet.yaml', oid: raw.blob('a\n') }]),
    [],
  )
  raw.git(['update-ref', 'refs/heads/main', first])
  await git(['clone', '--quiet', '--bare', `file://${origin}`, clone])
  const store = await openHeadStore({
    directory: join(folder, 'reviews.git'),
    mainDirectory: clone,
    limits: { ...REVIEW_LIMITS, ...limits },
    remote: {
      url: `file://${origin}`,
      environment: async () => ({}),
      redact: (text) => text,
      failure: () => undefined,
      ...remote,
    },
  })
  t.teardown(() => store.close())
  return {
    store,
    raw,
    clone,
    folder,
    propose: (head) => void raw.git(['update-ref', HEAD, head]),
    bring: (expected = NOWHERE) => store.bring(7, HEAD, expected),
  }
}

const refsOf = async (directory: string): Promise<string> =>
  (await git(['for-each-ref', '--format=%(refname) %(objectname)'], { directory })).toString('utf8')

test("a head is brought beside main, and main's clone gets nothing of it", async (t) => {
  const { store, raw, clone, propose, bring } = await start(t)
  const before = await refsOf(clone)
  const head = raw.commit([{ mode: '100644', name: 'a', oid: raw.blob('first\n') }])
  propose(head)
  t.same(await bring(), { outcome: 'brought', head })
  t.equal((await store.objects.commit(head)).message, 'Change\n')
  t.ok(
    (await store.objects.commit(raw.git(['rev-parse', 'main']) as ObjectId)).tree,
    'main is there without being fetched',
  )
  t.equal(await refsOf(clone), before)
  await t.rejects(git(['cat-file', '-e', head], { directory: clone }), 'not in the clone')
  t.equal(await refsOf(store.gitDirectory), `refs/reviews/7 ${head}\n`)
})

test('it is fetched when it moved, by force too, and not otherwise; what ended is forgotten', async (t) => {
  const { store, raw, propose, bring } = await start(t)
  const [first, second] = ['first', 'second'].map((text) =>
    raw.commit([{ mode: '100644', name: 'a', oid: raw.blob(text) }]),
  ) as [ObjectId, ObjectId]
  propose(first)
  await bring()
  propose(second)
  t.same(await bring(first), { outcome: 'brought', head: first }, 'asked for what is here')
  t.same(await bring(second), { outcome: 'brought', head: second })
  await store.keepOnly(new Set([7, 8]))
  t.equal(await refsOf(store.gitDirectory), `refs/reviews/7 ${second}\n`)
  await store.keepOnly(new Set([8]))
  t.equal(await refsOf(store.gitDirectory), '')
  raw.git(['update-ref', '-d', HEAD])
  await t.rejects(bring(first), { code: 'not-found' })
})

test('objects that git would not write do not get in', async (t) => {
  const { raw, propose, bring, store } = await start(t)
  const oid = raw.blob('text\n')
  const cases = [
    ['.git', raw.commit([{ mode: '100644', name: '.git', oid }])],
    [
      'entries twice',
      raw.commit(
        [
          { mode: '100644', name: 'z', oid },
          { mode: '100644', name: 'z', oid },
        ],
        'as-given',
      ),
    ],
    ['a path', raw.commit([{ mode: '100644', name: '../x', oid }])],
    [
      'a bad submodule',
      raw.commit([
        {
          mode: '100644',
          name: '.gitmodules',
          oid: raw.blob('[submodule "a"]\n\turl = --upload-pack=touch x\n'),
        },
      ]),
    ],
  ] as const
  for (const [name, head] of cases) {
    propose(head)
    t.match(
      await bring(),
      {
        outcome: 'refused',
        code: 'malformed-objects',
        detail: /^object [0-9a-f]{40} of it is not what git would write \(\w+/,
      },
      name,
    )
  }
  t.equal(await refsOf(store.gitDirectory), '')
  t.same(halfPacks(store), [])
})

function halfPacks({ gitDirectory }: HeadStore): readonly string[] {
  return readdirSync(join(gitDirectory, 'objects', 'pack')).filter((name) => name.startsWith('tmp_'))
}

test('what is too large is not fetched to its end', async (t) => {
  const { raw, propose, bring, store } = await start(t, { packBytes: 1_000_000 })
  propose(raw.commit([{ mode: '100644', name: 'large', oid: raw.blob(randomBytes(5_000_000)) }]))
  t.match(await bring(), {
    outcome: 'refused',
    code: 'too-large',
    detail: /1000000 bytes packed are the most/,
  })
  t.same(halfPacks(store), [])
  const small = raw.commit([{ mode: '100644', name: 'small', oid: raw.blob('small') }])
  propose(small)
  t.same(await bring(), { outcome: 'brought', head: small }, 'and the next one is')
})

test('what unpacks to much more is taken in without being unpacked into memory', async (t) => {
  const { raw, propose, bring, store } = await start(t, { memoryBytes: 200 * 1024 * 1024 })
  // The server's side runs here too, and within the same limits.
  raw.git(['config', 'core.bigFileThreshold', '1m'])
  const head = raw.commit([{ mode: '100644', name: 'bomb', oid: raw.blob(Buffer.alloc(400 * 1024 * 1024)) }])
  propose(head)
  t.same(await bring(), { outcome: 'brought', head })
  const memory = process.memoryUsage().rss
  let seen: Uint8Array | undefined | null = null
  const entries = await store.objects.tree((await store.objects.commit(head)).tree)
  await store.objects.blobs(
    entries.filter(({ name }) => name === 'bomb').map(({ oid }) => oid),
    1_000,
    (_, content) => {
      seen = content
    },
  )
  t.equal(seen, undefined)
  t.ok(process.memoryUsage().rss - memory < 100 * 1024 * 1024)
})

test('no other way is taken than the one of the url', async (t) => {
  const mark = join(t.testdirName, 'executed')
  const { bring } = await start(t, {}, { url: `ext::sh -c touch% ${mark}` })
  await t.rejects(bring(), { code: 'remote-unavailable' })
  t.notOk(existsSync(mark))
})

test('a store that is damaged is made again', async (t) => {
  const { raw, propose, folder, clone, store } = await start(t)
  const head = raw.commit([])
  propose(head)
  await store.close()
  rmSync(join(store.gitDirectory, 'HEAD'))
  const again = await openHeadStore({
    directory: store.gitDirectory,
    mainDirectory: clone,
    limits: REVIEW_LIMITS,
    remote: {
      url: `file://${join(folder, 'origin.git')}`,
      environment: async () => ({}),
      redact: (text) => text,
      failure: () => undefined,
    },
  })
  t.same(await again.bring(7, HEAD, NOWHERE), { outcome: 'brought', head })
  await again.close()
})
