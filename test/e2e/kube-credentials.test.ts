/** Credentials against a real API server: wrong, replaced, expired, kept in a Secret, made for EKS. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Test, test } from 'tap'
import type { Cluster } from '../../scripts/testbed/cluster.ts'
import { missingCustomResources } from '../../scripts/testbed/custom-resources.ts'
import { startTestbed, type Testbed } from '../../scripts/testbed/testbed.ts'
import { waitFor } from '../../scripts/testbed/wait.ts'
import { createEksEndpoints } from '../../src/aws/eks/endpoint.ts'
import { createClusters } from '../../src/kube/clusters.ts'
import { createControlClusterReader } from '../../src/kube/credentials-control-cluster.ts'
import { createEksCredentials } from '../../src/kube/credentials-eks.ts'
import { pollCredentials } from '../../src/kube/polled-credentials.ts'
import type { ClusterApi } from '../../src/ports/clusters.ts'
import { openClusterWorld } from '../../src/reconcile/cluster-world.ts'
import { systemClock, systemRandomness } from '../../src/system/clock.ts'
import { checkCredentialSource, secretOf } from '../kube/credentials-contract.ts'
import { awsThatFails } from '../support/aws-that-fails.ts'
import { type EksWebhook, startEksWebhook } from '../support/eks-webhook.ts'
import { applyAll } from '../support/fleet-files.ts'
import { cluster as clusterIntent } from '../support/intents.ts'
import { connectByFolder, NODE_KIND, SECRET, serviceAccountToken } from '../support/kube-on-testbed.ts'
import { signServiceAccountToken } from '../support/service-account-token.ts'

const skip = missingCustomResources() ?? false
const OBSERVER = join(
  import.meta.dirname,
  '../golden/clusters/flux/clusters/prod-1/system/manifests/observer.yaml',
)
const CANARY = 'canary-2b8d61-never-shown'
const KEYS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret-of-the-test' }

test('credentials meet an API server', { skip }, async (t) => {
  const webhook = await startEksWebhook({ clusterName: 'prod-1', ...KEYS, groups: ['fleetwright-observers'] })
  t.teardown(() => webhook.close())
  const bed = await startTestbed({
    clusters: [{ name: 'prod-1', nodes: 1, tokenWebhookUrl: webhook.url }],
    log: (line) => t.comment(line),
  })
  t.teardown(() => bed.stop())
  const cluster = bed.cluster('prod-1')
  await applyAll(cluster.api, await readFile(OBSERVER, 'utf8'))

  await t.test('a wrong token says so and harms no other; a new one is taken up', (t) =>
    wrongToken(t, bed, cluster),
  )
  await t.test('a token that expires says so; a new one is taken up', (t) => expiredToken(t, bed, cluster))
  await t.test('Secrets of the control cluster keep the contract of sources', (t) =>
    inSecrets(t, bed, cluster),
  )
  await t.test('a token made for EKS logs in', (t) => eksToken(t, cluster, webhook))
})

async function wrongToken(t: Test, bed: Testbed, cluster: Cluster): Promise<void> {
  const connections = await connectByFolder(bed, 'wrong', ['good', 'bad'])
  t.teardown(() => connections.close())
  await connections.put('good', cluster.kubeconfigFor(cluster.token))
  await connections.put('bad', cluster.kubeconfigFor(CANARY))
  const [good, bad] = [connections.clusters.get('good'), connections.clusters.get('bad')]
  await waitFor('the good one', async () => good.contact.connected)
  await waitFor('the bad one to say so', async () => bad.contact.problem !== undefined)
  const { problem } = bad.contact
  t.match(bad.contact, { connected: false, lastContact: undefined })
  t.same(
    [problem?.code, problem?.detail],
    ['unauthorized', 'The API server does not accept the credentials: Unauthorized'],
  )
  const since = problem?.since
  await t.rejects(
    bad.list(NODE_KIND, () => undefined),
    { code: 'cluster-unavailable' },
  )
  t.equal(bad.contact.problem?.since, since, 'it is the same problem')
  t.match(good.contact, { connected: true, problem: undefined })
  await connections.put('bad', cluster.kubeconfigFor(cluster.token))
  await waitFor('the new token to be taken up', async () => bad.contact.connected)
  t.equal(bad.contact.problem, undefined)
  await connections.put('good', '{')
  await waitFor('the broken file to be noticed', async () => good.contact.problem !== undefined)
  t.match(good.contact, { connected: false, problem: { code: 'credentials-invalid' } })
  t.ok(bad.contact.connected)
}

async function expiredToken(t: Test, bed: Testbed, cluster: Cluster): Promise<void> {
  const connections = await connectByFolder(bed, 'expired', ['prod-1'])
  t.teardown(() => connections.close())
  // The API server allows a minute more, and remembers good tokens for ten seconds.
  const expiresAt = Date.now() - 52_000
  const account = ['fleetwright', 'fleetwright-observer'] as const
  await connections.put(
    'prod-1',
    cluster.kubeconfigFor(await signServiceAccountToken(cluster, ...account, expiresAt)),
  )
  const api = connections.clusters.get('prod-1')
  await waitFor('contact', async () => api.contact.connected)
  await waitFor('the end of the token', async () => !api.contact.connected, { within: 120_000 })
  t.match(api.contact, { problem: { code: 'unauthorized' } })
  t.ok(api.contact.lastContact, 'when it last answered is known')
  await connections.put('prod-1', cluster.kubeconfigFor(await serviceAccountToken(cluster, ...account)))
  await waitFor('the new token to be taken up', async () => api.contact.connected)
  t.equal(api.contact.problem, undefined)
}

async function inSecrets(t: Test, bed: Testbed, cluster: Cluster): Promise<void> {
  const { api } = cluster
  await api.create('/apis/rbac.authorization.k8s.io/v1/namespaces/fleetwright/roles', {
    metadata: { name: 'credentials' },
    rules: [{ apiGroups: [''], resources: ['secrets'], verbs: ['get'] }],
  })
  await api.create('/apis/rbac.authorization.k8s.io/v1/namespaces/fleetwright/rolebindings', {
    metadata: { name: 'credentials' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'credentials' },
    subjects: [{ kind: 'ServiceAccount', name: 'fleetwright-observer', namespace: 'fleetwright' }],
  })
  const connections = await connectByFolder(bed, 'control', ['control'])
  t.teardown(() => connections.close())
  const token = await serviceAccountToken(cluster, 'fleetwright', 'fleetwright-observer')
  await connections.put('control', cluster.kubeconfigFor(token))
  const path = '/api/v1/namespaces/fleetwright/secrets'
  let control: Pick<ClusterApi, 'get'> = connections.clusters.get('control')
  const present = new Set<string>()
  await checkCredentialSource(t, async (t) => {
    control = connections.clusters.get('control')
    for (const name of present) await api.remove(`${path}/${name}`)
    const read = createControlClusterReader({
      control: () => control,
      namespace: 'fleetwright',
      secretOf,
      region: () => undefined,
    })
    const source = pollCredentials({
      read,
      clusters: () => ['prod-1', 'prod-2'],
      clock: systemClock,
      randomness: systemRandomness,
      intervalMilliseconds: 50,
    })
    t.teardown(() => source.close())
    return {
      source,
      async put(name, kubeconfig) {
        present.add(name)
        await api.apply({
          apiVersion: 'v1',
          kind: 'Secret',
          metadata: { name, namespace: 'fleetwright' },
          stringData: { kubeconfig },
        })
      },
      remove: (name) => api.remove(`${path}/${name}`),
      async fail() {
        control = connections.clusters.get('nobody-knows')
      },
    }
  })
  await t.rejects(connections.clusters.get('control').get(SECRET, 'default', 'x'), {
    code: 'cluster-forbidden',
  })
}

async function eksToken(t: Test, cluster: Cluster, webhook: EksWebhook): Promise<void> {
  await cluster.api.create('/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
    metadata: { name: 'eks' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'fleetwright-observer' },
    subjects: [{ kind: 'Group', apiGroup: 'rbac.authorization.k8s.io', name: 'fleetwright-observers' }],
  })
  const data = Buffer.from(cluster.authority).toString('base64')
  const described = {
    name: 'prod-1',
    status: 'ACTIVE',
    endpoint: cluster.url,
    certificateAuthority: { data },
  }
  const aws = await awsThatFails(t, { answer: { cluster: described } })
  async function connect(secretAccessKey: string): Promise<ClusterApi> {
    process.env.AWS_ACCESS_KEY_ID = KEYS.accessKeyId
    process.env.AWS_SECRET_ACCESS_KEY = secretAccessKey
    const eks = createEksEndpoints({ endpoint: aws.url, clock: systemClock })
    const document = clusterIntent('prod-1', 1, { provider: 'aws', provisioner: 'eks' })
    const credentials = createEksCredentials({ clusterOf: () => document, region: () => 'us-east-1' })
    const clusters = createClusters({
      credentials,
      clock: systemClock,
      randomness: systemRandomness,
      eksEndpoint: (reference) => eks.endpoint(reference),
    })
    t.teardown(async () => {
      await clusters.close()
      eks.close()
    })
    return clusters.get('prod-1')
  }
  const api = await connect(KEYS.secretAccessKey)
  const world = openClusterWorld({
    api,
    clock: systemClock,
    onTouch: () => undefined,
    onContact: () => undefined,
  })
  t.teardown(() => world.close())
  await waitFor('every watch to be fresh with that token', async () => world.fresh)
  t.match(world.nodes, { nodes: 1 })
  t.ok(webhook.asked() > 0, 'the API server asked about it')
  const other = await connect(CANARY)
  await waitFor('the wrong key to be noticed', async () => other.contact.problem !== undefined)
  t.match(other.contact, { connected: false, problem: { code: 'unauthorized' } })
  t.notMatch(JSON.stringify(other.contact), CANARY)
  t.ok(api.contact.connected)
}
