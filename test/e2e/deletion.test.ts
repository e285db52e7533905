/** Both real engines remove an installation from real API servers, by git alone, and keep what is to be kept. */
import { type Test, test } from 'tap'
import { missingCustomResources } from '../../scripts/testbed/custom-resources.ts'
import type { KubernetesObject } from '../../scripts/testbed/kubernetes-api.ts'
import type { Testbed } from '../../scripts/testbed/testbed.ts'
import { waitFor } from '../../scripts/testbed/wait.ts'
import { git } from '../../src/git/child-process.ts'
import { startEngineBed } from '../support/engine-bed.ts'
import { readFleetFile } from '../support/fleet-files.ts'
import {
  clusterIsWired,
  type FleetCluster,
  type FleetOnTestbed,
  startFleet,
} from '../support/fleet-on-testbed.ts'
import { isStable, mattermostWith } from '../support/installation-on-testbed.ts'

const skip = missingCustomResources() ?? false

const CLUSTERS: readonly FleetCluster[] = [
  { name: 'prod-1', engine: 'argocd' },
  { name: 'prod-2', engine: 'flux' },
]
const DELETION = { pendingSeconds: 1, keepFilestore: true }
const REMOVAL = ['deletion-requested', 'deletion-in-progress', 'deletion-final-cleanup', 'deleted']
const KEPT_DATABASE = '/apis/postgresql.cnpg.io/v1/namespaces'

test('installations go as they came', { skip }, async (t) => {
  const bed = await startEngineBed(t, CLUSTERS)
  const control = bed.cluster('control')
  const fleet = await startFleet(bed, CLUSTERS)
  t.teardown(() => fleet.close())
  for (const cluster of CLUSTERS) await clusterIsWired(control, cluster)

  await fleet.settle({ deletion: { ...DELETION, keepDatabase: false } })
  for (const { name, engine } of CLUSTERS) {
    const setting = { bed, fleet, cluster: name, engine }
    await t.test(`${engine}: all of it`, (t) => ranAndGoes(t, setting))
    await t.test(`${engine}: one that never ran`, (t) => neverRanAndGoes(t, setting))
  }
  await fleet.settle({ deletion: { ...DELETION, keepDatabase: true } })
  for (const { name, engine } of CLUSTERS)
    await t.test(`${engine}: its database stays`, (t) =>
      keepsItsDatabase(t, { bed, fleet, cluster: name, engine }),
    )
})

interface Setting extends Pick<FleetCluster, 'engine'> {
  readonly bed: Testbed
  readonly fleet: FleetOnTestbed
  readonly cluster: string
}

interface Shown {
  readonly ID: string
  readonly State: string
  readonly DeleteAt: number
}

async function create({ fleet, cluster }: Setting, name: string): Promise<string> {
  const { ID } = await fleet.request<Shown>('POST', '/api/installations', {
    Name: `${name}-${cluster}`,
    OwnerID: 'acme-inc',
    Version: '11.2.0',
    DNSNames: [`${name}-${cluster}.cloud.example.com`],
    Database: 'cloudnative-pg',
    Filestore: 'local-ephemeral',
    Affinity: 'multitenant',
    Annotations: [cluster],
  })
  return ID
}

async function runs(setting: Setting, name: string): Promise<string> {
  const id = await create(setting, name)
  await mattermostWith(setting.bed.cluster(setting.cluster), id, isStable)
  await stateIs(setting, id, 'stable')
  return id
}

async function stateIs({ fleet }: Setting, id: string, state: string): Promise<Shown> {
  return await waitFor(
    `${id} to be ${state}`,
    async () => {
      const shown = await fleet.request<Shown>('GET', `/api/installation/${id}`)
      return shown.State === state ? shown : undefined
    },
    { within: 120_000 },
  )
}

async function ranAndGoes(t: Test, setting: Setting): Promise<void> {
  const id = await runs(setting, 'whole')
  const before = performance.now()
  await setting.fleet.request('DELETE', `/api/installation/${id}`)
  await isGone(t, setting, id)
  t.comment(`request to deleted: ${((performance.now() - before) / 1000).toFixed(2)} s`)
  t.same(await statesOf(setting, id), ['deletion-pending-requested', 'deletion-pending', ...REMOVAL])
  await nothingIsLeft(t, setting, id)
}

async function neverRanAndGoes(t: Test, setting: Setting): Promise<void> {
  const id = await create(setting, 'brief')
  await setting.fleet.request('DELETE', `/api/installation/${id}`)
  await isGone(t, setting, id)
  t.same(await statesOf(setting, id), REMOVAL)
  await nothingIsLeft(t, setting, id)
}

async function keepsItsDatabase(t: Test, setting: Setting): Promise<void> {
  const id = await runs(setting, 'kept')
  await setting.fleet.request('DELETE', `/api/installation/${id}`)
  await isGone(t, setting, id)
  const { api } = setting.bed.cluster(setting.cluster)
  const databases = await api.list<KubernetesObject>(`${KEPT_DATABASE}/${id}/clusters`)
  t.equal(databases.items.length, 1, 'the database is there')
  const namespace = await api.get<KubernetesObject>(`/api/v1/namespaces/${id}`)
  t.equal(namespace?.metadata.deletionTimestamp, undefined, 'and its namespace')
  for (const [path, what] of [
    [`/apis/installation.mattermost.com/v1beta1/namespaces/${id}/mattermosts`, 'Mattermost'],
    [`/apis/external-secrets.io/v1/namespaces/${id}/externalsecrets`, 'ExternalSecrets'],
    [`/apis/networking.k8s.io/v1/namespaces/${id}/networkpolicies`, 'NetworkPolicies'],
  ] as const)
    t.same((await api.list<KubernetesObject>(path)).items, [], `no ${what}`)
  t.match(await tombstone(setting, id), /database: true/)
}

/** Deleted in the API, and in git only the tombstone. */
async function isGone(t: Test, setting: Setting, id: string): Promise<void> {
  const { fleet, cluster } = setting
  const deleted = await stateIs(setting, id, 'deleted')
  t.ok(deleted.DeleteAt > 0, 'it says when')
  const listed = await fleet.request<readonly Shown[]>('GET', '/api/installations?per_page=-1')
  t.notOk(listed.some(({ ID }) => ID === id))
  const all = await fleet.request<readonly Shown[]>(
    'GET',
    '/api/installations?per_page=-1&include_deleted=true',
  )
  t.ok(all.some(({ ID, State }) => ID === id && State === 'deleted'))
  const folder = `clusters/${cluster}/installations/${id[0]}/${id}`
  const files = await git(['ls-tree', '-r', '--name-only', 'main', folder], {
    directory: fleet.repository,
  })
  t.equal(files.toString('utf8'), '', 'no file of it')
  t.match(await tombstone(setting, id), /removedAt: /)
}

async function tombstone({ fleet, cluster }: Setting, id: string): Promise<string> {
  return await readFleetFile(fleet.repository, 'main', `clusters/${cluster}/tombstones/${id[0]}/${id}.yaml`)
}

/** Those of the deletion, oldest first, but that its pods still end: that may be too short to be seen. */
async function statesOf({ fleet }: Setting, id: string): Promise<readonly string[]> {
  const events = await fleet.request<
    readonly { readonly StateChange: { readonly NewState: string; readonly OldState: string } }[]
  >('GET', `/api/events/state_change?resource_id=${id}&resource_type=installation&per_page=-1`)
  return events
    .map(({ StateChange }) => StateChange.NewState)
    .filter((state) => state.startsWith('delet') && state !== 'deletion-pending-in-progress')
    .reverse()
}

async function nothingIsLeft(t: Test, { bed, cluster, engine }: Setting, id: string): Promise<void> {
  const { api } = bed.cluster(cluster)
  t.equal(await api.get(`/api/v1/namespaces/${id}`), undefined, 'its namespace is gone')
  if (engine === 'flux') return
  await waitFor(`the Application of ${id} to go`, async () => {
    const path = `/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/mm-${id}`
    return (await bed.cluster('control').api.get(path)) === undefined
  })
}
