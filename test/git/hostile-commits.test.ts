import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type Test, test } from 'tap'
import { createDocuments } from '../../src/fleet/documents.ts'
import { clusterPath, groupPath, installationPath, manifestPath } from '../../src/fleet/paths.ts'
import type { FleetWriter } from '../../src/ports/writer.ts'
import { creation, embeddedWriter, requestContext } from '../support/git-writer.ts'
import { cluster, group, id, installation } from '../support/intents.ts'

const documents = createDocuments()

interface Bench {
  readonly writer: FleetWriter
  readonly directory: string
  /** Commits what `change` does to a work tree, as a person with native git. */
  commit(message: string, change: (work: string, git: Git) => Promise<unknown>): Promise<void>
  git: Git
}
type Git = (...args: readonly string[]) => string

async function start(t: Test): Promise<Bench> {
  const folder = await mkdtemp(join(tmpdir(), 'fleetwright-'))
  const directory = join(folder, 'fleet.git')
  const writer = await embeddedWriter(directory)
  t.teardown(async () => {
    await writer.close()
    await rm(folder, { recursive: true, force: true })
  })
  await writer.submit(
    () => ({
      changes: [{ path: clusterPath('prod-1'), before: undefined, after: cluster('prod-1', 500) }],
      text: { subject: 'Import cluster prod-1', trailers: {} },
      value: undefined,
    }),
    requestContext(0),
  )
  await writer.submit(creation(1), requestContext(1))
  return {
    writer,
    directory,
    git: (...args) => execFileSync('git', ['--git-dir', directory, ...args], { encoding: 'utf8' }),
    async commit(message, change) {
      const work = await mkdtemp(join(folder, 'work-'))
      execFileSync('git', ['clone', '--quiet', directory, work])
      const git: Git = (...args) =>
        execFileSync(
          'git',
          ['-C', work, '-c', 'user.name=Grace', '-c', 'user.email=grace@example.com', ...args],
          {
            encoding: 'utf8',
          },
        )
      await change(work, git)
      git('add', '-A')
      git('commit', '--quiet', '-m', message)
      git('push', '--quiet', 'origin', 'HEAD:main')
    },
  }
}

async function put(work: string, path: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(join(work, path)), { recursive: true })
  await writeFile(join(work, path), content)
}

const REQUEST =
  'apiVersion: fleet.fleetwright.dev/v1\nkind: InstallationRequest\nmetadata:\n  name: good\nspec:\n  owner: grace\n'

test('what is no document is held with the reason, and everything else goes on', async (t) => {
  const { writer, commit } = await start(t)
  const fresh = documents.emit(group('canary', 600))
  await commit('Many oddities', async (work, git) => {
    await put(work, 'requests/good.yaml', REQUEST)
    await mkdir(join(work, 'groups'), { recursive: true })
    await symlink('/etc/passwd', join(work, 'groups/link.yaml'))
    // git add keeps a submodule only where a folder is.
    await mkdir(join(work, 'databases/module.yaml'), { recursive: true })
    git('update-index', '--add', '--cacheinfo', `160000,${'1'.repeat(40)},databases/module.yaml`)
    await put(work, 'requests/huge.yaml', 'x'.repeat(3_000_000))
    await put(work, 'requests/latin.yaml', Uint8Array.of(0x61, 0x3a, 0x20, 0xe9, 0x0a))
    await put(work, 'requests/wide.yaml', Buffer.from(`\ufeff${REQUEST}`, 'utf16le'))
    await put(work, 'requests/marked.yaml', `\ufeff${REQUEST}`)
    await put(work, 'requests/control.yaml', `${REQUEST}# \u0007\n`)
    await put(work, 'requests/deep.yaml', '['.repeat(200_000))
    await put(work, 'Groups/canary.yaml', fresh)
    await put(work, 'groups/other.yaml', fresh)
    await put(
      work,
      `clusters/prod-1/installations/x/${id(9)}/installation.yaml`,
      documents.emit(installation('wrong', 9, { placement: { cluster: 'prod-1' } })),
    )
  })
  await writer.poll()
  const told = Object.fromEntries(writer.problems().map(({ path, detail }) => [path, detail]))
  t.match(told, {
    'groups/link.yaml': /a symbolic link stands where a document belongs/,
    'databases/module.yaml': /a submodule stands where a document belongs/,
    'requests/huge.yaml': /more than \d+ bytes/,
    'requests/latin.yaml': /not valid UTF-8/,
    'requests/wide.yaml': /not valid UTF-8|control character/,
    'requests/marked.yaml': /byte order mark/,
    'requests/control.yaml': /control character U\+0007/,
    'requests/deep.yaml': /nests deeper/,
    'Groups/canary.yaml': /this file does not count; .* rename it to groups\/canary\.yaml/,
    'groups/other.yaml': /this is canary, but the file is named other/,
    [`clusters/prod-1/installations/x/${id(9)}/installation.yaml`]: /the folder of \w+ is installations\//,
  })
  for (const problem of writer.problems()) t.match(problem.author, /Grace/, problem.path)
  await writer.submit(creation(2), requestContext(2))
  t.equal(writer.fleet.installationByName('good')?.spec.placement?.cluster, 'prod-1')
})

test('a link where a folder was gives way to what has to be written', async (t) => {
  const { writer, commit, git } = await start(t)
  const shard = dirname(dirname(installationPath('prod-1', id(1))))
  await commit('Replace a shard', async (work) => {
    await rm(join(work, shard), { recursive: true })
    await symlink('/tmp', join(work, shard))
  })
  await writer.poll()
  await writer.submit(creation(33), requestContext(33))
  t.equal(git('cat-file', '-t', `main:${installationPath('prod-1', id(1))}`).trim(), 'blob')
  t.equal(git('cat-file', '-t', `main:${manifestPath('prod-1', id(1))}`).trim(), 'blob')
  t.equal(git('fsck', '--strict', '--no-dangling'), '')
})

test('a document that must not go is restored as it was, before any request is written', async (t) => {
  const { writer, commit, git, directory } = await start(t)
  const path = installationPath('prod-1', id(1))
  const commented = `# Ask Ada first.\n${git('show', `main:${path}`)}`
  await commit('Comment', (work) => put(work, path, commented))
  await writer.poll()
  await commit('Remove everything', async (work) => {
    await rm(join(work, 'clusters'), { recursive: true })
    await rm(join(work, 'fleet.yaml'))
    await put(work, 'README.md', 'empty\n')
  })
  await writer.submit(creation(2), requestContext(2))
  t.equal(git('show', `main:${path}`), commented)
  t.match(git('show', 'main:fleet.yaml'), /^apiVersion/)
  const subjects = git('log', '--format=%s', 'main').split('\n')
  t.match(subjects[0], /Create installation acme-2/)
  t.match(subjects[1], /Restore 3 documents that must not be removed/)
  t.match(
    git('log', '-1', '--skip=1', '--format=%b', 'main'),
    /Restores clusters\/prod-1\/cluster\.yaml, removed by Grace in \w{12}: 1 installation uses/,
  )
  t.same(writer.problems(), [])
  await writer.close()
  const again = await embeddedWriter(directory)
  t.equal(again.fleet.installations().length, 2, 'and after a restart it is still there')
  await again.close()
})

test('a fleet whose settings were removed while nobody ran is not started anew', async (t) => {
  const { writer, commit, git, directory } = await start(t)
  const settings = git('show', 'main:fleet.yaml')
  await writer.close()
  await commit('Remove the settings', (work) => rm(join(work, 'fleet.yaml')))
  const again = await embeddedWriter(directory)
  await again.submit(creation(2), requestContext(2))
  t.equal(git('show', 'main:fleet.yaml'), settings)
  t.equal(again.fleet.installations().length, 2)
  await again.close()
})

test('a held document counts as soon as what it needs is there', async (t) => {
  const { writer, commit, git } = await start(t)
  const path = installationPath('prod-1', id(1))
  const member = git('show', `main:${path}`).replace('owner: owner', 'owner: owner\n  group: canary')
  await commit('Join a group that is not there', (work) => put(work, path, member))
  await writer.poll()
  t.match(writer.problems(), [{ path, detail: /there is no group canary/ }])
  await commit('Add the group', (work) =>
    put(work, groupPath('canary'), documents.emit(group('canary', 600))),
  )
  await writer.poll()
  t.same(writer.problems(), [])
  t.equal(writer.fleet.installation(id(1))?.spec.group, 'canary')
})

test('a cluster that is not valid counts as it last was, also after a restart', async (t) => {
  const { writer, commit, directory } = await start(t)
  await commit('Break the cluster', (work) => put(work, clusterPath('prod-1'), 'kind: Cluster\n'))
  await writer.poll()
  await writer.submit(creation(2), requestContext(2))
  await writer.close()
  const again = await embeddedWriter(directory)
  t.same(
    [...new Set(again.problems().map(({ path }) => path))],
    [clusterPath('prod-1')],
    'its installations are fine',
  )
  t.equal(again.fleet.installations().length, 2)
  await again.close()
})

test('a manifest of an installation that does not exist is taken away', async (t) => {
  const { writer, commit, git } = await start(t)
  const path = manifestPath('prod-1', id(77))
  await commit('Smuggle', (work) => put(work, path, 'kind: Secret\n'))
  await writer.poll()
  await writer.submit(creation(2), requestContext(2))
  t.notMatch(git('ls-tree', '-r', '--name-only', 'main'), path)
})
