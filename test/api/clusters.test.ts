import { test } from 'tap'
import { createStable, importCluster, send } from '../support/api.ts'
import { startTestServer } from '../support/server.ts'
import { applySetup } from '../support/setup-steps.ts'

const server = await startTestServer('all')
const { url } = server
const { parts } = server.server

const EKS = { provisioner: 'eks', ami: 'ami-1', 'cluster-role-arn': 'arn:c', 'node-role-arn': 'arn:n' }
const WORKER = { Name: 'worker-a', Type: 'worker', InstanceType: 'm5.large', MinCount: 2, MaxCount: 2 }

async function create(body: object): Promise<string> {
  const reply = await send(url, 'POST', '/api/clusters', { body })
  if (reply.status !== 202) throw new Error(`${reply.status}: ${reply.text}`)
  return reply.body.ID
}

async function stable(id: string, more: object = {}): Promise<void> {
  await applySetup(parts, { cluster: id, state: 'stable', ...more })
}

function intentOf(id: string): NonNullable<ReturnType<typeof parts.writer.fleet.clusterById>>['spec'] {
  const cluster = parts.writer.fleet.clusters().find(({ metadata }) => metadata.id === id)
  if (cluster === undefined) throw new Error(`there is no cluster ${id}`)
  return cluster.spec
}

test('git holds all that is wanted, the API shows what is asked for and not there yet', async (t) => {
  const id = await create({ version: '1.29.0', 'node-min-count': 2 })
  await stable(id, { kopsMetadata: { Name: 'k', Version: '1.29.0', NodeMinCount: 2, NodeMaxCount: 2 } })
  const path = `/api/cluster/${id}`
  await send(url, 'PUT', `${path}/kubernetes`, { body: { version: '1.30.0' } })
  await stable(id)
  const { body } = await send(url, 'PUT', `${path}/size`, {
    body: { 'node-min-count': 3, 'node-max-count': 5 },
  })
  t.same(body.ProvisionerMetadataKops.ChangeRequest, { NodeMinCount: 3, NodeMaxCount: 5 })
  t.match(intentOf(id).kubernetes, { version: '1.30.0', nodeMinCount: 3, nodeMaxCount: 5, masterCount: 1 })
  const back = await send(url, 'PUT', `${path}/size`, { body: { 'node-min-count': 2, 'node-max-count': 2 } })
  t.match(back.body, { State: 'resize-requested' })
  t.notOk('ChangeRequest' in back.body.ProvisionerMetadataKops, 'taken back: nothing is asked for any more')
  t.match(intentOf(id).kubernetes, { version: '1.30.0', nodeMinCount: 2, nodeMaxCount: 2 })
})

test('node groups of EKS are added, replaced by an upgrade, resized and removed', async (t) => {
  const id = await create({ ...EKS, 'additional-node-groups': { calls: { InstanceType: 'c5.large' } } })
  const path = `/api/cluster/${id}`
  const early = await send(url, 'POST', `${path}/nodegroups`, { body: { nodegroups: { search: {} } } })
  t.match(early, { status: 400, body: { code: 'invalid-state' } })
  const groups = { worker: WORKER, calls: { ...WORKER, Name: 'calls-a', Type: 'calls' } }
  await stable(id, { eksMetadata: { Name: 'x', Version: '1.29', NodeGroups: groups } })
  const added = await send(url, 'POST', `${path}/nodegroups`, {
    body: { nodegroups: { search: { MinCount: 3 } }, 'nodegroup-with-sg': ['search'] },
  })
  t.match(added, { status: 202, body: { State: 'nodegroups-creation-requested' } })
  t.match(added.body.ProvisionerMetadataEKS.ChangeRequest.NodeGroups, {
    search: { Name: /^search-/, Type: 'search', MinCount: 3, MaxCount: 3, WithSecurityGroup: true },
  })
  await stable(id)
  const upgraded = await send(url, 'PUT', `${path}/kubernetes`, { body: { version: '1.30' } })
  t.same(Object.keys(upgraded.body.ProvisionerMetadataEKS.ChangeRequest.NodeGroups), ['worker', 'calls'])
  const { nodeGroups } = intentOf(id).kubernetes ?? {}
  t.match(
    nodeGroups,
    { search: { minCount: 3 }, calls: { instanceType: 'c5.large' } },
    'all groups are wanted',
  )
  t.not(nodeGroups?.worker?.name, 'worker-a', 'a replaced group has a new name')
  await stable(id)
  const removed = await send(url, 'DELETE', `${path}/nodegroup/calls`)
  t.match(removed, { status: 202, body: { State: 'nodegroups-deletion-requested' } })
  t.same(Object.keys(intentOf(id).kubernetes?.nodeGroups ?? {}).sort(), ['search', 'worker'])
})

const NODE_GROUPS_REFUSED = [
  ['POST', '/nodegroups', {}, /at least one node group/],
  ['POST', '/nodegroups', { nodegroups: { worker: {} } }, /no node group of the cluster has/],
  ['POST', '/nodegroups', { nodegroups: { a: { MinCount: 3, MaxCount: 2 } } }, /MinCount or more/],
  [
    'POST',
    '/nodegroups',
    { nodegroups: { a: {} }, 'nodegroup-with-sg': ['b'] },
    /node groups of the request/,
  ],
  ['DELETE', '/nodegroup/nothing', undefined, /no node group nothing/],
  ['DELETE', '/nodegroup/worker', undefined, /cannot be deleted/],
] as const

test('node groups that cannot be are refused', async (t) => {
  const id = await create(EKS)
  await stable(id, { eksMetadata: { Name: 'x', NodeGroups: { worker: WORKER } } })
  for (const [method, tail, body, detail] of NODE_GROUPS_REFUSED) {
    const reply = await send(url, method, `/api/cluster/${id}${tail}`, body === undefined ? {} : { body })
    t.match(reply, { status: 400, body: { detail } }, String(detail))
  }
})

test('a provisioning keeps the versions of utilities it does not name', async (t) => {
  const id = await create({ 'utility-versions': { nginx: { Chart: '4.4.4', ValuesPath: 'n.yaml' } } })
  await stable(id)
  const blank = { Chart: '', ValuesPath: '' }
  const { body } = await send(url, 'POST', `/api/cluster/${id}/provision`, {
    body: { 'utility-versions': { nginx: blank, thanos: { Chart: '14.0.0', ValuesPath: 't.yaml' } } },
  })
  t.match(
    body.UtilityMetadata.DesiredVersions,
    { Nginx: blank, Thanos: { Chart: '14.0.0' } },
    'as it was asked',
  )
  t.match(intentOf(id).utilities, {
    nginx: { chart: '4.4.4' },
    thanos: { chart: '14.0.0' },
    velero: { chart: /^\d/ },
  })
  const unknown = await send(url, 'POST', `/api/cluster/${id}/provision`, {
    body: { 'utility-versions': { nginks: blank } },
  })
  t.match(unknown, { status: 400, body: { errors: [{ pointer: '/utility-versions/nginks' }] } })
})

test('a cluster with installations is not deleted, and one that is being deleted takes none', async (t) => {
  const id = await importCluster(url, 'busy')
  await createStable(server, 'acme')
  await stable(id)
  const refused = await send(url, 'DELETE', `/api/cluster/${id}`)
  t.match(refused, { status: 403, body: { code: 'guarded', detail: /has 1 installation;/ } })
  const empty = await importCluster(url, 'empty')
  await stable(empty)
  t.equal((await send(url, 'DELETE', `/api/cluster/${empty}`)).status, 202)
  const { body: plan } = await send(url, 'POST', '/api/installations?dry_run=true', {
    body: { Name: 'b', OwnerID: 'o', DNSNames: ['bb.example.com'], Database: 'cloudnative-pg' },
  })
  t.equal(plan.status, 400, 'this one is not valid')
  const candidates = (
    await send(url, 'POST', '/api/installations?dry_run=true', {
      body: {
        Name: 'bb',
        OwnerID: 'o',
        DNSNames: ['bb.example.com'],
        Database: 'cloudnative-pg',
        Filestore: 'local-ephemeral',
        Affinity: 'multitenant',
      },
    })
  ).body.placement.candidates
  t.match(
    candidates.find(({ cluster }: { cluster: string }) => cluster === 'empty'),
    { refusal: 'is being deleted' },
  )
})

const KUBECONFIG = {
  clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:1' } }],
  contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
  'current-context': 'x',
  users: [{ name: 'u', user: { token: 't' } }],
}
const SECRETS = [
  ['whole', KUBECONFIG, 202],
  ['no-context', { ...KUBECONFIG, 'current-context': 'other' }, 400],
  ['no-user', { ...KUBECONFIG, users: [] }, 400],
  ['no-cluster', { ...KUBECONFIG, clusters: [] }, 400],
  ['list', [KUBECONFIG], 400],
  ['empty', {}, 400],
] as const

test('the secret of an imported cluster must be a kubeconfig that can be used', async (t) => {
  for (const [name, content, status] of SECRETS) {
    await parts.secrets.put(name, JSON.stringify(content))
    const body = { 'external-cluster-secret-name': name }
    t.equal((await send(url, 'POST', '/api/clusters/import', { body })).status, status, name)
  }
  const absent = { 'external-cluster-secret-name': 'comes-later' }
  t.equal(
    (await send(url, 'POST', '/api/clusters/import', { body: absent })).status,
    202,
    'it may come later',
  )
  const vpc = { 'external-cluster-secret-name': 'whole', 'vpc-id': 'vpc-of-nobody' }
  const unknown = await send(url, 'POST', '/api/clusters/import', { body: vpc })
  t.match(unknown, { status: 400, body: { errors: [{ pointer: '/vpc-id', detail: /spec\.vpcs/ }] } })
})

test('the server ends', async () => {
  await server.close()
})
