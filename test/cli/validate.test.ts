import { readFile, symlink, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'tap'
import { fleetwright, runHere } from '../support/command-line.ts'
import { ACME, ACME_FOLDER, GLOBEX_FOLDER, write, writeFleet } from '../support/fleet-folder.ts'

const REQUEST =
  'apiVersion: fleet.fleetwright.dev/v1\nkind: InstallationRequest\nmetadata:\n  name: NAME\nspec:\n  owner: o\n'

test('a valid fleet has no problems, in text and as JSON', async (t) => {
  const folder = t.testdir({})
  await writeFleet(folder)
  await write(folder, 'README.md', '# Fleet\n')
  const text = await fleetwright(['validate', folder])
  t.match(text, { code: 0, stdout: '5 documents, no problems\n', stderr: '' })
  const json = await fleetwright(['validate', '--json'], { cwd: folder })
  t.equal(json.code, 0)
  t.same(JSON.parse(json.stdout), { documents: 5, problems: [] })
})

type Break = (folder: string) => Promise<void>

async function edit(folder: string, path: string, from: string | RegExp, to: string): Promise<void> {
  const text = await readFile(join(folder, path), 'utf8')
  await write(folder, path, text.replace(from, to))
}

/** What is done to the fleet, and the lines that must come of it. */
const BROKEN: readonly (readonly [string, Break, readonly RegExp[]])[] = [
  [
    'an unknown key',
    (folder) => edit(folder, 'groups/canary.yaml', 'maxRolling', 'maxRoling'),
    [
      /^groups\/canary\.yaml:\d+:1: the key maxRolling is missing; add it/,
      /^groups\/canary\.yaml:\d+:3: the key maxRoling is not known; did you mean maxRolling\?/,
    ],
  ],
  [
    'YAML that is none',
    (folder) => write(folder, 'groups/canary.yaml', 'apiVersion: [\n'),
    [/^groups\/canary\.yaml:\d+:\d+: this is not valid YAML/],
  ],
  [
    'a DNS name twice',
    (folder) =>
      edit(
        folder,
        `${GLOBEX_FOLDER}/installation.yaml`,
        'name: globex.cloud.example.com',
        'name: ACME.cloud.example.com',
      ),
    [
      /installation\.yaml:\d+:\d+: .*(acme|ACME)\.cloud\.example\.com is in use by installation (acme|globex)/,
    ],
  ],
  [
    'an installation name twice',
    (folder) => edit(folder, `${GLOBEX_FOLDER}/installation.yaml`, 'name: globex\n', 'name: acme\n'),
    [/installation\.yaml:4:3: the name acme is in use by installation/],
  ],
  [
    'a group that is not there',
    (folder) => edit(folder, `${ACME_FOLDER}/installation.yaml`, 'group: canary', 'group: canari'),
    [new RegExp(`^${ACME_FOLDER}/installation\\.yaml:\\d+:3: there is no group canari; name one of groups/`)],
  ],
  [
    'the folder of another cluster',
    (folder) =>
      edit(
        folder,
        `${ACME_FOLDER}/installation.yaml`,
        /placement:\n {4}cluster: prod-1/,
        'placement:\n    cluster: prod-2',
      ),
    [/installation\.yaml:\d+:5: the folder is not of cluster prod-2; name the cluster of the folder/],
  ],
  [
    'an id in two documents',
    async (folder) => {
      const text = await readFile(join(folder, `${ACME_FOLDER}/installation.yaml`), 'utf8')
      await write(
        folder,
        'clusters/prod-2/cluster.yaml',
        (await readFile(join(folder, 'clusters/prod-1/cluster.yaml'), 'utf8'))
          .replace('prod-1', 'prod-2')
          .replace(/id: .*/, 'id: yyyyyyyyyyyyyyyyyyyyyyyyyy'),
      )
      await write(
        folder,
        `clusters/prod-2/installations/${ACME.slice(0, 1)}/${ACME}/installation.yaml`,
        text.replaceAll('prod-1', 'prod-2'),
      )
    },
    [new RegExp(`installation\\.yaml:5:3: the id ${ACME} belongs to clusters/prod-1/`)],
  ],
  [
    'a cluster that is not valid is one problem, not one for each installation',
    (folder) =>
      edit(folder, 'clusters/prod-1/cluster.yaml', 'allowInstallations: true', 'allowInstallations: maybe'),
    [/^clusters\/prod-1\/cluster\.yaml:\d+:\d+: .*/],
  ],
  [
    'requests that would be refused',
    async (folder) => {
      await write(folder, 'requests/a.yaml', REQUEST.replace('NAME', 'acme'))
      await write(folder, 'requests/b.yaml', `${REQUEST.replace('NAME', 'new')}  group: nope\n`)
    },
    [
      /^requests\/a\.yaml:\d+:\d+: the DNS name acme\.cloud\.example\.com is in use/,
      /^requests\/b\.yaml:7:3: there is no group nope/,
    ],
  ],
  [
    'a secret in a document',
    (folder) =>
      edit(
        folder,
        'groups/canary.yaml',
        /$/,
        '  env:\n    MM_EMAILSETTINGS_SMTPPASSWORD:\n      value: hunter2hunter2\n',
      ),
    [/^groups\/canary\.yaml:\d+:\d+: .*secret/i],
  ],
  [
    'links and stray files',
    async (folder) => {
      await symlink('/etc/hostname', join(folder, 'groups/stable.yaml'))
      await symlink('/etc', join(folder, 'databases'))
      await symlink(join(folder, 'nowhere'), join(folder, 'README.md'))
      await write(folder, 'groups/beta.yml', 'x: 1\n')
    },
    [
      /^databases:1:1: a symbolic link stands where folders and documents belong/,
      /^groups\/beta\.yml:1:1: nothing reads this file; name it groups\/beta\.yaml/,
      /^groups\/stable\.yaml:1:1: a symbolic link stands where a document belongs/,
    ],
  ],
]

for (const [what, breakIt, expected] of BROKEN)
  test(`every problem has its place and what would be right: ${what}`, async (t) => {
    const folder = t.testdir({})
    await writeFleet(folder)
    await breakIt(folder)
    const { code, stdout } = await runHere(['validate', folder])
    t.equal(code, 1)
    const lines = stdout.trimEnd().split('\n').slice(0, -1)
    t.equal(lines.length, expected.length, stdout)
    for (const [at, line] of expected.entries()) t.match(lines[at] ?? '', line)
    for (const line of lines) t.match(line, /^[^:]+:[1-9]\d*:[1-9]\d*: \S.*$/)
  })

test('without a valid fleet.yaml its own problems are said', async (t) => {
  const folder = t.testdir({})
  await writeFleet(folder)
  await edit(folder, 'fleet.yaml', 'engine: argocd', 'engine: argo')
  t.match(await fleetwright(['validate', folder]), { code: 1, stderr: /\nfleet\.yaml:\d+:3: .*argocd/ })
})

test('render writes what is missing, different or left over, and nothing through a link', async (t) => {
  const folder = t.testdir({})
  await writeFleet(folder)
  t.match(await fleetwright(['render', '--check', folder]), { code: 0 })
  const manifest = `${GLOBEX_FOLDER}/manifest.yaml`
  const before = await readFile(join(folder, manifest), 'utf8')
  await edit(folder, manifest, 'replicas: 1', 'replicas: 7')
  await unlink(join(folder, `${ACME_FOLDER}/manifest.yaml`))
  await write(folder, `clusters/prod-1/installations/y/${'y'.repeat(26)}/manifest.yaml`, 'a: b\n')
  const checked = await fleetwright(['render', '--check', '--json', folder])
  t.equal(checked.code, 1)
  const { differences } = JSON.parse(checked.stdout)
  t.same(differences.map(({ change }: { change: string }) => change).sort(), [
    'different',
    'extra',
    'missing',
  ])
  const line = before.split('\n').findIndex((text) => text.includes('replicas: 1')) + 1
  t.match(
    (await fleetwright(['render', '--check', folder])).stdout,
    `${manifest}:${line}:1: is not what its document renders to`,
  )
  t.match(await fleetwright(['render', folder]), { code: 0 })
  t.equal(await readFile(join(folder, manifest), 'utf8'), before)
  t.match(await fleetwright(['render', '--check', folder]), { code: 0 })

  const outside = join(t.testdirName, 'outside.yaml')
  await write(t.testdirName, 'outside.yaml', 'mine\n')
  await unlink(join(folder, manifest))
  await symlink(outside, join(folder, manifest))
  const refused = await fleetwright(['render', folder])
  t.equal(refused.code, 1)
  t.match(refused.stderr, `${manifest}:1:1: a symbolic link stands where`)
  t.equal(await readFile(outside, 'utf8'), 'mine\n')
})
