import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Test, test } from 'tap'
import { createDocuments } from '../../src/fleet/documents.ts'
import { isFleetError } from '../../src/fleet/errors.ts'
import { clusterPath, installationPath, manifestPath } from '../../src/fleet/paths.ts'
import { lockInstallation } from '../../src/fleet/transactions/installations/lifecycle.ts'
import type { HeadChange } from '../../src/ports/writer.ts'
import {
  creation,
  embeddedWriter,
  type HomeKind,
  importCluster,
  requestContext,
  type StartedWriter,
  startWriter,
} from '../support/git-writer.ts'
import { cluster, id } from '../support/intents.ts'
import { commitAs, git } from '../support/person.ts'
import { until } from '../support/until.ts'

const documents = createDocuments()

async function start(t: Test, kind: HomeKind): Promise<StartedWriter> {
  const started = await startWriter(t, kind)
  await started.writer.submit(importCluster('prod-1', 500), requestContext(0))
  return started
}

function testWriter(kind: HomeKind): void {
  test(`${kind}: requests that wait together are one commit each, and the projection is the subtree of main`, async (t) => {
    const { writer, directory } = await start(t, kind)
    const done = await Promise.all(
      Array.from({ length: 20 }, (_, at) => writer.submit(creation(at + 1), requestContext(at + 1))),
    )
    t.equal(new Set(done.map(({ commit }) => commit)).size, 20)
    t.equal(git(directory, 'rev-parse', 'main').trim(), done.at(-1)?.commit)
    const [subject, , trailers] = git(directory, 'log', '-1', '--format=%B', 'main').split('\n\n')
    t.equal(subject, 'Create installation acme-20 on prod-1')
    t.match(
      trailers,
      /Installation: \w{26}\nCluster: \w{26}\nRequest-Id: request-20\nActor: Ada <ada@example.com>/,
    )
    t.equal(
      git(directory, 'rev-parse', 'main:clusters/prod-1'),
      git(directory, 'rev-parse', 'cluster/prod-1^{tree}'),
    )
    t.equal(git(directory, 'fsck', '--strict', '--no-dangling'), '')
  })

  test(`${kind}: a request that breaks a rule is refused alone`, async (t) => {
    const { writer } = await start(t, kind)
    const results = await Promise.allSettled([
      writer.submit(creation(1, 'acme'), requestContext(1)),
      writer.submit(creation(2, 'acme'), requestContext(2)),
      writer.submit(creation(3, 'other'), requestContext(3)),
    ])
    t.same(
      results.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    )
    const [, refused] = results
    t.equal(
      refused?.status === 'rejected' && isFleetError(refused.reason) && refused.reason.code,
      'dns-taken',
    )
    t.equal(writer.fleet.installations().length, 2)
  })

  test(`${kind}: a request that a person commits becomes a placed installation, and an invalid one is reported alone`, async (t) => {
    const { writer, directory, folder } = await start(t, kind)
    const head = 'apiVersion: fleet.fleetwright.dev/v1\nkind: InstallationRequest\nmetadata:\n  name: '
    await commitAs(
      directory,
      folder,
      {
        'requests/good.yaml': `${head}good\nspec:\n  owner: grace\n`,
        'requests/bad.yaml': `${head}bad\nspec:\n  ownr: grace\n`,
      },
      'Ask for two workspaces',
    )
    await writer.poll()
    await writer.submit(creation(9), requestContext(9))
    const placed = writer.fleet.installationByName('good')
    t.equal(placed?.spec.placement?.cluster, 'prod-1')
    t.match(git(directory, 'log', '--format=%an: %s', 'main'), /Grace: Create installation good on prod-1/)
    const problems = writer.problems()
    t.match(
      problems.map(
        ({ path, line, column, author, detail }) => `${path}:${line}:${column} ${author} ${detail}`,
      ),
      [
        /requests\/bad\.yaml:5:1 Grace <grace@example.com> the key owner is missing/,
        /requests\/bad\.yaml:6:3 Grace .* did you mean owner\?/,
      ],
    )
    t.notMatch(git(directory, 'ls-tree', '-r', '--name-only', 'main'), /requests\/good/)
  })

  test(`${kind}: a lost race runs the requests again on what the other one pushed`, async (t) => {
    const { writer, directory, folder } = await start(t, kind)
    await commitAs(directory, folder, { 'README.md': 'Our fleet\n' }, 'Explain')
    const { commit } = await writer.submit(creation(1), requestContext(1))
    t.match(git(directory, 'log', '--format=%s', 'main'), /^Create installation acme-1 on prod-1\nExplain\n/)
    t.equal(git(directory, 'rev-parse', 'main').trim(), commit)
  })

  test(`${kind}: a document that breaks a rule is reported with its line and author, and what was valid stays`, async (t) => {
    const { writer, directory, folder } = await start(t, kind)
    await writer.submit(creation(1), requestContext(1))
    const path = installationPath('prod-1', id(1))
    const text = git(directory, 'show', `main:${path}`)
    await commitAs(
      directory,
      folder,
      { [path]: text.replace('owner: owner', 'owner: owner\n  group: nowhere') },
      'Move',
    )
    await writer.poll()
    t.match(writer.problems(), [
      { path, line: 9, column: 3, author: 'Grace <grace@example.com>', detail: /there is no group nowhere/ },
    ])
    t.equal(writer.fleet.installation(id(1))?.spec.group, undefined)
    await t.rejects(
      writer.submit(lockInstallation({ id: id(1), lock: 'apiLocked', locked: true }), requestContext(2)),
      { code: 'document-held' },
    )
  })

  test(`${kind}: comments in a document survive a change made through a transaction`, async (t) => {
    const { writer, directory, folder } = await start(t, kind)
    await commitAs(
      directory,
      folder,
      { [clusterPath('prod-1')]: `# Ours since 2024.\n${documents.emit(cluster('prod-1', 500))}` },
      'Comment',
    )
    await writer.poll()
    const path = clusterPath('prod-1')
    const before = cluster('prod-1', 500)
    await writer.submit(
      () => ({
        changes: [{ path, before, after: cluster('prod-1', 500, { allowInstallations: false }) }],
        text: { subject: 'Close prod-1', trailers: {} },
        value: undefined,
      }),
      requestContext(2),
    )
    const text = git(directory, 'show', `main:${path}`)
    t.match(text, /^# Ours since 2024\./)
    t.match(text, /allowInstallations: false/)
  })

  test(`${kind}: a plan says what would change and writes nothing`, async (t) => {
    const { writer, directory } = await start(t, kind)
    const before = git(directory, 'rev-parse', 'main')
    const plan = await writer.plan(creation(1), requestContext(1))
    t.equal(plan.subject, 'Create installation acme-1 on prod-1')
    t.same(
      plan.files.map(({ change }) => change),
      ['added', 'added'],
    )
    t.match(plan.diff, new RegExp(`\\+\\+\\+ b/${installationPath('prod-1', id(1))}`))
    t.equal(git(directory, 'rev-parse', 'main'), before)
    t.equal(writer.fleet.installations().length, 0)
  })

  test(`${kind}: a commit of a person from which nothing follows reaches the engines too, and they are told`, async (t) => {
    const { writer, directory, folder } = await start(t, kind)
    await writer.submit(creation(1), requestContext(1))
    const told: HeadChange[] = []
    writer.onChange((change) => told.push(change))
    const intent = installationPath('prod-1', id(1))
    const manifest = manifestPath('prod-1', id(1))
    const change = (path: string, from: string, to: string): string =>
      git(directory, 'show', `main:${path}`).replace(from, to)
    // As somebody does who rendered it before the commit.
    await commitAs(
      directory,
      folder,
      {
        [intent]: change(intent, '11.2.0', '11.3.0'),
        [manifest]: change(manifest, '11.2.0', '11.3.0'),
      },
      'Update acme-1',
    )
    await writer.poll()
    t.strictSame(writer.problems(), [])
    t.match(git(directory, 'log', '-1', '--format=%s', 'main'), /^Update acme-1$/m, 'nothing followed')
    const projected = git(directory, 'show', `cluster/prod-1:${manifest.slice('clusters/prod-1/'.length)}`)
    t.match(projected, /version: 11.3.0/)
    t.match(told, [
      { by: 'others', paths: [intent] },
      { by: 'others', changes: [], paths: [intent, manifest] },
    ])
    t.equal(told.at(-1)?.to, writer.head)
    told.splice(0)
    await writer.poll()
    t.strictSame(told, [], 'once')
  })

  test(`${kind}: what follows from a commit of a person takes the rest of the commit to the engines with it`, async (t) => {
    const { writer, directory, folder } = await start(t, kind)
    await writer.submit(creation(1), requestContext(1))
    await writer.submit(creation(2), requestContext(2))
    const told: HeadChange[] = []
    writer.onChange((change) => told.push(change))
    const version = (path: string): string =>
      git(directory, 'show', `main:${path}`).replace('11.2.0', '11.3.0')
    const [one, other] = [1, 2].map((number) => ({
      intent: installationPath('prod-1', id(number)),
      manifest: manifestPath('prod-1', id(number)),
    }))
    if (one === undefined || other === undefined) throw new Error('two were made')
    // Only the first one is complete.
    await commitAs(
      directory,
      folder,
      {
        [one.intent]: version(one.intent),
        [one.manifest]: version(one.manifest),
        [other.intent]: version(other.intent),
      },
      'Update both',
    )
    await writer.poll()
    const last = await until(
      async () => told.at(-1),
      (change) => change?.paths.includes(other.manifest) === true,
    )
    t.ok(last?.paths.includes(one.manifest), 'the engine of the first one is told as well')
    for (const { manifest } of [one, other])
      t.match(
        git(directory, 'show', `cluster/prod-1:${manifest.slice('clusters/prod-1/'.length)}`),
        /version: 11.3.0/,
      )
  })
}

testWriter('embedded')
testWriter('remote')

test('an installation is found again after a restart', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'fleetwright-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const first = await embeddedWriter(join(folder, 'fleet.git'))
  await first.submit(importCluster('prod-1', 500), requestContext(0))
  await first.submit(creation(1), requestContext(1, { idempotencyKey: 'once', requestDigest: 'digest' }))
  await first.close()
  const second = await embeddedWriter(join(folder, 'fleet.git'))
  t.equal(second.fleet.installation(id(1))?.metadata.name, 'acme-1')
  t.equal(second.findByIdempotencyKey('once')?.trailers.Installation, id(1))
  await second.close()
})
