/** The stand-in for Flux' source controller, with the real kustomize-controller behind it. */
import { test } from 'tap'
import { missingCustomResources } from '../../scripts/testbed/custom-resources.ts'
import type { KubernetesApi, KubernetesObject } from '../../scripts/testbed/kubernetes-api.ts'
import { startTestbed } from '../../scripts/testbed/testbed.ts'
import { waitFor } from '../../scripts/testbed/wait.ts'
import { type GitRepository, startFluxSourceController } from '../stand-ins/flux-source-controller.ts'
import { type GitOverHttp, serveGit } from '../support/git-over-http.ts'

const skip = missingCustomResources() ?? false
const REF = 'refs/heads/shard/prod-1/y'
const SOURCE = '/apis/source.toolkit.fluxcd.io/v1/namespaces/flux-system/gitrepositories/shard-y'
const KUSTOMIZATION = '/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/flux-system/kustomizations/shard-y'

test("the stand-in for Flux' source controller", { skip }, async (t) => {
  const repository = await serveGit()
  t.teardown(() => repository.close())
  const bed = await startTestbed({
    clusters: [
      { name: 'control', nodes: 0 },
      { name: 'prod-1', nodes: 0 },
    ],
    flux: true,
    log: (line) => t.comment(line),
  })
  t.teardown(() => bed.stop())
  const { api } = bed.cluster('control')
  const folder = `${bed.folder}/flux-source`
  const source = await startFluxSourceController({ api, folder, poll: 0 })
  t.teardown(() => source.close())
  await applyWiring(api, repository)

  await t.test('a ref that is not there yet', async (t) => {
    const { status } = await sourceWith(api, ({ status }) => status?.conditions?.[0]?.status === 'False')
    t.match(status?.conditions?.[0], { type: 'Ready', reason: 'GitOperationFailed' })
    t.equal(status?.artifact, undefined)
  })

  let first = ''
  await t.test('a ref becomes an artifact, which the engine applies to the other cluster', async (t) => {
    first = await repository.commit(REF, {
      'aaa/manifest.yaml': configMap('aaa', '1'),
      // Would break the whole build if it came along: it has a kind, and no name.
      'aaa/installation.yaml': 'kind: Installation\n',
    })
    await nudge(api)
    const { status } = await sourceWith(api, ({ status }) => status?.artifact !== undefined)
    t.equal(status?.artifact?.revision, `${REF}@sha1:${first}`)
    t.match(status?.conditions?.[0], { status: 'True', reason: 'Succeeded' })
    t.equal(status?.observedGeneration, 1)
    await applied(bed.cluster('prod-1').api, 'aaa', '1')
    const reported = await waitFor("the engine's revision", async () => {
      const { status } = (await api.get<Kustomization>(KUSTOMIZATION)) ?? {}
      return status?.lastAppliedRevision
    })
    t.equal(reported, `${REF}@sha1:${first}`)
  })

  await t.test('a move of the ref is noticed when asked for, and answered', async (t) => {
    const second = await repository.commit(REF, { 'aaa/manifest.yaml': configMap('aaa', '2') })
    const before = performance.now()
    const asked = await nudge(api)
    await applied(bed.cluster('prod-1').api, 'aaa', '2')
    t.comment(`request to applied: ${Math.round(performance.now() - before)} ms`)
    const { status } = await sourceWith(api, ({ status }) => status?.lastHandledReconcileAt === asked)
    t.equal(status?.artifact?.revision, `${REF}@sha1:${second}`)
  })

  await t.test('an emptied ref prunes', async (t) => {
    await repository.commit(REF, {})
    await nudge(api)
    const path = '/api/v1/namespaces/default/configmaps/aaa'
    await waitFor('the end of aaa', async () => (await bed.cluster('prod-1').api.get(path)) === undefined)
    t.pass('gone')
  })

  await t.test('it can fail, lie and stop', async (t) => {
    const tip = (await api.get<GitRepository>(SOURCE))?.status?.artifact?.revision
    source.behave({ failure: 'no route to host' })
    await nudge(api)
    const failed = await sourceWith(api, ({ status }) => status?.conditions?.[0]?.status === 'False')
    t.equal(failed.status?.conditions?.[0]?.message, 'no route to host')
    t.equal(failed.status?.artifact?.revision, tip, 'the artifact from before stays')

    source.behave({ failure: undefined, staleGeneration: true })
    await nudge(api)
    const stale = await sourceWith(api, ({ status }) => status?.conditions?.[0]?.status === 'True')
    t.equal(stale.status?.observedGeneration, 0)

    source.behave({ staleGeneration: false, stopped: true })
    await repository.commit(REF, { 'bbb/manifest.yaml': configMap('bbb', '1') })
    const asked = await nudge(api)
    await new Promise((resolve) => setTimeout(resolve, 500))
    const stopped = await api.get<GitRepository>(SOURCE)
    t.not(stopped?.status?.lastHandledReconcileAt, asked)
    source.behave({ stopped: false })
    await applied(bed.cluster('prod-1').api, 'bbb', '1')
  })
})

interface Kustomization extends KubernetesObject {
  readonly status?: { readonly lastAppliedRevision?: string }
}

interface ConfigMap extends KubernetesObject {
  readonly data?: Readonly<Record<string, string>>
}

async function applyWiring(api: KubernetesApi, { url, login }: GitOverHttp): Promise<void> {
  const metadata = { name: 'shard-y', namespace: 'flux-system' }
  await api.apply({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'fleet-login', namespace: 'flux-system' },
    stringData: login,
  })
  await api.apply({
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'GitRepository',
    metadata,
    spec: {
      interval: '10m',
      url,
      ref: { name: REF },
      secretRef: { name: 'fleet-login' },
      ignore: 'installation.yaml\n',
    },
  })
  await api.apply({
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata,
    spec: {
      interval: '60m',
      retryInterval: '30s',
      timeout: '5m',
      prune: true,
      path: './',
      sourceRef: { kind: 'GitRepository', name: 'shard-y' },
      kubeConfig: { secretRef: { name: 'prod-1' } },
    },
  })
}

let asked = 0
async function nudge(api: KubernetesApi): Promise<string> {
  asked += 1
  const token = `request-${asked}`
  await api.patch(SOURCE, { metadata: { annotations: { 'reconcile.fluxcd.io/requestedAt': token } } })
  return token
}

async function sourceWith(
  api: KubernetesApi,
  is: (repository: GitRepository) => boolean,
): Promise<GitRepository> {
  return await waitFor('the GitRepository', async () => {
    const seen = await api.get<GitRepository>(SOURCE)
    return seen !== undefined && is(seen) ? seen : undefined
  })
}

async function applied(api: KubernetesApi, name: string, value: string): Promise<void> {
  await waitFor(`${name} with ${value}`, async () => {
    const { data } = (await api.get<ConfigMap>(`/api/v1/namespaces/default/configmaps/${name}`)) ?? {}
    return data?.value === value
  })
}

function configMap(name: string, value: string): string {
  return `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n  namespace: default\ndata:\n  value: "${value}"\n`
}
