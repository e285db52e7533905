/**
 * Fleetwright with no more access than it renders for itself, both real engines, and what goes wrong with them: access, healing of
 * drift, broken manifests, deletions that an engine overlooks.
 */
import { type Test, test } from 'tap'
import { parse, stringify } from 'yaml'
import type { Cluster } from '../../scripts/testbed/cluster.ts'
import { missingCustomResources } from '../../scripts/testbed/custom-resources.ts'
import {
  createKubernetesApi,
  KubernetesError,
  type KubernetesObject,
} from '../../scripts/testbed/kubernetes-api.ts'
import type { Testbed } from '../../scripts/testbed/testbed.ts'
import { waitFor } from '../../scripts/testbed/wait.ts'
import type { FleetSettings } from '../../src/fleet/intents.ts'
import { git } from '../../src/git/child-process.ts'
import type { Mattermost } from '../stand-ins/mattermost-operator/types.ts'
import { startEngineBed } from '../support/engine-bed.ts'
import {
  CONTROL_ACCOUNT,
  clusterIsWired,
  type FleetCluster,
  type FleetOnTestbed,
  OBSERVER_ACCOUNT,
  startFleet,
  tokenOf,
} from '../support/fleet-on-testbed.ts'
import { mattermostWith } from '../support/installation-on-testbed.ts'

const skip = missingCustomResources() ?? false

const ARGOCD: FleetCluster = { name: 'prod-1', engine: 'argocd' }
const FLUX: FleetCluster = { name: 'prod-2', engine: 'flux' }

interface Stage {
  readonly bed: Testbed
  readonly fleet: FleetOnTestbed
}

test('engines and what goes wrong with them', { skip }, async (t) => {
  const bed = await startEngineBed(t, [ARGOCD, FLUX], { controlResources: ['eks.aws.m.upbound.io'] })
  const fleet = await startFleet(bed, [ARGOCD, FLUX], { access: 'rendered' })
  t.teardown(() => fleet.close())
  for (const cluster of [ARGOCD, FLUX]) await clusterIsWired(bed.cluster('control'), cluster)
  const stage = { bed, fleet }

  await t.test('no folder or ref that Flux reads is missing from the start', (t) => emptyShards(t, stage))
  const argocd = await stableOn(stage, ARGOCD, 'one')
  const flux = await stableOn(stage, FLUX, 'one')
  const other = await inAnotherShard(stage, flux)
  await t.test('the rendered accounts may do what is needed, and nothing else', (t) => access(t, stage, flux))
  await t.test('what Crossplane makes a cluster of is seen', (t) => infrastructure(t, stage))
  await t.test('Flux: an edit by hand is reported, and healed where the policy says so', (t) =>
    healing(t, stage, flux),
  )
  // A person's edits of manifests stay from here on.
  await settings(stage, (spec) => ({ ...spec, drift: { policy: 'report' }, editedManifests: 'hold' }))
  await t.test('Flux: a broken manifest stops its shard only, and is reported', (t) =>
    brokenOnFlux(t, stage, flux, other),
  )
  await t.test('Flux: an emptied shard is pruned', (t) => emptied(t, stage, other))
  await t.test('Flux: a ref that is gone prunes nothing, and the next change makes it again', (t) =>
    missingRef(t, stage, flux),
  )
  await t.test('Argo CD: a broken manifest stops its installation only, and is reported', (t) =>
    brokenOnArgoCd(t, stage, argocd),
  )
  await t.test('Argo CD: what the API server refuses is reported, and its correction goes live', (t) =>
    refused(t, stage, argocd),
  )
  await t.test('Argo CD: a deletion that it takes for a renaming is reported', (t) =>
    overlooked(t, stage, argocd),
  )
})

/** No provider runs here: the test says what one would. */
async function infrastructure(t: Test, { bed, fleet }: Stage): Promise<void> {
  const { api } = bed.cluster('control')
  const namespace = 'fleetwright-clusters'
  await waitFor('the namespace', () => api.get(`/api/v1/namespaces/${namespace}`))
  const list = `/apis/eks.aws.m.upbound.io/v1beta1/namespaces/${namespace}/nodegroups`
  await api.create(list, {
    apiVersion: 'eks.aws.m.upbound.io/v1beta1',
    kind: 'NodeGroup',
    metadata: { name: 'workers', namespace, labels: { 'fleetwright.dev/cluster': ARGOCD.name } },
    spec: { forProvider: { region: 'us-east-1', scalingConfig: { minSize: 1, maxSize: 3 } } },
  })
  const at = { lastTransitionTime: '2026-01-01T00:00:00Z' }
  await api.patch(`${list}/workers/status`, {
    status: {
      conditions: [
        { type: 'Synced', status: 'True', reason: 'ReconcileSuccess', ...at },
        {
          type: 'LastAsyncOperation',
          status: 'False',
          reason: 'AsyncCreateFailure',
          message: 'no quota',
          ...at,
        },
        { type: 'Ready', status: 'False', reason: 'Creating', ...at },
      ],
    },
  })
  const seen = await waitFor('the node group to be seen', async () => {
    const path = `/api/fleet/clusters/${ARGOCD.name}/status`
    const { resources } = await fleet.request<{
      readonly resources: readonly { readonly health: string }[]
    }>('GET', path)
    return resources.some(({ health }) => health === 'degraded') ? resources : undefined
  })
  t.match(seen, [
    {
      kind: 'NodeGroup',
      name: 'workers',
      health: 'degraded',
      reason: 'AsyncCreateFailure',
      message: 'no quota',
    },
  ])
  t.equal(seen.length, 1)
}

interface Kustomization extends KubernetesObject {
  readonly status?: {
    readonly conditions?: readonly {
      readonly type: string
      readonly status: string
      readonly message: string
    }[]
    readonly inventory?: { readonly entries?: readonly unknown[] }
  }
}

async function emptyShards(t: Test, { bed }: Stage): Promise<void> {
  const { api } = bed.cluster('control')
  const path = '/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/flux-system/kustomizations'
  const shards = await waitFor('all shards to be ready', async () => {
    const { items } = await api.list<Kustomization>(path)
    const found = items.filter(({ metadata }) => metadata.name.startsWith(`${FLUX.name}-shard-`))
    return found.length === 32 && found.every(isReady) ? found : undefined
  })
  for (const { status } of shards) t.strictSame(status?.inventory?.entries ?? [], [])
}

function isReady({ status }: Kustomization): boolean {
  return status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') === true
}

interface Installation {
  readonly id: string
  readonly cluster: FleetCluster
}

async function stableOn({ fleet }: Stage, cluster: FleetCluster, name: string): Promise<Installation> {
  const { ID: id } = await fleet.request<{ readonly ID: string }>('POST', '/api/installations', {
    Name: `${name}-${cluster.name}`,
    OwnerID: 'acme-inc',
    Version: '11.2.0',
    DNSNames: [`${name}-${cluster.name}.cloud.example.com`],
    Database: 'cloudnative-pg',
    Filestore: 'local-ephemeral',
    Affinity: 'multitenant',
    Annotations: [cluster.name],
  })
  await statusWith(fleet, id, `${id} to be stable`, ({ state }) => state === 'stable')
  return { id, cluster }
}

async function inAnotherShard(stage: Stage, than: Installation): Promise<Installation> {
  for (let number = 2; ; number += 1) {
    const one = await stableOn(stage, than.cluster, `number-${number}`)
    if (one.id.charAt(0) !== than.id.charAt(0)) return one
  }
}

interface Status {
  readonly state: string
  readonly synced: { readonly synced: boolean | null; readonly sync?: string; readonly reason?: string }
  readonly live: { readonly version?: string | null }
}

/** As the API says, which Fleetwright learnt by watching. */
async function statusWith(
  fleet: FleetOnTestbed,
  id: string,
  what: string,
  is: (status: Status) => boolean,
): Promise<Status> {
  let last: Status | undefined
  try {
    return await waitFor(what, async () => {
      last = await fleet.request<Status>('GET', `/api/fleet/installations/${id}/status`)
      return is(last) ? last : undefined
    })
  } catch (error) {
    throw new Error(`${String(error)}: ${JSON.stringify(last)}`)
  }
}

const isSynced = ({ synced }: Status): boolean => synced.synced === true
const isFailed = ({ synced }: Status): boolean => synced.sync === 'failed'

async function access(t: Test, { bed, fleet }: Stage, flux: Installation): Promise<void> {
  t.pass('installations became stable: the observer sees clusters and engines')
  const control = bed.cluster('control')
  const source = `/apis/source.toolkit.fluxcd.io/v1/namespaces/flux-system/gitrepositories/prod-2-shard-${flux.id.charAt(0)}`
  const { metadata } = (await control.api.get(source)) ?? {}
  t.ok(metadata?.annotations?.['reconcile.fluxcd.io/requestedAt'], 'the nudger annotates')
  const { id } = flux
  const merge = { metadata: { annotations: { a: 'b' } } }
  const forbidden: readonly (readonly [
    Cluster,
    typeof CONTROL_ACCOUNT | typeof OBSERVER_ACCOUNT,
    string,
    string,
  ])[] = [
    [control, CONTROL_ACCOUNT, 'GET', '/api/v1/namespaces/argocd/secrets'],
    [control, CONTROL_ACCOUNT, 'GET', '/api/v1/namespaces/flux-system/secrets'],
    [control, CONTROL_ACCOUNT, 'GET', '/api/v1/namespaces/argocd/configmaps'],
    [control, CONTROL_ACCOUNT, 'POST', '/apis/argoproj.io/v1alpha1/namespaces/argocd/applications'],
    [
      control,
      CONTROL_ACCOUNT,
      'DELETE',
      '/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/fleetwright',
    ],
    [
      control,
      CONTROL_ACCOUNT,
      'PATCH',
      '/apis/argoproj.io/v1alpha1/namespaces/argocd/appprojects/fleetwright',
    ],
    [control, CONTROL_ACCOUNT, 'DELETE', source],
    [bed.cluster(FLUX.name), OBSERVER_ACCOUNT, 'GET', `/api/v1/namespaces/${id}/secrets`],
    [
      bed.cluster(FLUX.name),
      OBSERVER_ACCOUNT,
      'PATCH',
      `/apis/installation.mattermost.com/v1beta1/namespaces/${id}/mattermosts/mm`,
    ],
    [bed.cluster(FLUX.name), OBSERVER_ACCOUNT, 'DELETE', `/api/v1/namespaces/${id}`],
    [bed.cluster(ARGOCD.name), OBSERVER_ACCOUNT, 'POST', '/api/v1/namespaces'],
  ]
  for (const [cluster, account, method, path] of forbidden) {
    const { url, authority } = cluster
    const api = createKubernetesApi({ url, authority, token: await tokenOf(cluster, account) })
    const refusal = await api
      .send(
        method,
        path,
        method === 'GET' ? undefined : merge,
        method === 'PATCH' ? 'application/merge-patch+json' : undefined,
      )
      .catch((error: unknown) => error)
    t.equal(refusal instanceof KubernetesError && refusal.status, 403, `${account.name}: ${method} ${path}`)
    api.close()
  }
  t.ok(fleet.url)
}

interface DriftAnswer {
  readonly drift: readonly {
    readonly type: string
    readonly fields?: readonly { readonly path: string; readonly manager?: { readonly name: string } }[]
    readonly object?: { readonly kind: string }
    readonly healing?: { readonly times: number }
  }[]
}

async function driftOf(fleet: FleetOnTestbed, id: string): Promise<DriftAnswer['drift']> {
  return (await fleet.request<DriftAnswer>('GET', `/api/fleet/drift?installation=${id}`)).drift
}

async function healing(t: Test, stage: Stage, { id, cluster }: Installation): Promise<void> {
  const { bed, fleet } = stage
  const { api } = bed.cluster(cluster.name)
  const path = `/apis/installation.mattermost.com/v1beta1/namespaces/${id}/mattermosts`
  const [before] = (await api.list<Mattermost>(path)).items
  const wanted = before?.spec.replicas
  const started = performance.now()
  const seconds = (): string => `${((performance.now() - started) / 1000).toFixed(2)} s`
  await api.send(
    'PATCH',
    `${path}/${before?.metadata.name}?fieldManager=kubectl-edit`,
    { spec: { replicas: 7 } },
    'application/merge-patch+json',
  )
  const [found] = await waitFor('the drift', async () => {
    const drift = await driftOf(fleet, id)
    return drift.length > 0 ? drift : undefined
  })
  t.comment(`edit to reported: ${seconds()}`)
  t.match(found, {
    type: 'changed',
    object: { kind: 'Mattermost' },
    fields: [{ path: 'spec.replicas', wanted, found: 7, manager: { name: 'kubectl-edit' } }],
  })
  t.equal(found?.healing, undefined, 'it is only reported')
  t.equal((await api.list<Mattermost>(path)).items[0]?.spec.replicas, 7)
  const policy = performance.now()
  await settings(stage, (spec) => ({ ...spec, drift: { policy: 'heal' } }))
  await mattermostWith(bed.cluster(cluster.name), id, ({ spec }) => spec.replicas === wanted)
  await waitFor('the drift to be gone', async () => (await driftOf(fleet, id)).length === 0)
  t.comment(`policy to gone: ${((performance.now() - policy) / 1000).toFixed(2)} s`)
  await statusWith(fleet, id, 'stable', ({ state }) => state === 'stable')
  t.pass('healed')
}

async function settings(
  { fleet }: Stage,
  change: (spec: FleetSettings['spec']) => FleetSettings['spec'],
): Promise<void> {
  const document: FleetSettings = parse(await fleet.read('fleet.yaml'))
  await fleet.commit({ 'fleet.yaml': stringify({ ...document, spec: change(document.spec) }) }, 'Settings')
}

function manifestOf({ id, cluster }: Installation): string {
  return `clusters/${cluster.name}/installations/${id.charAt(0)}/${id}/manifest.yaml`
}

/** Breaks a manifest, looks at what is said, and puts it right. */
async function broken(
  t: Test,
  { fleet }: Stage,
  one: Installation,
  text: (good: string) => string,
  reason: RegExp,
): Promise<void> {
  const path = manifestOf(one)
  const good = await fleet.read(path)
  await fleet.commit({ [path]: text(good) }, 'Break it')
  const { synced } = await statusWith(fleet, one.id, 'the failure', isFailed)
  t.equal(synced.synced, false)
  t.match(synced.reason, reason)
  await fleet.commit({ [path]: good }, 'Put it right')
  await statusWith(fleet, one.id, 'it to be in sync again', isSynced)
}

const withUnknownField = (text: string): string =>
  text.replace(/^kind: Mattermost\n([\s\S]*?)^spec:\n/m, (found) => `${found}  nobodyKnowsThis: true\n`)

async function update({ fleet, bed }: Stage, { id, cluster }: Installation, version: string): Promise<void> {
  await fleet.request('PUT', `/api/installation/${id}/mattermost`, { Version: version })
  await mattermostWith(bed.cluster(cluster.name), id, ({ spec }) => spec.version === version)
}

async function brokenOnFlux(t: Test, stage: Stage, one: Installation, other: Installation): Promise<void> {
  const path = manifestOf(one)
  const good = await stage.fleet.read(path)
  await stage.fleet.commit({ [path]: withUnknownField(good) }, 'Break it')
  const { synced } = await statusWith(stage.fleet, one.id, 'the failure', isFailed)
  t.match(synced, { synced: false, reason: /nobodyKnowsThis.*field not declared/ })
  await update(stage, other, '11.2.1')
  t.pass('another shard goes on')
  await stage.fleet.commit({ [path]: good }, 'Put it right')
  await statusWith(stage.fleet, one.id, 'it to be in sync again', isSynced)
  await broken(t, stage, one, () => 'kind: [\n', /yaml|YAML|build/i)
}

async function emptied(t: Test, { bed, fleet }: Stage, one: Installation): Promise<void> {
  const path = manifestOf(one)
  const good = await fleet.read(path)
  const mattermosts = `/apis/installation.mattermost.com/v1beta1/namespaces/${one.id}/mattermosts`
  await fleet.commit({ [path]: undefined }, 'Empty the shard')
  const { api } = bed.cluster(one.cluster.name)
  await waitFor('the end', async () => (await api.list(mattermosts)).items.length === 0)
  await statusWith(fleet, one.id, 'Flux to be done', isSynced)
  await fleet.commit({ [path]: good }, 'And back')
  await waitFor('it to be there again', async () => (await api.list(mattermosts)).items.length === 1)
  t.pass('pruned, and applied again')
}

async function missingRef(t: Test, stage: Stage, one: Installation): Promise<void> {
  const { bed, fleet } = stage
  const shard = one.id.charAt(0)
  await git(['update-ref', '-d', `refs/heads/shard/prod-2/${shard}`], { directory: fleet.repository })
  const source = `/apis/source.toolkit.fluxcd.io/v1/namespaces/flux-system/gitrepositories/prod-2-shard-${shard}`
  const { api } = bed.cluster('control')
  await api.patch(source, { metadata: { annotations: { 'reconcile.fluxcd.io/requestedAt': 'a-person' } } })
  await waitFor('the source to fail', async () => {
    const repository = await api.get<Kustomization>(source)
    return repository !== undefined && !isReady(repository)
  })
  await fleet.server.parts.writer.poll()
  t.ok(await mattermostWith(bed.cluster(FLUX.name), one.id, () => true), 'nothing is pruned')
  await update(stage, one, '11.2.2')
  t.pass('the ref is there again')
}

async function brokenOnArgoCd(t: Test, stage: Stage, one: Installation): Promise<void> {
  await broken(t, stage, one, withUnknownField, /nobodyKnowsThis/)
  // It takes such a file for none at all, and would prune everything if it were allowed to.
  await broken(t, stage, one, () => 'kind: [\n', /wipe out all resources/)
  t.ok(await mattermostWith(stage.bed.cluster(ARGOCD.name), one.id, () => true), 'nothing is pruned')
}

async function refused(t: Test, stage: Stage, one: Installation): Promise<void> {
  const { bed, fleet } = stage
  const { api } = bed.cluster(one.cluster.name)
  await api.apply({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicy',
    metadata: { name: 'no-thirteen' },
    spec: {
      matchConstraints: {
        resourceRules: [
          {
            apiGroups: ['installation.mattermost.com'],
            apiVersions: ['*'],
            operations: ['CREATE', 'UPDATE'],
            resources: ['mattermosts'],
          },
        ],
      },
      validations: [{ expression: "object.spec.version != '13.0.0'", message: 'thirteen is unlucky' }],
    },
  })
  await api.apply({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata: { name: 'no-thirteen' },
    spec: { policyName: 'no-thirteen', validationActions: ['Deny'] },
  })
  const [{ metadata }] = (
    await api.list<Mattermost>(`/apis/installation.mattermost.com/v1beta1/namespaces/${one.id}/mattermosts`)
  ).items as readonly [Mattermost]
  const path = `/apis/installation.mattermost.com/v1beta1/namespaces/${one.id}/mattermosts/${metadata.name}`
  await waitFor('the policy to count', () =>
    api
      .send('PATCH', `${path}?dryRun=All`, { spec: { version: '13.0.0' } }, 'application/merge-patch+json')
      .then(
        () => false,
        () => true,
      ),
  )
  await fleet.request('PUT', `/api/installation/${one.id}/mattermost`, { Version: '13.0.0' })
  const { synced } = await statusWith(fleet, one.id, 'the refusal', isFailed)
  t.match(synced.reason, /thirteen is unlucky/)
  const before = performance.now()
  await update(stage, one, '11.4.0')
  t.comment(`correction to live: ${((performance.now() - before) / 1000).toFixed(2)} s`)
  await statusWith(fleet, one.id, 'stable', ({ state }) => state === 'stable')
}

/** One manifest goes and a similar one comes in the same commit of the ref. */
async function overlooked(t: Test, { bed, fleet }: Stage, one: Installation): Promise<void> {
  const document = await fleet.read(manifestOf(one).replace('manifest.yaml', 'installation.yaml'))
  const ids = new Map([...document.matchAll(/\b[a-z0-9]{26}\b/g)].map(([id]) => [id, `${id.slice(0, -1)}9`]))
  const copy = [...ids].reduce((text, [from, to]) => text.replaceAll(from, to), document)
  const id = ids.get(one.id) ?? ''
  const path = manifestOf({ ...one, id }).replace('manifest.yaml', 'installation.yaml')
  await fleet.commit(
    {
      [manifestOf(one)]: undefined,
      [path]: copy.replaceAll(`one-${one.cluster.name}`, `two-${one.cluster.name}`),
    },
    'Rename it, as it seems',
  )
  t.strictSame(
    fleet.server.parts.writer.problems().map(({ code }) => code),
    ['edited-manifest'],
  )
  await mattermostWith(bed.cluster(one.cluster.name), id, () => true)
  const drift = await waitFor('what nobody wants any more', async () => {
    const found = await driftOf(fleet, one.id)
    return found.some(({ type }) => type === 'extra') ? found : undefined
  })
  t.ok(drift.some(({ type, object }) => type === 'extra' && object?.kind === 'Mattermost'))
  const { synced } = await statusWith(fleet, one.id, 'the word of Argo CD', () => true)
  t.match(synced, { synced: true }, 'Argo CD itself says that all is well')
}
