/** The stand-in for the Mattermost operator, held to what was observed of the real one. */
import { type Test, test } from 'tap'
import { missingCustomResources } from '../../scripts/testbed/custom-resources.ts'
import type { KubernetesApi } from '../../scripts/testbed/kubernetes-api.ts'
import { startTestbed } from '../../scripts/testbed/testbed.ts'
import { waitFor } from '../../scripts/testbed/wait.ts'
import { startMattermostOperator } from '../stand-ins/mattermost-operator.ts'
import type { Deployment, Mattermost, MattermostSpec } from '../stand-ins/mattermost-operator/types.ts'

const skip = missingCustomResources() ?? false

const SPEC: MattermostSpec = {
  image: 'mattermost/mattermost-enterprise-edition',
  version: '11.2.0',
  imagePullPolicy: 'IfNotPresent',
  replicas: 2,
  scheduling: { resources: { requests: { cpu: '100m', memory: '256Mi' } } },
  ingress: { enabled: true, host: 'acme.example.com', ingressClass: 'nginx' },
  database: { external: { secret: 'database' } },
  fileStore: { external: { url: 's3.example.com', bucket: 'files', secret: 'files' } },
}

test('the stand-in for the Mattermost operator', { skip }, async (t) => {
  const bed = await startTestbed({
    clusters: [{ name: 'prod-1', customResources: ['installation.mattermost.com'] }],
  })
  t.teardown(() => bed.stop())
  const { api } = bed.cluster('prod-1')
  const operator = startMattermostOperator({ api, slots: 2, deferral: 300 })
  t.teardown(() => operator.close())

  await t.test('a new one becomes stable, and its spec is left alone', async (t) => {
    await makeNamespace(api, 'acme')
    const states = watchStates(api, 'acme')
    await api.create(listPath('acme'), mattermost('acme', SPEC))
    const stable = await becomesStable(api, 'acme')
    t.equal(stable.metadata.generation, 1, 'never written by the operator')
    t.match(stable.status, {
      state: 'stable',
      observedGeneration: 1,
      version: '11.2.0',
      image: SPEC.image,
      endpoint: 'acme.example.com',
      replicas: 2,
      updatedReplicas: 2,
    })
    t.equal(stable.status?.error, undefined)
    const seen = await states.stop()
    t.match(seen[0], /^reconciling: ServiceAccount "acme" not found/, 'a short-lived error at first')
    for (const path of [
      '/apis/apps/v1/namespaces/acme/deployments/acme',
      '/api/v1/namespaces/acme/services/acme',
      '/apis/networking.k8s.io/v1/namespaces/acme/ingresses/acme',
      '/api/v1/namespaces/acme/serviceaccounts/acme',
      '/apis/rbac.authorization.k8s.io/v1/namespaces/acme/roles/acme',
      '/apis/rbac.authorization.k8s.io/v1/namespaces/acme/rolebindings/acme',
    ]) {
      const [owner] = (await api.get(path))?.metadata.ownerReferences ?? []
      t.match(owner, { kind: 'Mattermost', name: 'acme' }, path)
    }
  })

  await t.test('a new version runs the update job, then rolls', async (t) => {
    const states = watchStates(api, 'acme')
    await patchSpec(api, 'acme', { version: '11.3.0' })
    const stable = await becomesStable(api, 'acme')
    t.equal(stable.status?.version, '11.3.0')
    t.ok((await states.stop()).some((state) => state.startsWith('reconciling')))
    const deployment = await api.get<Deployment>('/apis/apps/v1/namespaces/acme/deployments/acme')
    t.equal(
      deployment?.spec.template.spec.containers[0]?.image,
      'mattermost/mattermost-enterprise-edition:11.3.0',
    )
    const job = '/apis/batch/v1/namespaces/acme/jobs/mattermost-update-check'
    await waitFor('the end of the job', async () => (await api.get(job)) === undefined)
  })

  await t.test('without replicas it is stable', async (t) => {
    await patchSpec(api, 'acme', { replicas: 0 })
    const { status } = await becomesStable(api, 'acme')
    t.match(status, { state: 'stable', replicas: 0 })
  })

  await t.test('an incomplete one is completed by the operator, and its size goes', async (t) => {
    await makeNamespace(api, 'sized')
    await api.create(listPath('sized'), mattermost('sized', { ...withoutReplicas(SPEC), size: '100users' }))
    const { spec, metadata } = await becomesStable(api, 'sized')
    t.equal(spec.size, undefined)
    t.match(spec, {
      replicas: 1,
      scheduling: { resources: { requests: { cpu: '100m', memory: '256Mi' }, limits: { memory: '4Gi' } } },
      elasticSearch: {},
      ingressName: '',
    })
    t.equal(metadata.generation, 2)
    t.ok(metadata.managedFields?.some(({ manager }) => manager === 'mattermost-operator'))
  })

  await t.test('a missing Secret is an error, and its arrival the end of it', async (t) => {
    await makeNamespace(api, 'poor', [])
    await api.create(listPath('poor'), mattermost('poor', SPEC))
    const failing = await waitFor('the error', async () => {
      const seen = await read(api, 'poor')
      return seen?.status?.error?.includes('"database" not found') === true ? seen : undefined
    })
    t.equal(failing.status?.state, 'reconciling')
    await makeSecrets(api, 'poor', ['database', 'files'])
    t.equal((await becomesStable(api, 'poor')).status?.error, undefined)
  })

  await t.test('it has so many slots, and the others wait their turn', async (t) => {
    for (const name of ['first', 'second', 'third']) await makeNamespace(api, name, [])
    for (const name of ['first', 'second']) await api.create(listPath(name), mattermost(name, SPEC))
    for (const name of ['first', 'second'])
      await waitFor(`the error of ${name}`, async () => (await read(api, name))?.status?.error !== undefined)
    await api.create(listPath('third'), mattermost('third', SPEC))
    await new Promise((resolve) => setTimeout(resolve, 700))
    t.equal((await read(api, 'third'))?.status, undefined, 'not even looked at')
    for (const name of ['first', 'third']) await makeSecrets(api, name, ['database', 'files'])
    t.equal((await becomesStable(api, 'third')).status?.state, 'stable')
    await api.remove(`${listPath('second')}/second`)
  })

  await t.test('it can be slow, fail, lie and stop', (t) => misbehaves(t, api, operator))
})

async function misbehaves(
  t: Test,
  api: KubernetesApi,
  operator: ReturnType<typeof startMattermostOperator>,
): Promise<void> {
  operator.behave({ failure: 'out of order' }, 'acme/acme')
  await patchSpec(api, 'acme', { replicas: 1 })
  await waitFor('the failure', async () => (await read(api, 'acme'))?.status?.error === 'out of order')
  operator.behave({ failure: undefined }, 'acme/acme')
  await becomesStable(api, 'acme')

  operator.behave({ stopped: true }, 'acme/acme')
  await patchSpec(api, 'acme', { replicas: 2 })
  await new Promise((resolve) => setTimeout(resolve, 500))
  const stopped = await read(api, 'acme')
  t.match(stopped?.status, { state: 'stable', replicas: 1 }, 'stopped: the old state stays')
  t.not(stopped?.status?.observedGeneration, stopped?.metadata.generation)
  operator.behave({ stopped: false, delay: 500 }, 'acme/acme')
  const before = performance.now()
  await becomesStable(api, 'acme')
  t.ok(performance.now() - before >= 500, 'slow')

  operator.behave({ staleGeneration: true, delay: 0 }, 'acme/acme')
  await patchSpec(api, 'acme', { replicas: 3 })
  const lie = await waitFor('three replicas', async () => {
    const seen = await read(api, 'acme')
    return seen?.status?.replicas === 3 && seen.status.state === 'stable' ? seen : undefined
  })
  t.equal(lie.status?.observedGeneration, (lie.metadata.generation ?? 0) - 1, 'a lie')
}

function listPath(namespace: string): string {
  return `/apis/installation.mattermost.com/v1beta1/namespaces/${namespace}/mattermosts`
}

function mattermost(name: string, spec: MattermostSpec): object {
  return {
    apiVersion: 'installation.mattermost.com/v1beta1',
    kind: 'Mattermost',
    metadata: { name, namespace: name },
    spec,
  }
}

function withoutReplicas({ replicas: _, ...rest }: MattermostSpec): MattermostSpec {
  return rest
}

async function makeNamespace(
  api: KubernetesApi,
  name: string,
  secrets: readonly string[] = ['database', 'files'],
): Promise<void> {
  await api.create('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
  await makeSecrets(api, name, secrets)
}

async function makeSecrets(api: KubernetesApi, namespace: string, names: readonly string[]): Promise<void> {
  for (const name of names)
    await api.create(`/api/v1/namespaces/${namespace}/secrets`, {
      metadata: { name },
      stringData: { key: 'x' },
    })
}

async function read(api: KubernetesApi, name: string): Promise<Mattermost | undefined> {
  return await api.get<Mattermost>(`${listPath(name)}/${name}`)
}

async function patchSpec(api: KubernetesApi, name: string, spec: MattermostSpec): Promise<void> {
  await api.patch(`${listPath(name)}/${name}`, { spec })
}

async function becomesStable(api: KubernetesApi, name: string): Promise<Mattermost> {
  return await waitFor(`${name} to be stable`, async () => {
    const seen = await read(api, name)
    const { state, observedGeneration, error = '' } = seen?.status ?? {}
    const done = state === 'stable' && observedGeneration === seen?.metadata.generation && error === ''
    return done ? seen : undefined
  })
}

/** Every different state and error that the API server sends. */
function watchStates(api: KubernetesApi, name: string): { stop(): Promise<readonly string[]> } {
  const seen: string[] = []
  const closing = new AbortController()
  const watching = (async () => {
    const { metadata } = await api.list<Mattermost>(listPath(name))
    for await (const { object } of api.watch<Mattermost>(
      listPath(name),
      metadata.resourceVersion,
      closing.signal,
    )) {
      const { state, error } = object.status ?? {}
      if (state !== undefined) seen.push(error === undefined ? state : `${state}: ${error}`)
    }
  })().catch((error: unknown) => {
    if (!closing.signal.aborted) throw error
  })
  return {
    async stop() {
      closing.abort()
      await watching
      return seen
    },
  }
}
