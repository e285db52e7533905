/** What is rendered becomes stable on a real API server, with stand-ins for every operator it needs. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'tap'
import { parseAllDocuments } from 'yaml'
import { missingCustomResources } from '../../scripts/testbed/custom-resources.ts'
import type { KubernetesApi, KubernetesObject } from '../../scripts/testbed/kubernetes-api.ts'
import { startTestbed } from '../../scripts/testbed/testbed.ts'
import { waitFor } from '../../scripts/testbed/wait.ts'
import { type OperatorStandIns, RENDERED_RESOURCES, startOperators } from '../stand-ins/operators.ts'
import type { ManagedResource } from '../stand-ins/crossplane.ts'
import type { ExternalSecret } from '../stand-ins/external-secrets.ts'
import type { Mattermost } from '../stand-ins/mattermost-operator/types.ts'

const skip = missingCustomResources() ?? false
const GOLDEN = join(import.meta.dirname, '../golden/installations')
const NAMES = [
  'aws-rds-postgres--aws-s3',
  'aws-multitenant-rds-postgres--bifrost',
  'aws-multitenant-rds-postgres-pgbouncer--aws-multitenant-s3',
  'cloudnative-pg--local-ephemeral',
  'external--bifrost',
  'everything',
  'hibernated',
  'route53-without-oidc',
] as const

const BACKEND = JSON.stringify({
  DB_CONNECTION_STRING: 'postgres://somebody:something@db.example.com/mattermost',
  accesskey: 'key',
  secretkey: 'secret',
})

test('rendered installations', { skip }, async (t) => {
  const bed = await startTestbed({
    clusters: [{ name: 'prod-1', customResources: RENDERED_RESOURCES, nodeLabels: { type: 'premium' } }],
    log: (line) => t.comment(line),
  })
  t.teardown(() => bed.stop())
  const { api } = bed.cluster('prod-1')
  const operators = startOperators({ api, backend: async () => BACKEND })
  t.teardown(() => operators.close())

  for (const [at, name] of NAMES.entries()) {
    await t.test(name, async (t) => {
      const namespace = `n${String(at).padStart(25, '0')}`
      await applyGolden(api, name, namespace)
      const mattermost = await stable(api, namespace)
      t.equal(mattermost.metadata.generation, 1, 'the operator had nothing to add to the spec')
      const externals = await list<ExternalSecret>(
        api,
        'external-secrets.io/v1',
        'externalsecrets',
        namespace,
      )
      for (const { metadata } of externals)
        await waitFor(`secret ${metadata.name}`, () =>
          api.get(`/api/v1/namespaces/${namespace}/secrets/${metadata.name}`),
        )
    })
  }

  await t.test('every store of secrets is found valid', async (t) => {
    const stores = await waitFor('the stores', async () => {
      const { items } = await api.list<ExternalSecret>('/apis/external-secrets.io/v1/secretstores')
      return items.every(({ status }) => status?.conditions?.length === 1) ? items : undefined
    })
    t.ok(stores.length > 0)
    for (const { status } of stores)
      t.match(status?.conditions?.[0], { type: 'Ready', status: 'True', reason: 'Valid' })
  })

  await t.test('a database becomes available step by step, with its connection secret', async (t) => {
    const [database] = await list<ManagedResource>(
      api,
      'rds.aws.m.upbound.io/v1beta1',
      'clusters',
      namespaceOf(0),
    )
    const conditions = database?.status?.conditions?.map(({ type, status, reason }) => [type, status, reason])
    t.same(conditions, [
      ['Synced', 'True', 'ReconcileSuccess'],
      ['Ready', 'True', 'Available'],
      ['LastAsyncOperation', 'True', 'Success'],
      ['AsyncOperation', 'True', 'Finished'],
    ])
    t.equal(database?.metadata.annotations?.['crossplane.io/external-name'], database?.metadata.name)
    const secret = database?.spec.writeConnectionSecretToRef?.name
    const connection = await api.get<Secret>(`/api/v1/namespaces/${namespaceOf(0)}/secrets/${secret}`)
    t.same(Object.keys(connection?.data ?? {}).sort(), [
      'attribute.master_password',
      'endpoint',
      'master_username',
      'port',
      'reader_endpoint',
    ])
    t.equal(connection?.metadata.ownerReferences?.[0]?.kind, 'Cluster', 'goes with the database')
  })

  await t.test('a provider and a secret store out of order', async (t) => {
    await misbehave(operators)
    await applyGolden(api, 'aws-rds-postgres--aws-s3', namespaceOf(20))
    const database = await waitFor('the failure of the database', async () => {
      const [one] = await list<ManagedResource>(
        api,
        'rds.aws.m.upbound.io/v1beta1',
        'clusters',
        namespaceOf(20),
      )
      return one?.status?.conditions === undefined ? undefined : one
    })
    const failed = database.status?.conditions?.find(({ type }) => type === 'LastAsyncOperation')
    t.match(failed, { status: 'False', reason: 'ApplyFailure', message: 'quota exceeded' })
    const external = await waitFor('the failure of a secret', async () => {
      const [one] = await list<ExternalSecret>(
        api,
        'external-secrets.io/v1',
        'externalsecrets',
        namespaceOf(20),
      )
      return one?.status?.conditions === undefined ? undefined : one
    })
    t.match(external.status?.conditions?.[0], {
      type: 'Ready',
      status: 'False',
      reason: 'SecretSyncedError',
      message: 'no access',
    })
    operators.crossplane.behave({ failure: undefined })
    operators.externalSecrets.behave({ failure: undefined })
    t.equal((await stable(api, namespaceOf(20))).status?.state, 'stable', 'and in order again')
  })
})

interface Secret extends KubernetesObject {
  readonly data?: Readonly<Record<string, string>>
}

async function misbehave({ crossplane, externalSecrets }: OperatorStandIns): Promise<void> {
  crossplane.behave({ failure: 'quota exceeded' })
  externalSecrets.behave({ failure: 'no access' })
}

function namespaceOf(at: number): string {
  return `n${String(at).padStart(25, '0')}`
}

/** As an engine applies it, in a namespace of its own. */
async function applyGolden(api: KubernetesApi, name: string, namespace: string): Promise<void> {
  const text = await readFile(join(GOLDEN, `${name}.yaml`), 'utf8')
  const [original = ''] =
    /[a-z0-9]{26}/.exec(/^kind: Namespace\nmetadata:\n {2}name: (.*)$/m.exec(text)?.[1] ?? '') ?? []
  for (const document of parseAllDocuments(text.replaceAll(original, namespace))) {
    const object: KubernetesObject = document.toJS()
    await api.apply(object, 'engine')
  }
}

async function list<Kind extends KubernetesObject>(
  api: KubernetesApi,
  version: string,
  plural: string,
  namespace: string,
): Promise<readonly Kind[]> {
  return (await api.list<Kind>(`/apis/${version}/namespaces/${namespace}/${plural}`)).items
}

async function stable(api: KubernetesApi, namespace: string): Promise<Mattermost> {
  return await waitFor(`the installation in ${namespace} to be stable`, async () => {
    const [one] = await list<Mattermost>(api, 'installation.mattermost.com/v1beta1', 'mattermosts', namespace)
    const { state, observedGeneration, error = '' } = one?.status ?? {}
    const done = state === 'stable' && observedGeneration === one?.metadata.generation && error === ''
    return done ? one : undefined
  })
}
