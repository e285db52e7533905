import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { test } from 'tap'
import { parseAllDocuments } from 'yaml'
import { INFRASTRUCTURE_KINDS } from '../../src/fleet/observed/cluster-infrastructure.ts'
import { SHARDS } from '../../src/fleet/ids.ts'
import {
  type Cluster,
  type EngineName,
  type FleetSettings,
  UTILITY_NAMES,
  type Utilities,
} from '../../src/fleet/intents.ts'
import { emitDocument } from '../../src/fleet/yaml/emit.ts'
import { bootstrapManifests, renderFleetControl } from '../../src/render/cluster/bootstrap.ts'
import { PARTS } from '../../src/render/cluster/names.ts'
import { renderCluster } from '../../src/render/cluster/render-cluster.ts'
import { CRD_FOLDER, createCrdCheck } from '../support/crds.ts'
import { cluster, settings } from '../support/intents.ts'
import { templateSets } from '../support/templates.ts'

const GOLDEN = join(import.meta.dirname, '../golden/clusters')
const INSTALLATIONS = join(import.meta.dirname, '../golden/installations')
const sets = templateSets()

/** Every utility of the catalogue, some as the template set has them, some changed. */
const EVERYTHING: Utilities = {
  ...Object.fromEntries(UTILITY_NAMES.map((name, index) => [name, { chart: `1.${index}.0` }])),
  pgbouncer: { chart: '1.2.1', repository: 'oci://registry.example.com/charts' },
  nginx: {
    chart: '4.14.0',
    values: { controller: { config: { 'server-tokens': 'true' }, replicaCount: 3 } },
  },
  velero: { chart: 'unmanaged' },
}

function fleet(engine: EngineName): FleetSettings {
  return settings({
    engine,
    repository: { url: 'https://git.example.com/fleet.git', secretName: 'fleetwright-repository' },
    utilities: EVERYTHING,
  })
}

const PROD: Cluster = cluster('prod-1', 2, {
  provider: 'aws',
  provisioner: 'eks',
  utilities: { nginx: { chart: '4.14.1' }, teleport: { chart: 'unmanaged' } },
})
const BARE: Cluster = cluster('control', 3, {
  engineClusterName: 'in-cluster',
  utilities: Object.fromEntries(UTILITY_NAMES.map((name) => [name, { chart: 'unmanaged' }])),
})

interface Document {
  readonly apiVersion: string
  readonly kind: string
  // biome-ignore lint/suspicious/noExplicitAny: documents of many kinds, looked into here and there
  readonly [key: string]: any
}

function filesOf(engine: EngineName, ...clusters: readonly Cluster[]): ReadonlyMap<string, string> {
  const all = clusters.flatMap((one) => renderCluster(sets, fleet(engine), one))
  return new Map(
    [...all, ...renderFleetControl(sets, fleet(engine))].map(({ path, text }) => [path, text ?? '']),
  )
}

function documentsOf(text: string | undefined): readonly Document[] {
  return parseAllDocuments(text ?? '').map((document) => document.toJS())
}

function controlOf(engine: EngineName, one: Cluster = PROD): readonly Document[] {
  return documentsOf(filesOf(engine, one).get(`control/${engine}/${one.metadata.name}.yaml`))
}

function named(documents: readonly Document[], kind: string, name: string): Document {
  const found = documents.find((document) => document.kind === kind && document.metadata.name === name)
  if (found === undefined) throw new Error(`there is no ${kind} ${name}`)
  return found
}

const ENGINES: readonly EngineName[] = ['argocd', 'flux']
const LOOK = ['get', 'list', 'watch']

test('a cluster renders to the golden files, nothing more and nothing less', async (t) => {
  for (const engine of ENGINES) {
    const folder = join(GOLDEN, engine)
    const files = filesOf(engine, PROD, BARE)
    if (process.env.GOLDEN === 'write') {
      rmSync(folder, { recursive: true, force: true })
      for (const [path, text] of files) {
        mkdirSync(dirname(join(folder, path)), { recursive: true })
        writeFileSync(join(folder, path), text)
      }
    }
    const golden = existsSync(folder)
      ? readdirSync(folder, { recursive: true, encoding: 'utf8', withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
      : []
    t.same(golden.sort(), [...files.keys()].sort(), engine)
    for (const path of golden)
      t.equal(files.get(path), readFileSync(join(folder, path), 'utf8'), `${engine}/${path}`)
  }
})

test('what is rendered is canonical: read and printed again it is the same text', async (t) => {
  for (const engine of ENGINES)
    for (const [path, text] of filesOf(engine, PROD, BARE)) {
      // Scripts stand there as blocks of lines, for people to read.
      if (!path.endsWith('.yaml') || path === 'control/health-checks/argocd.yaml') continue
      const again = documentsOf(text).map(emitDocument).join('---\n')
      t.equal(again, text.replace(/^(?:#.*\n)+/, ''), `${engine}/${path}`)
    }
})

test('every document is valid against its real CRD', {
  skip: existsSync(CRD_FOLDER) ? false : '../shared/crds is not here',
}, async (t) => {
  const check = createCrdCheck()
  const without = new Set<string>()
  let checked = 0
  for (const engine of ENGINES)
    for (const [path, text] of filesOf(engine, PROD, BARE)) {
      // One is a patch, the other a part of a ConfigMap.
      if (!path.endsWith('.yaml') || path.startsWith('control/health-checks/')) continue
      for (const document of documentsOf(text)) {
        const found = check(document)
        if (found === 'no CRD') without.add(`${document.apiVersion} ${document.kind}`)
        else checked += 1
        if (found !== 'no CRD') t.equal(found, 'valid', `${path}: ${document.kind} ${document.metadata.name}`)
      }
    }
  t.ok(checked > 200, `${checked} documents`)
  t.same([...without].sort(), [
    'helm.toolkit.fluxcd.io/v2 HelmRelease',
    'rbac.authorization.k8s.io/v1 ClusterRole',
    'rbac.authorization.k8s.io/v1 ClusterRoleBinding',
    'rbac.authorization.k8s.io/v1 Role',
    'rbac.authorization.k8s.io/v1 RoleBinding',
    'v1 Namespace',
    'v1 ServiceAccount',
  ])
})

test('a HelmRelease names one exact chart, its HelmRepository and the cluster, and is never pruned', async (t) => {
  const [repository, release] = documentsOf(
    filesOf('flux', PROD).get('clusters/prod-1/system/control/nginx.yaml'),
  )
  t.match(repository, { kind: 'HelmRepository', spec: { url: 'https://kubernetes.github.io/ingress-nginx' } })
  t.match(release, {
    apiVersion: 'helm.toolkit.fluxcd.io/v2',
    metadata: { annotations: { 'kustomize.toolkit.fluxcd.io/prune': 'disabled' } },
    spec: {
      releaseName: 'nginx',
      targetNamespace: 'nginx',
      storageNamespace: 'nginx',
      kubeConfig: { secretRef: { name: 'prod-1' } },
      chart: {
        spec: {
          chart: 'ingress-nginx',
          version: '4.14.1',
          sourceRef: { kind: 'HelmRepository', name: repository?.metadata.name },
        },
      },
    },
  })
  const known = [
    'chart',
    'driftDetection',
    'install',
    'interval',
    'kubeConfig',
    'releaseName',
    'storageNamespace',
  ]
  t.same(Object.keys(release?.spec).sort(), [...known, 'targetNamespace', 'timeout', 'upgrade', 'values'])
})

test('values of the cluster win over those of the fleet, and those over the template set', async (t) => {
  const application = documentsOf(filesOf('argocd', PROD).get('clusters/prod-1/system/control/nginx.yaml'))[0]
  const controller = application?.spec.source.helm.valuesObject.controller
  t.equal(application?.spec.source.targetRevision, '4.14.1')
  t.equal(controller.replicaCount, 3)
  t.equal(controller.config['server-tokens'], 'true')
  t.equal(controller.config['keep-alive'], '3600')
})

test('what is unmanaged is left alone: no Application, a suspended HelmRelease', async (t) => {
  const path = 'clusters/prod-1/system/control/teleport.yaml'
  t.equal(filesOf('argocd', PROD).get(path), undefined)
  const release = documentsOf(filesOf('flux', PROD).get(path))[1]
  t.equal(release?.spec.suspend, true)
  t.equal(release?.spec.chart.spec.version, EVERYTHING.teleport?.chart)
  const never = documentsOf(filesOf('flux', PROD).get('clusters/prod-1/system/control/velero.yaml'))[1]
  t.match(never?.spec, { suspend: true, chart: { spec: { version: '0.0.0-unmanaged' } } })
})

test('a utility whose chart nobody knows is left out, and the folder says so', async (t) => {
  const files = filesOf('argocd', PROD)
  t.equal(files.get('clusters/prod-1/system/control/cloudprober.yaml'), undefined)
  const readme = files.get('clusters/prod-1/system/README.md') ?? ''
  t.match(readme, /^- cloudprober: .*spec\.utilities\.cloudprober\.repository/m)
  t.match(readme, /^- teleport: unmanaged$/m)
  t.notMatch(readme, /nginx/)
})

test('Flux: every shard has a ref, a source and a Kustomization of its own', async (t) => {
  const documents = controlOf('flux')
  t.equal(documents.length, 32 * 2 + 2)
  for (const shard of SHARDS) {
    const name = `prod-1-shard-${shard}`
    t.match(named(documents, 'GitRepository', name).spec, {
      ref: { name: `refs/heads/shard/prod-1/${shard}` },
      ignore: 'installation.yaml\n',
      secretRef: { name: 'fleetwright-repository' },
    })
    const { spec } = named(documents, 'Kustomization', name)
    t.match(spec, {
      prune: true,
      deletionPolicy: 'Orphan',
      path: './',
      sourceRef: { name },
      kubeConfig: { secretRef: { name: 'prod-1' } },
    })
    t.equal(spec.wait, undefined, 'one unhealthy installation must not hold its shard')
  }
})

test('Flux: the folder decides where a file is applied', async (t) => {
  const documents = controlOf('flux')
  const charts = named(documents, 'Kustomization', 'prod-1-system').spec
  t.match(charts, { path: './control', sourceRef: { name: 'prod-1-system' } })
  t.equal(charts.kubeConfig, undefined)
  const [manifests] = documentsOf(filesOf('flux', PROD).get('clusters/prod-1/system/control/manifests.yaml'))
  t.match(manifests?.spec, {
    path: './manifests',
    kubeConfig: { secretRef: { name: 'prod-1' } },
  })
  const own = controlOf('flux', BARE).filter(({ spec }) => spec.kubeConfig !== undefined)
  t.same(own, [], 'the cluster that Flux runs on needs no kubeconfig')
})

test('Argo CD: the wiring that applies one installation at a time and deletes none by accident', async (t) => {
  const documents = controlOf('argocd')
  const text = filesOf('argocd', PROD).get('control/argocd/prod-1.yaml') ?? ''
  const set = named(documents, 'ApplicationSet', 'prod-1-installations')
  t.match(set.spec, {
    goTemplateOptions: ['missingkey=error'],
    syncPolicy: { applicationsSync: 'sync', preserveResourcesOnDeletion: true },
    generators: [
      { git: { revision: 'refs/heads/cluster/prod-1', directories: [{ path: 'installations/*/*' }] } },
    ],
  })
  const { metadata, spec } = set.spec.template
  t.equal(metadata.annotations['argocd.argoproj.io/manifest-generate-paths'], '.')
  t.equal(spec.source.directory.include, 'manifest.yaml')
  t.equal(spec.syncPolicy.retry.refresh, true)
  t.notMatch(text, /finalizer|allowEmpty|project: default/)
  t.match(named(documents, 'Application', 'prod-1-system').spec, {
    destination: { name: 'in-cluster', namespace: 'argocd' },
    source: { path: 'system/control' },
  })
  const [manifests] = documentsOf(
    filesOf('argocd', PROD).get('clusters/prod-1/system/control/manifests.yaml'),
  )
  t.match(manifests?.spec, {
    destination: { name: 'prod-1', namespace: 'fleetwright' },
    source: { path: 'system/manifests' },
  })
})

test('Argo CD: a project allows what its Applications contain, and nothing else', async (t) => {
  const files = filesOf('argocd', PROD)
  const documents = controlOf('argocd')
  const projects: readonly (readonly [string, readonly Document[]])[] = [
    [
      'prod-1-system',
      [...files].flatMap(([path, text]) =>
        path.includes('/system/control/') && path.endsWith('.yaml') ? documentsOf(text) : [],
      ),
    ],
    ['prod-1-manifests', documentsOf(files.get('clusters/prod-1/system/manifests/observer.yaml'))],
    ['prod-1-installations', goldenInstallations()],
  ]
  for (const [name, contents] of projects) {
    const { spec } = named(documents, 'AppProject', name)
    const allowed = [...(spec.clusterResourceWhitelist ?? []), ...spec.namespaceResourceWhitelist].map(
      kindText,
    )
    const contained = new Set(contents.map(({ apiVersion, kind }) => `${groupOf(apiVersion)}/${kind}`))
    t.same(
      [...contained].filter((kind) => !allowed.includes(kind)),
      [],
      `${name} allows what is there`,
    )
    // A bucket policy is rendered for buckets that are shared, which no golden file has.
    t.same(
      allowed.filter((kind) => !contained.has(kind) && !kind.endsWith('/BucketPolicy')),
      [],
      name,
    )
    t.notMatch(JSON.stringify([spec.destinations, spec.sourceRepos, allowed]), /\*/, name)
  }
  const utilities = named(documents, 'AppProject', 'prod-1-utilities').spec
  for (const { spec } of projects[0]?.[1] ?? []) {
    if (spec.project === 'prod-1-manifests') continue
    t.ok(utilities.sourceRepos.includes(spec.source.repoURL), spec.source.repoURL)
    t.ok(
      utilities.destinations.some(
        ({ namespace }: { namespace: string }) => namespace === spec.destination.namespace,
      ),
    )
    t.equal(spec.project, 'prod-1-utilities')
  }
})

test('Argo CD: installations may go to namespaces named by an id only, and each Application says its own', async (t) => {
  const documents = controlOf('argocd')
  const [destination] = named(documents, 'AppProject', 'prod-1-installations').spec.destinations
  t.same(destination, { name: 'prod-1', namespace: '?'.repeat(26) })
  const set = named(documents, 'ApplicationSet', 'prod-1-installations')
  t.same(set.spec.template.spec.destination, { name: 'prod-1', namespace: '{{.path.basename}}' })
})

test('Fleetwright may look at all that an installation consists of, at no secret, and change nothing', async (t) => {
  const role = documentsOf(filesOf('flux', PROD).get('clusters/prod-1/system/manifests/observer.yaml')).find(
    ({ kind }) => kind === 'ClusterRole',
  )
  const allowed = new Set<string>()
  for (const { apiGroups, resources, verbs } of role?.rules ?? []) {
    t.same(verbs, ['get', 'list', 'watch'])
    for (const group of apiGroups) for (const resource of resources) allowed.add(`${group}/${resource}`)
  }
  t.notOk([...allowed].some((entry) => entry.includes('*') || entry === '/secrets'))
  for (const { apiVersion, kind } of goldenInstallations())
    t.ok(allowed.has(`${groupOf(apiVersion)}/${pluralOf(kind)}`), `${apiVersion} ${kind}`)
  for (const entry of ['/nodes', '/pods', 'apps/deployments']) t.ok(allowed.has(entry), entry)
})

test('on the control cluster Fleetwright looks at objects of the engines and annotates them, and no more', async (t) => {
  const roles = (engine: EngineName, settingsOf: FleetSettings): readonly Document[] =>
    documentsOf(bootstrapManifests(sets, settingsOf, engine)).filter(({ kind }) => kind === 'Role')
  for (const engine of ENGINES) {
    const mixed = bootstrapManifests(sets, fleet('flux'), engine)
    const documents = documentsOf(mixed)
    const namespace = engine === 'argocd' ? 'argocd' : 'flux-system'
    t.equal(
      documents.some(({ kind }) => kind === 'ServiceAccount'),
      engine === 'flux',
      'one account: where the engine of the fleet is',
    )
    t.strictSame(
      roles(engine, fleet('flux')).map(({ metadata, rules }) => [
        metadata.name,
        metadata.namespace,
        rules.flatMap(({ verbs }: { readonly verbs: readonly string[] }) => verbs),
      ]),
      [
        ...(engine === 'flux'
          ? [['fleetwright-observer', 'fleetwright-clusters', INFRASTRUCTURE_KINDS.flatMap(() => LOOK)]]
          : []),
        [
          'fleetwright-observer',
          namespace,
          Array.from({ length: engine === 'flux' ? 3 : 2 }, () => LOOK).flat(),
        ],
        ['fleetwright-nudge', namespace, ['patch', 'patch']],
      ],
    )
    for (const { subjects } of documents.filter(({ kind }) => kind === 'RoleBinding'))
      t.strictSame(subjects, [{ kind: 'ServiceAccount', name: 'fleetwright', namespace: 'flux-system' }])
    const unwanted = settings({ engine: 'flux', nudgeEngines: false })
    t.strictSame(
      [...new Set(roles(engine, unwanted).map(({ metadata }) => metadata.name))],
      ['fleetwright-observer'],
    )
    t.notMatch(mixed, /ClusterRole|secrets|'\*'|"\*"$/m)
  }
})

test('the bootstrap makes each engine follow its half of the control ref, and is in git as well', async (t) => {
  for (const engine of ENGINES) {
    const text = bootstrapManifests(sets, fleet('flux'), engine)
    t.equal(filesOf('flux').get(`control/${engine}/_fleet.yaml`), text)
    t.notMatch(text, /password:|stringData/)
  }
  t.match(named(documentsOf(bootstrapManifests(sets, fleet('argocd'))), 'Application', 'fleetwright').spec, {
    source: { targetRevision: 'refs/heads/control', path: 'argocd', directory: { include: '*.yaml' } },
  })
  const flux = documentsOf(bootstrapManifests(sets, fleet('flux')))
  t.match(named(flux, 'GitRepository', 'fleetwright').spec, {
    ref: { name: 'refs/heads/control' },
    secretRef: { name: 'fleetwright-repository' },
  })
  t.match(named(flux, 'Kustomization', 'fleetwright').spec, { path: './flux', prune: true })
  const wrong = settings({ templateSet: 'v0' })
  t.throws(() => bootstrapManifests(sets, wrong), { code: 'invalid-document' })
})

test('without a login the sources name no Secret', async (t) => {
  const text = bootstrapManifests(sets, settings({ engine: 'flux' }))
  t.notMatch(text, /secretRef/)
})

test('a deleted cluster has no files', async (t) => {
  const deleted = { ...PROD, metadata: { ...PROD.metadata, deletedAt: PROD.metadata.createdAt } }
  t.same(renderCluster(sets, fleet('argocd'), deleted), [])
})

test('names of objects of two clusters never meet', async (t) => {
  const parts: readonly string[] = [...PARTS, ...UTILITY_NAMES, ...SHARDS.map((shard) => `shard-${shard}`)]
  t.equal(new Set(parts).size, parts.length)
  for (const part of parts)
    for (const other of parts) t.notOk(part.endsWith(`-${other}`), `${other} is the end of ${part}`)
})

test('the order of keys and utilities in a document does not matter', async (t) => {
  const names = fc.shuffledSubarray(Object.entries(EVERYTHING), { minLength: Object.keys(EVERYTHING).length })
  const values = fc.shuffledSubarray(['a', 'b', 'c', 'd'], { minLength: 4 })
  const expected = rendering(Object.entries(EVERYTHING), ['a', 'b', 'c', 'd'])
  fc.assert(
    fc.property(names, values, fc.constantFrom(...ENGINES), (entries, keys, engine) => {
      t.same(rendering(entries, keys).get(engine), expected.get(engine))
    }),
    { numRuns: 20 },
  )
  t.end()
})

function rendering(
  entries: readonly (readonly [string, object])[],
  keys: readonly string[],
): ReadonlyMap<EngineName, unknown> {
  const values = Object.fromEntries(keys.map((key) => [key, { [key]: [key] }]))
  const one = cluster('prod-1', 2, { utilities: { nginx: { values, chart: '4.14.1' } } })
  return new Map(
    ENGINES.map((engine) => [
      engine,
      renderCluster(sets, settings({ engine, utilities: Object.fromEntries(entries) }), one),
    ]),
  )
}

test('hostile text in values stays text', async (t) => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary', minLength: 1 }), (value, key) => {
      const one = cluster('prod-1', 2, {
        utilities: { 'metrics-server': { chart: '3.12.1', values: { [key]: value } } },
      })
      const files = renderCluster(sets, settings(), one)
      const text = files.find(({ path }) => path.endsWith('metrics-server.yaml'))?.text
      const found = documentsOf(text)[0]?.spec.source.helm.valuesObject
      return Object.keys(found).length === 1 && found[key] === value
    }),
    { numRuns: 100 },
  )
  t.pass('100 random texts')
})

function goldenInstallations(): readonly Document[] {
  return readdirSync(INSTALLATIONS).flatMap((name) =>
    documentsOf(readFileSync(join(INSTALLATIONS, name), 'utf8')),
  )
}

function kindText({ group, kind }: { readonly group: string; readonly kind: string }): string {
  return `${group}/${kind}`
}

function groupOf(apiVersion: string): string {
  return apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : ''
}

function pluralOf(kind: string): string {
  return kind
    .toLowerCase()
    .replace(/(?<![aeiou])y$/, 'ie')
    .concat('s')
}
