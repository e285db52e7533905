import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Test, test } from 'tap'
import { createDocuments } from '../../src/fleet/documents.ts'
import { SHARDS } from '../../src/fleet/ids.ts'
import type { Cluster, EngineName, FleetSettings } from '../../src/fleet/intents.ts'
import { clusterPath, FLEET_PATH } from '../../src/fleet/paths.ts'
import { addCluster, annotateCluster } from '../../src/fleet/transactions/clusters/clusters.ts'
import { openEmbeddedHome } from '../../src/git/embedded/home.ts'
import type { FleetWriter } from '../../src/ports/writer.ts'
import { createRenderChanges } from '../../src/render/render.ts'
import { fleetwright } from '../support/command-line.ts'
import { creation, requestContext, writerOn } from '../support/git-writer.ts'
import { id, settings } from '../support/intents.ts'
import { commitAs, git } from '../support/person.ts'
import { templateSets } from '../support/templates.ts'

const documents = createDocuments()
const render = createRenderChanges(templateSets())
const UTILITIES = { nginx: { chart: '4.14.0' }, 'metrics-server': { chart: '3.12.1' } }

interface Fleet {
  readonly writer: FleetWriter
  readonly directory: string
  readonly folder: string
  tree(revision: string): string
  files(revision: string): readonly string[]
  /** Commits as a person, and waits until Fleetwright has followed. */
  commit(files: Readonly<Record<string, string | undefined>>): Promise<void>
  cluster(name: string): Cluster
}

async function start(t: Test, spec: Partial<FleetSettings['spec']> = {}): Promise<Fleet> {
  const folder = await mkdtemp(join(tmpdir(), 'fleetwright-'))
  const directory = join(folder, 'fleet.git')
  const first = { path: FLEET_PATH, text: documents.emit(settings({ utilities: UTILITIES, ...spec })) }
  const writer = await writerOn(await openEmbeddedHome(directory), { render, initialFiles: [first] })
  t.teardown(async () => {
    await writer.close()
    await rm(folder, { recursive: true, force: true })
  })
  let number = 9000
  return {
    writer,
    directory,
    folder,
    tree: (revision) => git(directory, 'rev-parse', revision).trim(),
    files: (revision) => git(directory, 'ls-tree', '-r', '--name-only', revision).trim().split('\n'),
    async commit(files) {
      await commitAs(directory, folder, files, 'Change the fleet')
      await writer.poll()
      // What follows from a commit is written before the next request.
      number += 1
      await writer.submit(add(`other-${number}`, number), requestContext(number))
    },
    cluster(name) {
      const found = writer.fleet.cluster(name)
      if (found === undefined) throw new Error(`there is no cluster ${name}`)
      return found
    },
  }
}

function add(name: string, number: number, engine?: EngineName) {
  return addCluster({
    id: id(number),
    name,
    annotations: [],
    spec: {
      provider: 'external',
      provisioner: 'external',
      allowInstallations: name === 'prod-1',
      ...(engine === undefined ? {} : { engine }),
    },
  })
}

function withEngine(cluster: Cluster, engine: EngineName): string {
  return documents.emit({ ...cluster, spec: { ...cluster.spec, engine } })
}

/** Every ref that Flux reads is the subtree of main that it stands for. */
function fluxIsAtMain(t: Test, fleet: Fleet): void {
  const empty = git(fleet.directory, 'mktree').trim()
  for (const unit of [...SHARDS.map((shard) => `installations/${shard}`), 'system', 'infra']) {
    const ref = `refs/heads/shard/prod-1/${unit.replace('installations/', '')}^{tree}`
    const listed = git(fleet.directory, 'ls-tree', '-d', 'main', `clusters/prod-1/${unit}`)
    t.equal(fleet.tree(ref), /tree (\w{40})/.exec(listed)?.[1] ?? empty, unit)
  }
  t.equal(fleet.tree('control^{tree}'), fleet.tree('main:control'))
}

test('the first commit has what the engines are pointed at', async (t) => {
  const { files, writer } = await start(t)
  t.same(files('main'), [
    'control/argocd/_fleet.yaml',
    'control/flux/_fleet.yaml',
    'control/health-checks/argocd.yaml',
    'control/health-checks/flux.yaml',
    'fleet.yaml',
  ])
  await writer.submit(add('prod-1', 500), requestContext(0))
  t.same(files('control'), [
    'argocd/_fleet.yaml',
    'argocd/prod-1.yaml',
    'flux/_fleet.yaml',
    'health-checks/argocd.yaml',
    'health-checks/flux.yaml',
  ])
})

test('a cluster of Flux has all its refs from its first commit', async (t) => {
  const fleet = await start(t, { engine: 'flux' })
  await fleet.writer.submit(add('prod-1', 500), requestContext(0))
  fluxIsAtMain(t, fleet)
  t.same(fleet.files('shard/prod-1/system'), [
    'README.md',
    'control/manifests.yaml',
    'control/metrics-server.yaml',
    'control/nginx.yaml',
    'manifests/observer.yaml',
  ])
  t.throws(() => fleet.tree('refs/heads/cluster/prod-1'), 'which Argo CD would read')
})

test('another engine for a cluster moves its control file, and its refs are where main is', async (t) => {
  const fleet = await start(t)
  const { writer } = fleet
  await writer.submit(add('prod-1', 500), requestContext(0))
  await writer.submit(creation(1), requestContext(1))
  await fleet.commit({ [clusterPath('prod-1')]: withEngine(fleet.cluster('prod-1'), 'flux') })
  t.match(fleet.files('control'), [
    'argocd/_fleet.yaml',
    'argocd/other-9001.yaml',
    'flux/_fleet.yaml',
    'flux/prod-1.yaml',
  ])
  fluxIsAtMain(t, fleet)
  const left = fleet.tree('cluster/prod-1^{tree}')
  await writer.submit(creation(2), requestContext(2))
  t.equal(fleet.tree('cluster/prod-1^{tree}'), left, 'Argo CD no longer reads it, so it stands')
  await fleet.commit({ [clusterPath('prod-1')]: withEngine(fleet.cluster('prod-1'), 'argocd') })
  t.equal(fleet.tree('cluster/prod-1^{tree}'), fleet.tree('main:clusters/prod-1'))
  t.notOk(fleet.files('control').includes('flux/prod-1.yaml'))
  await writer.submit(creation(3), requestContext(3))
  await fleet.commit({ [clusterPath('prod-1')]: withEngine(fleet.cluster('prod-1'), 'flux') })
  fluxIsAtMain(t, fleet)
})

test('another engine for the fleet moves the clusters that have none of their own', async (t) => {
  const fleet = await start(t)
  await fleet.writer.submit(add('prod-1', 500), requestContext(0))
  await fleet.writer.submit(add('prod-2', 501, 'argocd'), requestContext(1))
  await fleet.commit({ [FLEET_PATH]: documents.emit(settings({ utilities: UTILITIES, engine: 'flux' })) })
  t.match(fleet.files('control').slice(0, 4), [
    'argocd/_fleet.yaml',
    'argocd/prod-2.yaml',
    'flux/_fleet.yaml',
    'flux/other-9001.yaml',
  ])
  fluxIsAtMain(t, fleet)
})

test('settings that clusters are rendered from reach every cluster; others touch none', async (t) => {
  const fleet = await start(t)
  await fleet.writer.submit(add('prod-1', 500), requestContext(0))
  const before = fleet.tree('main:clusters/prod-1')
  const { limits } = settings().spec
  const other = settings({ utilities: UTILITIES, limits: { ...limits, schemasPerLogicalDatabase: 7 } })
  await fleet.commit({ [FLEET_PATH]: documents.emit(other) })
  t.equal(fleet.tree('main:clusters/prod-1'), before)
  await fleet.commit({
    [FLEET_PATH]: documents.emit(settings({ utilities: { nginx: { chart: '4.14.1' } } })),
  })
  t.notOk(fleet.files('main:clusters/prod-1/system/control').includes('metrics-server.yaml'))
  t.match(git(fleet.directory, 'show', 'main:clusters/prod-1/system/control/nginx.yaml'), /4\.14\.1/)
  t.equal(fleet.tree('cluster/prod-1^{tree}'), fleet.tree('main:clusters/prod-1'))
})

test('a change that nothing is rendered from writes the document only', async (t) => {
  const { writer } = await start(t)
  await writer.submit(add('prod-1', 500), requestContext(0))
  const { files } = await writer.submit(annotateCluster({ id: id(500), add: ['eu-only'] }), requestContext(1))
  t.same(files, ['clusters/prod-1/cluster.yaml'])
})

test('a cluster that is removed or deleted takes its files away', async (t) => {
  const fleet = await start(t, { engine: 'flux' })
  await fleet.writer.submit(add('prod-1', 500), requestContext(0))
  await fleet.writer.submit(add('prod-2', 501), requestContext(1))
  const deleted = fleet.cluster('prod-2')
  await fleet.commit({
    [clusterPath('prod-1')]: undefined,
    [clusterPath('prod-2')]: documents.emit({
      ...deleted,
      metadata: { ...deleted.metadata, deletedAt: deleted.metadata.createdAt },
    }),
  })
  const left = fleet.files('main').filter((path) => path.includes('prod-'))
  t.same(left, ['clusters/prod-2/cluster.yaml'])
  t.equal(fleet.tree('control^{tree}'), fleet.tree('main:control'))
})

test('what a person puts beside the rendered files or edits in them does not stay', async (t) => {
  const fleet = await start(t)
  await fleet.writer.submit(add('prod-1', 500), requestContext(0))
  const [system, control] = [
    fleet.tree('main:clusters/prod-1/system'),
    fleet.tree('main:control/argocd/_fleet.yaml'),
  ]
  await fleet.commit({
    'clusters/prod-1/system/manifests/mine.yaml':
      'apiVersion: v1\nkind: Namespace\nmetadata:\n  name: mine\n',
    'clusters/prod-1/system/manifests/observer.yaml': 'nothing: here\n',
    'clusters/prod-1/system/control/nginx.yaml': undefined,
    'control/argocd/_fleet.yaml': 'nothing: here\n',
  })
  t.equal(fleet.tree('main:clusters/prod-1/system'), system)
  t.equal(fleet.tree('main:control/argocd/_fleet.yaml'), control)
})

test('a checkout of a fleet with both engines is as render --check wants it', async (t) => {
  const { writer, directory, folder } = await start(t)
  await writer.submit(add('prod-1', 500), requestContext(0))
  await writer.submit(add('prod-2', 501, 'flux'), requestContext(1))
  await writer.submit(creation(1), requestContext(2))
  const checkout = join(folder, 'checkout')
  git(directory, 'worktree', 'add', '--quiet', checkout, 'main')
  const { code, stdout } = await fleetwright(['render', checkout, '--check'])
  t.equal(code, 0, stdout)
})
