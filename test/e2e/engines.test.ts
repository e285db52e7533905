/** A request over HTTP is applied by both real engines to real API servers and becomes stable. */
import { type Test, test } from 'tap'
import { missingCustomResources } from '../../scripts/testbed/custom-resources.ts'
import type { KubernetesObject } from '../../scripts/testbed/kubernetes-api.ts'
import type { Testbed } from '../../scripts/testbed/testbed.ts'
import { waitFor } from '../../scripts/testbed/wait.ts'
import { startEngineBed } from '../support/engine-bed.ts'
import {
  clusterIsWired,
  type FleetCluster,
  type FleetOnTestbed,
  startFleet,
  tipOf,
} from '../support/fleet-on-testbed.ts'
import { isStable, mattermostWith } from '../support/installation-on-testbed.ts'

const skip = missingCustomResources() ?? false

const CLUSTERS: readonly FleetCluster[] = [
  { name: 'prod-1', engine: 'argocd' },
  { name: 'prod-2', engine: 'flux' },
]

test('both engines apply what Fleetwright commits', { skip }, async (t) => {
  const bed = await startEngineBed(t, CLUSTERS)
  const control = bed.cluster('control')
  const fleet = await startFleet(bed, CLUSTERS)
  t.teardown(() => fleet.close())

  await t.test('the engines learn of the clusters from git alone', async (t) => {
    const before = performance.now()
    for (const cluster of CLUSTERS) await clusterIsWired(control, cluster)
    t.pass(`${Math.round(performance.now() - before)} ms`)
  })
  await t.test('the folder decides where a file of the system is applied', async (t) => {
    const path = '/apis/rbac.authorization.k8s.io/v1/clusterroles/fleetwright-observer'
    for (const { name, engine } of CLUSTERS) {
      const role = await waitFor(`the role of Fleetwright on ${name}`, () => bed.cluster(name).api.get(path))
      t.equal(role.kind, 'ClusterRole', `${engine} applied system/manifests on ${name}`)
    }
    t.equal(await control.api.get(path), undefined, 'not on the control cluster')
  })
  for (const { name, engine } of CLUSTERS)
    await t.test(engine, (t) => installationLives(t, { bed, fleet, cluster: name, engine }))
})

interface Setting extends Pick<FleetCluster, 'engine'> {
  readonly bed: Testbed
  readonly fleet: FleetOnTestbed
  readonly cluster: string
}

interface Created {
  readonly ID: string
}

async function installationLives(t: Test, setting: Setting): Promise<void> {
  const { fleet, cluster } = setting
  const before = performance.now()
  const seconds = (): string => `${((performance.now() - before) / 1000).toFixed(2)} s`
  const { ID: id } = await fleet.request<Created>('POST', '/api/installations', {
    Name: `acme-${cluster}`,
    OwnerID: 'acme-inc',
    Version: '11.2.0',
    DNSNames: [`acme-${cluster}.cloud.example.com`],
    Affinity: 'multitenant',
    Database: 'cloudnative-pg',
    Filestore: 'local-ephemeral',
    Annotations: [cluster],
  })
  t.comment(`request to committed: ${seconds()}`)
  const applied = await mattermostWith(setting.bed.cluster(cluster), id, () => true)
  t.comment(`request to applied: ${seconds()}`)
  t.equal(applied.spec.version, '11.2.0')
  const stable = await mattermostWith(setting.bed.cluster(cluster), id, isStable)
  t.comment(`request to stable: ${seconds()}`)
  t.equal(stable.metadata.generation, 1, 'the operator had nothing to add to the spec')
  await reportsStable(setting, id)
  t.comment(`request to stable in the API: ${seconds()}`)
  await engineReports(t, setting, id)

  const change = performance.now()
  await fleet.request('PUT', `/api/installation/${id}/mattermost`, { Version: '11.3.0' })
  await mattermostWith(setting.bed.cluster(cluster), id, ({ spec }) => spec.version === '11.3.0')
  t.comment(`change to applied: ${((performance.now() - change) / 1000).toFixed(2)} s`)
  const updated = await mattermostWith(
    setting.bed.cluster(cluster),
    id,
    (one) => isStable(one) && one.status?.version === '11.3.0',
  )
  t.comment(`change to stable: ${((performance.now() - change) / 1000).toFixed(2)} s`)
  t.equal(updated.status?.state, 'stable')
  await reportsStable(setting, id)
}

/** What the API says, which Fleetwright learnt by watching. */
async function reportsStable({ fleet }: Setting, id: string): Promise<void> {
  await waitFor(`${id} to be stable in the API`, async () => {
    const { State } = await fleet.request<{ readonly State: string }>('GET', `/api/installation/${id}`)
    return State === 'stable'
  })
}

interface Application extends KubernetesObject {
  readonly status?: {
    readonly sync?: { readonly status?: string; readonly revision?: string }
    readonly health?: { readonly status?: string }
  }
}

interface Kustomization extends KubernetesObject {
  readonly status?: { readonly lastAppliedRevision?: string }
}

/** The engine says which commit it applied, and that is the tip. */
async function engineReports(t: Test, { bed, fleet, cluster, engine }: Setting, id: string): Promise<void> {
  const { api } = bed.cluster('control')
  if (engine === 'argocd') {
    const path = `/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/mm-${id}`
    const sync = await waitFor('Argo CD to be in sync and find it healthy', async () => {
      const { status } = (await api.get<Application>(path)) ?? {}
      const isDone = status?.sync?.status === 'Synced' && status.health?.status === 'Healthy'
      return isDone ? status.sync : undefined
    })
    t.equal(sync.revision, await tipOf(fleet, `cluster/${cluster}`))
    return
  }
  const shard = id.charAt(0)
  const path = `/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/flux-system/kustomizations/${cluster}-shard-${shard}`
  const tip = await tipOf(fleet, `shard/${cluster}/${shard}`)
  const expected = `refs/heads/shard/${cluster}/${shard}@sha1:${tip}`
  await waitFor('Flux to have applied the tip', async () => {
    const { status } = (await api.get<Kustomization>(path)) ?? {}
    return status?.lastAppliedRevision === expected
  })
  t.pass(expected)
}
