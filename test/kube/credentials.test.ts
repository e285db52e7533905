import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  PutSecretValueCommand,
  ResourceExistsException,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager'
import { type Test, test } from 'tap'
import { ToolUnavailableError } from '../../scripts/testbed/binaries.ts'
import { FleetError } from '../../src/fleet/errors.ts'
import type { LiveObject } from '../../src/fleet/observed/objects.ts'
import { chainCredentials } from '../../src/kube/credentials-chain.ts'
import { createControlClusterReader } from '../../src/kube/credentials-control-cluster.ts'
import { createEksCredentials } from '../../src/kube/credentials-eks.ts'
import { openCredentialsFolder } from '../../src/kube/credentials-folder.ts'
import { createSecretBackendReader } from '../../src/kube/credentials-secret-backend.ts'
import { endpointOf } from '../../src/kube/kubeconfig.ts'
import { pollCredentials } from '../../src/kube/polled-credentials.ts'
import type { ClusterApi, ClusterName, CredentialSource } from '../../src/ports/clusters.ts'
import { openSecretsManager } from '../../src/secrets/aws-secrets-manager/backend.ts'
import { systemClock, systemRandomness } from '../../src/system/clock.ts'
import { cluster } from '../support/intents.ts'
import { startMoto } from '../support/moto.ts'
import { until } from '../support/until.ts'
import {
  checkCredentialSource,
  everythingOf,
  kubeconfig,
  type SourceUnderTest,
  secretOf,
} from './credentials-contract.ts'

process.env.AWS_ACCESS_KEY_ID = 'test'
process.env.AWS_SECRET_ACCESS_KEY = 'test'

const CLUSTERS: readonly ClusterName[] = ['prod-1', 'prod-2']
const POLLED = {
  clusters: () => CLUSTERS,
  clock: systemClock,
  randomness: systemRandomness,
  intervalMilliseconds: 30,
} as const
const CANARY = 'canary-90ff1a-never-shown'

const moto = await startMoto().catch((error: unknown) => {
  if (error instanceof ToolUnavailableError) return error
  throw error
})

test('a folder', async (t) => {
  await checkCredentialSource(t, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'credentials-'))
    const source = await openCredentialsFolder({ folder, fileOf: secretOf, clusters: () => CLUSTERS })
    t.teardown(async () => {
      await source.close()
      await rm(folder, { recursive: true })
    })
    return {
      source,
      put: (secret, text) => writeFile(join(folder, secret), text),
      remove: (secret) => rm(join(folder, secret)),
    }
  })
})

interface ControlCluster {
  readonly api: Pick<ClusterApi, 'get'>
  readonly secrets: Map<string, Readonly<Record<string, string>>>
  error: FleetError | undefined
}

/** As the control cluster answers; the real one is in test/e2e/kube.test.ts. */
function controlCluster(): ControlCluster {
  const secrets: ControlCluster['secrets'] = new Map()
  const control: ControlCluster = {
    secrets,
    error: undefined,
    api: {
      async get(kind, namespace, name): Promise<LiveObject | undefined> {
        if (control.error !== undefined) throw control.error
        const found = secrets.get(`${kind.plural}/${namespace ?? ''}/${name}`)
        if (found === undefined) return undefined
        const entries = Object.entries(found).map(([key, text]) => [
          key,
          Buffer.from(text).toString('base64'),
        ])
        return { apiVersion: 'v1', kind: 'Secret', metadata: { name }, data: Object.fromEntries(entries) }
      },
    },
  }
  return control
}

function controlSource(t: Test, control: ControlCluster): CredentialSource {
  const read = createControlClusterReader({
    control: () => control.api,
    namespace: 'fleetwright',
    secretOf,
    region: () => 'eu-central-1',
  })
  const source = pollCredentials({ ...POLLED, read })
  t.teardown(() => source.close())
  return source
}

test('Secrets of the control cluster', async (t) => {
  await checkCredentialSource(t, async (t): Promise<SourceUnderTest> => {
    const control = controlCluster()
    return {
      source: controlSource(t, control),
      put: async (secret, text) =>
        void control.secrets.set(`secrets/fleetwright/${secret}`, { kubeconfig: text }),
      remove: async (secret) => void control.secrets.delete(`secrets/fleetwright/${secret}`),
      async fail() {
        control.error = new FleetError('cluster-unavailable', 'connect ECONNREFUSED', {
          problem: 'unreachable',
        })
      },
    }
  })
})

const CONFIGS = [
  [{ bearerToken: 'argo', tlsClientConfig: { caData: 'Q0E=' } }, 'argo'],
  [{ awsAuthConfig: { clusterName: 'prod', roleARN: 'arn:aws:iam::123456789012:role/r' } }, undefined],
] as const

test('Secrets in which Argo CD keeps clusters', async (t) => {
  const control = controlCluster()
  const source = controlSource(t, control)
  for (const [at, [config, token]] of CONFIGS.entries()) {
    const data = { name: 'x', server: 'https://10.0.0.1', config: JSON.stringify(config) }
    control.secrets.set(`secrets/fleetwright/argo-${at}`, data)
    const found = await source.read(`argo-${at}`)
    if (found.source === 'eks')
      t.same(found, {
        source: 'eks',
        clusterName: 'prod',
        region: 'eu-central-1',
        roleArn: 'arn:aws:iam::123456789012:role/r',
      })
    else t.equal(await (await endpointOf(found.text)).token(), token)
  }
})

const UNUSABLE = [
  ['no JSON', CANARY],
  ['a program', { execProviderConfig: { command: CANARY } }],
  ['no check of TLS', { bearerToken: CANARY, tlsClientConfig: { insecure: true } }],
  ['a password', { username: 'me', password: CANARY }],
  ['nothing to log in with', { tlsClientConfig: { caData: CANARY } }],
] as const

for (const [what, config] of UNUSABLE) {
  test(`a cluster Secret of Argo CD with ${what} is refused without showing it`, async (t) => {
    const control = controlCluster()
    const text = typeof config === 'string' ? config : JSON.stringify(config)
    control.secrets.set('secrets/fleetwright/prod-2', { server: 'https://10.0.0.1', config: text })
    const source = controlSource(t, control)
    const error = await source
      .read('prod-2')
      .then((found) => (found.source === 'kubeconfig' ? endpointOf(found.text) : undefined))
      .catch((thrown: unknown) => thrown)
    t.match(error, { code: 'credentials-invalid' })
    t.notMatch(everythingOf(error), CANARY)
  })
}

test('the control cluster that forbids it is named, and no name leads elsewhere', async (t) => {
  const control = controlCluster()
  const source = controlSource(t, control)
  await t.rejects(source.read('@control'), { code: 'credentials-missing' })
  await t.rejects(source.read('../secrets/x'), { code: 'credentials-missing' })
  control.error = new FleetError('cluster-forbidden', 'secrets is forbidden')
  await t.rejects(source.read('prod-1'), { code: 'credentials-invalid', message: /secrets is forbidden/ })
})

const skip = moto instanceof ToolUnavailableError ? moto.message : false

test('AWS Secrets Manager', { skip }, async (t) => {
  if (moto instanceof ToolUnavailableError) return
  t.teardown(() => moto.close())
  const client = new SecretsManagerClient({ region: 'us-east-1', endpoint: moto.url })
  t.teardown(() => client.destroy())
  await checkCredentialSource(t, async (t): Promise<SourceUnderTest> => {
    await moto.reset()
    let broken = false
    const backend = openSecretsManager({ region: 'us-east-1', endpoint: moto.url, prefix: () => 'fleet/' })
    const absent = openSecretsManager({
      region: 'us-east-1',
      endpoint: 'http://127.0.0.1:9',
      prefix: () => 'fleet/',
      attempts: 1,
    })
    const get: typeof backend.get = (key) => (broken ? absent : backend).get(key)
    const read = createSecretBackendReader({ backend: { get }, place: 'AWS Secrets Manager', secretOf })
    const source = pollCredentials({ ...POLLED, read })
    t.teardown(async () => {
      await source.close()
      await Promise.all([backend.close(), absent.close()])
    })
    return {
      source,
      async put(secret, text) {
        const id = { SecretString: text }
        await client
          .send(new CreateSecretCommand({ Name: `fleet/${secret}`, ...id }))
          .catch(async (error: unknown) => {
            if (!(error instanceof ResourceExistsException)) throw error
            await client.send(new PutSecretValueCommand({ SecretId: `fleet/${secret}`, ...id }))
          })
      },
      async remove(secret) {
        await client.send(
          new DeleteSecretCommand({ SecretId: `fleet/${secret}`, ForceDeleteWithoutRecovery: true }),
        )
      },
      async fail() {
        broken = true
      },
    }
  })
})

test('EKS clusters are named by the fleet; others have nothing there', async (t) => {
  const documents = [cluster('prod-1', 1, { provider: 'aws', provisioner: 'eks' }), cluster('prod-2', 2)]
  const of = (region: string | undefined, roleArn?: string): CredentialSource =>
    createEksCredentials({
      clusterOf: (name) => documents.find(({ metadata }) => metadata.name === name),
      region: () => region,
      ...(roleArn === undefined ? {} : { roleArn }),
    })
  t.same(await of('us-east-1', 'role').read('prod-1'), {
    source: 'eks',
    clusterName: 'prod-1',
    region: 'us-east-1',
    roleArn: 'role',
  })
  await t.rejects(of('us-east-1').read('prod-2'), { code: 'credentials-missing' })
  await t.rejects(of(undefined).read('prod-1'), { code: 'credentials-invalid', message: /aws-region/ })
})

function fixed(answer: string | FleetError): CredentialSource {
  return {
    async read() {
      if (answer instanceof FleetError) throw answer
      return { source: 'kubeconfig', text: kubeconfig(answer), version: answer }
    },
    onChange: () => () => undefined,
    close: async () => undefined,
  }
}

const MISSING = fixed(new FleetError('credentials-missing', 'not here'))
const BROKEN = fixed(new FleetError('credentials-unavailable', 'away'))

test('the first source that has some is used; one that fails is not passed over', async (t) => {
  t.match(await chainCredentials([MISSING, fixed('b'), fixed('c')]).read('x'), { version: 'b' })
  await t.rejects(chainCredentials([MISSING, BROKEN, fixed('c')]).read('x'), {
    code: 'credentials-unavailable',
  })
  await t.rejects(chainCredentials([MISSING, MISSING]).read('x'), {
    code: 'credentials-missing',
    message: 'not here; not here',
  })
})

test('many who ask at once, and soon after, cost one question', async (t) => {
  let asked = 0
  const source = pollCredentials({
    ...POLLED,
    intervalMilliseconds: 60_000,
    async read() {
      asked += 1
      throw new FleetError('credentials-missing', 'none')
    },
  })
  t.teardown(() => source.close())
  const answers = await Promise.allSettled(Array.from({ length: 100 }, () => source.read('prod-1')))
  t.ok(answers.every(({ status }) => status === 'rejected'))
  await t.rejects(source.read('prod-1'), { code: 'credentials-missing' })
  t.equal(asked, 1)
})

test('a file that changes tells its own cluster only', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'credentials-'))
  const source = await openCredentialsFolder({ folder, fileOf: secretOf, clusters: () => CLUSTERS })
  t.teardown(async () => {
    await source.close()
    await rm(folder, { recursive: true })
  })
  await writeFile(join(folder, 'kube-prod-1'), kubeconfig('one'))
  await writeFile(join(folder, 'prod-2'), kubeconfig('two'))
  await Promise.all(CLUSTERS.map((name) => source.read(name)))
  const told = new Set<ClusterName>()
  source.onChange((name) => void told.add(name))
  await writeFile(join(folder, 'prod-2'), kubeconfig('three'))
  await until(
    async () => told,
    (names) => names.has('prod-2'),
  )
  t.same([...told], ['prod-2'])
})

test('no name leads out of the folder, and the next source may have it', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'credentials-'))
  const source = await openCredentialsFolder({ folder, fileOf: (name) => name, clusters: () => CLUSTERS })
  t.teardown(async () => {
    await source.close()
    await rm(folder, { recursive: true })
  })
  for (const name of ['../secret', '/etc/passwd', 'team/kube', '.hidden', ''])
    await t.rejects(source.read(name), { code: 'credentials-missing' }, name)
  t.match(await chainCredentials([source, fixed('b')]).read('team/kube'), { version: 'b' })
})
