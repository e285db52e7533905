import { test } from 'tap'
import { type ReviewLimits, REVIEW_LIMITS } from '../../../src/git/review/limits.ts'
import { creation, importCluster, requestContext } from '../../support/git-writer.ts'
import { type HostileCommits, hostileCommits, type RawEntry } from '../../support/hostile-commits.ts'
import { type ReviewedFleet, startReviews } from '../../support/reviews.ts'

const FILE = '100644'
const FOLDER = '40000'

async function start(
  t: Parameters<typeof startReviews>[0],
  limits: Partial<ReviewLimits> = {},
): Promise<ReviewedFleet & { readonly raw: HostileCommits }> {
  const fleet = await startReviews(t, {}, { ...REVIEW_LIMITS, ...limits })
  await fleet.writer.submit(importCluster('prod-1', 1), requestContext(0))
  await fleet.writer.submit(creation(1), requestContext(1))
  return { ...fleet, raw: hostileCommits(fleet.directory) }
}

type Build = (raw: HostileCommits) => readonly RawEntry[]

const named =
  (name: string | Uint8Array, mode = FILE): Build =>
  (raw) => [{ mode, name, oid: raw.blob('text\n') }]

/** In a folder of its own. */
const inside =
  (folder: string, build: Build): Build =>
  (raw) => [{ mode: FOLDER, name: folder, oid: raw.sortedTree(build(raw)) }]

const CASES: readonly (readonly [
  string,
  Build,
  { readonly path: RegExp | string; readonly code: string; readonly detail: RegExp },
])[] = [
  [
    'a symbolic link',
    named('link', '120000'),
    { path: 'link', code: 'not-a-file', detail: /a symbolic link stands/ },
  ],
  [
    'a symbolic link in place of the folder of clusters',
    named('clusters', '120000'),
    { path: 'clusters', code: 'not-a-file', detail: /a symbolic link stands/ },
  ],
  [
    'a submodule',
    () => [{ mode: '160000', name: 'module', oid: '1'.repeat(40) }],
    { path: 'module', code: 'not-a-file', detail: /a submodule stands/ },
  ],
  [
    'an odd mode',
    named('odd', '100666'),
    { path: 'odd', code: 'not-a-file', detail: /an entry of mode 100666/ },
  ],
  [
    'an executable document',
    inside('requests', named('a.yaml', '100755')),
    { path: 'requests/a.yaml', code: 'not-a-file', detail: /an executable file/ },
  ],
  [
    '.gitattributes',
    named('.gitattributes'),
    { path: '.gitattributes', code: 'misleading-name', detail: /git itself/ },
  ],
  [
    '.gitmodules',
    named('.GitModules'),
    { path: '.GitModules', code: 'misleading-name', detail: /git itself/ },
  ],
  [
    'a repository',
    inside('docs', named('.git')),
    { path: 'docs/.git', code: 'misleading-name', detail: /git itself/ },
  ],
  [
    'its short name on Windows',
    named('GIT~1'),
    { path: 'GIT~1', code: 'misleading-name', detail: /git itself/ },
  ],
  [
    'its name with an invisible letter',
    named('.g\u200cit'),
    { path: '.g\\u{200c}it', code: 'misleading-name', detail: /invisible character U\+200C/ },
  ],
  ['a name of a dot', named('.'), { path: '.', code: 'misleading-name', detail: /is "\."/ }],
  [
    'a name of two dots',
    inside('docs', named('..')),
    { path: 'docs/..', code: 'misleading-name', detail: /is "\.\."/ },
  ],
  ['an empty name', named(''), { path: '.', code: 'misleading-name', detail: /is ""/ }],
  [
    'a name that is a path',
    named('../../etc/passwd'),
    { path: '../../etc/passwd', code: 'misleading-name', detail: /slash or backslash/ },
  ],
  ['a backslash', named('a\\b'), { path: 'a\\b', code: 'misleading-name', detail: /slash or backslash/ }],
  [
    'a line feed',
    named('a\nb'),
    { path: 'a\\u{a}b', code: 'misleading-name', detail: /control character U\+000A/ },
  ],
  [
    'letters from right to left',
    named('a\u202eyaml.b'),
    { path: 'a\\u{202e}yaml.b', code: 'misleading-name', detail: /invisible character U\+202E/ },
  ],
  [
    'a space at the end',
    named('a '),
    { path: 'a ', code: 'misleading-name', detail: /ends in a space or dot/ },
  ],
  [
    'a dot at the end',
    named('a.'),
    { path: 'a.', code: 'misleading-name', detail: /ends in a space or dot/ },
  ],
  [
    'a device of Windows',
    named('Con.yaml'),
    { path: 'Con.yaml', code: 'misleading-name', detail: /Windows cannot/ },
  ],
  ['a stream of Windows', named('a:b'), { path: 'a:b', code: 'misleading-name', detail: /Windows cannot/ }],
  [
    'an accent in two characters',
    named('cafe\u0301'),
    { path: 'cafe\u0301', code: 'misleading-name', detail: /write it as "café"/ },
  ],
  [
    'wide letters',
    named('ｆleet.yaml'),
    { path: 'ｆleet.yaml', code: 'misleading-name', detail: /write it as "fleet\.yaml"/ },
  ],
  [
    'mixed scripts',
    named('rеadme'),
    { path: 'rеadme', code: 'misleading-name', detail: /mixes letters of several scripts/ },
  ],
  [
    'another case of a folder',
    inside('Groups', named('a.yaml')),
    { path: 'Groups', code: 'misleading-name', detail: /easily taken for groups/ },
  ],
  [
    'another case of a neighbour',
    named('Fleet.yaml'),
    { path: 'Fleet.yaml', code: 'misleading-name', detail: /taken for fleet\.yaml/ },
  ],
  [
    'two names of one case',
    inside('docs', (raw) => [...named('Plan.md')(raw), ...named('plan.md')(raw)]),
    { path: /^docs\/[Pp]lan\.md$/, code: 'misleading-name', detail: /take it for "[Pp]lan\.md"/ },
  ],
  [
    'a look-alike of a neighbour',
    inside('docs', (raw) => [...named('аре')(raw), ...named('ape')(raw)]),
    { path: /^docs\//, code: 'misleading-name', detail: /take it for/ },
  ],
  [
    'a letter that no slug has',
    inside('requests', named('ü.yaml')),
    { path: 'requests/ü.yaml', code: 'misleading-name', detail: /letters a to z/ },
  ],
  [
    'a name that is no UTF-8',
    named(Uint8Array.of(0x61, 0xe9)),
    { path: '.', code: 'malformed-tree', detail: /not valid UTF-8/ },
  ],
  [
    'a long name',
    named('x'.repeat(250)),
    { path: /^x{150}…|^x+$/, code: 'path-too-long', detail: /use shorter names/ },
  ],
  [
    'content that is not there',
    () => [{ mode: FILE, name: 'lost', oid: '2'.repeat(40) }],
    { path: 'lost', code: 'malformed-tree', detail: /its content is missing/ },
  ],
  [
    'a folder for a file',
    (raw) => [{ mode: FILE, name: 'file', oid: raw.tree([]) }],
    { path: 'file', code: 'malformed-tree', detail: /its content is missing/ },
  ],
  [
    'a file for a folder',
    (raw) => [{ mode: FOLDER, name: 'folder', oid: raw.blob('text') }],
    { path: 'folder', code: 'malformed-tree', detail: /a folder of it is missing/ },
  ],
  [
    'a large file',
    (raw) => [{ mode: FILE, name: 'large', oid: raw.blob(Buffer.alloc(3_000_000)) }],
    { path: 'large', code: 'too-large', detail: /3000000 bytes; 2097152 are the most/ },
  ],
  [
    'a large document',
    inside('requests', (raw) => [{ mode: FILE, name: 'a.yaml', oid: raw.blob('#'.repeat(1_100_000)) }]),
    { path: 'requests/a.yaml', code: 'too-large', detail: /1100000 bytes/ },
  ],
]

test('what somebody hides in a tree is refused with the reason, before any document is read', async (t) => {
  const { raw, plan, main } = await start(t)
  const before = await main()
  for (const [name, build, expected] of CASES) {
    const found = await plan(raw.commit(build(raw)))
    t.match(found.problems, [expected], name)
    t.equal(found.problems.length, 1, `${name}: one problem`)
    t.same([found.objects, found.placements], [[], []], `${name}: nothing is decided`)
  }
  t.equal(await main(), before)
})

test('a tree that git would not write is refused', async (t) => {
  const { raw, plan } = await start(t)
  const oid = raw.blob('text\n')
  const twice = raw.commit(
    [
      { mode: FILE, name: 'zz', oid },
      { mode: FILE, name: 'zz', oid },
    ],
    'as-given',
  )
  t.match((await plan(twice)).problems, [
    { path: '.', code: 'malformed-tree', detail: /twice or out of order/ },
  ])
  const folder = raw.sortedTree([{ mode: FILE, name: 'a', oid }])
  const both = raw.commit([
    { mode: FILE, name: 'zz', oid },
    { mode: FOLDER, name: 'zz', oid: folder },
  ])
  t.match((await plan(both)).problems, [
    { code: 'malformed-tree', detail: /a file and a folder of one name/ },
  ])
  const garbage = raw.git(['hash-object', '-t', 'tree', '-w', '--literally', '--stdin'], 'nonsense')
  t.match((await plan(raw.commit([{ mode: FOLDER, name: 'x', oid: garbage }]))).problems, [
    { path: 'x', code: 'malformed-tree', detail: /no tree that git would write/ },
  ])
})

test('a clash with a name that main has got since is seen', async (t) => {
  const { raw, plan, repository, propose, merge } = await start(t)
  const branched = raw.commit([{ mode: FILE, name: 'Notes.md', oid: raw.blob('mine\n') }])
  t.same((await plan(branched)).problems, [])
  await merge(await propose({ 'notes.md': 'theirs\n' }))
  t.match((await plan(branched)).problems, [
    { path: 'Notes.md', code: 'misleading-name', detail: /take it for "notes\.md"/ },
  ])
  t.ok(await repository.tip('refs/heads/main'))
})

test("what has been on main before is nobody's fault", async (t) => {
  const { raw, plan, repository, writer } = await start(t)
  const odd = raw.commit([{ mode: FILE, name: 'Con.txt', oid: raw.blob('old\n') }])
  await repository.move('refs/heads/main', odd)
  await writer.poll()
  t.same((await plan(raw.commit([{ mode: FILE, name: 'Con.txt', oid: raw.blob('new\n') }]))).problems, [])
})

test('bombs cost what the limits allow', async (t) => {
  const limits = { files: 300, folders: 500, entries: 5_000, depth: 8 }
  const { raw, plan } = await start(t, limits)
  const nested = (mode: string, oid: string, wide: number, deep: number): string => {
    const entries = Array.from({ length: wide }, (_, at) => ({ mode, name: `n${at}`, oid }))
    const tree = raw.sortedTree(entries)
    return deep <= 1 ? tree : nested(FOLDER, tree, wide, deep - 1)
  }
  const top = (oid: string): readonly RawEntry[] => [{ mode: FOLDER, name: 'bomb', oid }]
  const blob = raw.blob('text\n')
  const empty = raw.tree([])
  const cases = [
    ['wide and deep: 10^7 files', nested(FILE, blob, 10, 7), 'too-many-changes', /more than 300 files/],
    [
      'folders without files: 10^7',
      nested(FOLDER, empty, 10, 7),
      'too-many-changes',
      /more than 500 folders/,
    ],
    ['many names', nested(FILE, blob, 6_000, 1), 'too-many-changes', /more than 5000 entries/],
    ['deep', nested(FILE, blob, 1, 100), 'too-deep', /deeper than 8/],
  ] as const
  const memory = process.memoryUsage().rss
  for (const [name, tree, code, detail] of cases) {
    const started = performance.now()
    const { problems } = await plan(raw.commit(top(tree)))
    t.match(problems, [{ code, detail }], name)
    t.ok(performance.now() - started < 20_000, `${name}: ends soon`)
  }
  t.ok(process.memoryUsage().rss - memory < 200 * 1024 * 1024, 'memory stays bounded')
})

test('removing the whole fleet is too many changes at once, or refused document by document', async (t) => {
  const { plan, raw } = await start(t, { files: 3 })
  t.match((await plan(raw.commitTree(raw.tree([]), [raw.git(['rev-parse', 'main'])]))).problems, [
    { code: 'too-many-changes', detail: /more than 3 files differ/ },
  ])
})

test("long histories, and those that are not main's, are refused", async (t) => {
  const { raw, plan } = await start(t, { commits: 20 })
  const main = raw.git(['rev-parse', 'main'])
  let tip = main
  for (let at = 0; at < 21; at += 1) tip = raw.commitTree(`${main}^{tree}`, [tip])
  t.match((await plan(tip as never)).problems, [
    { path: '.', code: 'too-many-changes', detail: /more than 20 commits/ },
  ])
  t.match((await plan(raw.commitTree(`${main}^{tree}`, []))).problems, [
    { path: '.', code: 'unrelated-history', detail: /branch off main/ },
  ])
})

test('of many problems the first are told, and how many more there are', async (t) => {
  const { plan, propose } = await start(t)
  const files = Object.fromEntries(
    Array.from({ length: 130 }, (_, at) => [`requests/r${at}.yaml`, 'kind: Nothing\n']),
  )
  const { problems } = await plan(await propose(files))
  t.equal(problems.length, 101)
  t.match(problems.at(-1), { code: 'more', detail: /^and \d+ more problems/ })
})
