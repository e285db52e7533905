/** The health rules that are rendered for the engines, in the real engines, on the same cases as our own functions. */
import { type Test, test } from 'tap'
import { parse, stringify } from 'yaml'
import { missingCustomResources } from '../../scripts/testbed/custom-resources.ts'
import type { KubernetesApi, KubernetesObject } from '../../scripts/testbed/kubernetes-api.ts'
import { startTestbed } from '../../scripts/testbed/testbed.ts'
import { waitFor } from '../../scripts/testbed/wait.ts'
import type { HealthRule } from '../../src/fleet/observed/kinds.ts'
import { healthChecks } from '../../src/render/cluster/health-checks.ts'
import { startFluxSourceController } from '../stand-ins/flux-source-controller.ts'
import { type GitOverHttp, serveGit } from '../support/git-over-http.ts'
import { ARGOCD_WORDS, fluxWordOf, HEALTH_CASES, type HealthCase } from '../support/health-cases.ts'

const skip = missingCustomResources() ?? false
const NAMESPACE = 'cases'
const ARGOCD_REF = 'refs/heads/cases'
const FLUX_REF = 'refs/heads/nothing'
const FINALIZER = 'fleetwright.dev/stays'

/** One kind for each rule. */
const KINDS = {
  mattermost: {
    apiVersion: 'installation.mattermost.com/v1beta1',
    kind: 'Mattermost',
    plural: 'mattermosts',
    spec: { fileStore: { local: { enabled: true } } },
  },
  'managed-resource': {
    apiVersion: 'iam.aws.m.upbound.io/v1beta1',
    kind: 'AccessKey',
    plural: 'accesskeys',
    spec: { forProvider: {} },
  },
  ready: {
    apiVersion: 'external-secrets.io/v1',
    kind: 'ExternalSecret',
    plural: 'externalsecrets',
    spec: { secretStoreRef: { name: 'store', kind: 'SecretStore' }, data: [] },
  },
} as const satisfies Record<HealthRule, object>

const CASES = HEALTH_CASES.map((one, at) => ({ ...one, object: `${one.rule}-${at}` }))
type Case = (typeof CASES)[number]

test("the engines judge health as Fleetwright's own functions do", { skip }, async (t) => {
  const git = await serveGit()
  t.teardown(() => git.close())
  const bed = await startTestbed({
    clusters: [
      {
        name: 'control',
        nodes: 0,
        customResources: [
          'installation.mattermost.com',
          'accesskeys.iam.aws.m.upbound.io',
          'externalsecrets.external-secrets.io',
        ],
      },
    ],
    argocd: true,
    flux: true,
    log: (line) => t.comment(line),
  })
  t.teardown(() => bed.stop())
  const { api } = bed.cluster('control')
  const source = await startFluxSourceController({ api, folder: await bed.makeFolder('flux-source') })
  t.teardown(() => source.close())

  await t.test('the health checks join what is in argocd-cm', async (t) => {
    await api.apply(parse(healthChecks('argocd')), 'fleetwright')
    const path = '/api/v1/namespaces/argocd/configmaps/argocd-cm'
    const data = (await api.get<ConfigMap>(path))?.data ?? {}
    t.equal(data['timeout.reconciliation'], '900s', 'a key of a person')
    t.ok(data['resource.customizations.health.installation.mattermost.com_Mattermost'])
  })
  await t.test('Argo CD', (t) => argocdAgrees(t, api, git))
  await t.test('Flux', (t) => fluxAgrees(t, api, git))
})

interface ConfigMap extends KubernetesObject {
  readonly data?: Readonly<Record<string, string>>
}

interface Application extends KubernetesObject {
  readonly status?: {
    readonly sync?: { readonly status?: string }
    readonly operationState?: { readonly phase?: string; readonly message?: string }
    readonly resources?: readonly { readonly name: string; readonly health?: { readonly status?: string } }[]
  }
}

/** It applies the objects; then they get their status, and it says what it thinks of each. */
async function argocdAgrees(t: Test, api: KubernetesApi, git: GitOverHttp): Promise<void> {
  await git.commit(ARGOCD_REF, {
    'cases.yaml': CASES.map((one) => stringify(objectOf(one))).join('---\n'),
  })
  await api.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } })
  await api.apply({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: 'repository',
      namespace: 'argocd',
      labels: { 'argocd.argoproj.io/secret-type': 'repository' },
    },
    stringData: { type: 'git', url: git.url, ...git.login },
  })
  await api.apply({
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name: NAMESPACE, namespace: 'argocd' },
    spec: {
      project: 'default',
      destination: { name: 'in-cluster', namespace: NAMESPACE },
      source: { repoURL: git.url, targetRevision: ARGOCD_REF, path: '.' },
      syncPolicy: { automated: {}, syncOptions: ['ServerSideApply=true'] },
    },
  })
  await Promise.all(CASES.map((one) => waitFor(one.object, () => api.get(pathOf(one)))))
  await Promise.all(CASES.map((one) => becomeSo(api, one)))
  const expected = CASES.map((one) => `${one.object}: ${ARGOCD_WORDS[one.health]}`)
  let found: readonly string[] = []
  await waitFor('Argo CD to judge', async () => {
    const words = await argocdWords(api)
    found = CASES.map((one) => `${one.object}: ${words.get(one.object)}`)
    return found.every((line, at) => line === expected[at])
  }).catch(() => undefined)
  for (const [at, one] of CASES.entries()) t.equal(found[at], expected[at], `${one.rule}: ${one.name}`)
}

async function argocdWords(api: KubernetesApi): Promise<ReadonlyMap<string, string | undefined>> {
  const path = `/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/${NAMESPACE}`
  const { status } = (await api.get<Application>(path)) ?? {}
  return new Map(status?.resources?.map(({ name, health }) => [name, health?.status]))
}

interface Kustomization extends KubernetesObject {
  readonly status?: {
    readonly conditions?: readonly {
      readonly type: string
      readonly status: string
      readonly message: string
    }[]
  }
}

/** Its Kustomizations apply nothing, and wait for the objects. */
async function fluxAgrees(t: Test, api: KubernetesApi, git: GitOverHttp): Promise<void> {
  await git.commit(FLUX_REF, { 'README.md': 'Nothing\n' })
  await api.apply({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'login', namespace: 'flux-system' },
    stringData: git.login,
  })
  await api.apply({
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'GitRepository',
    metadata: { name: NAMESPACE, namespace: 'flux-system' },
    spec: { interval: '10m', url: git.url, ref: { name: FLUX_REF }, secretRef: { name: 'login' } },
  })
  const saying = (...words: readonly string[]): readonly Case[] =>
    CASES.filter((one) => words.includes(fluxWordOf(one)))
  const [current, waiting, failed] = await Promise.all([
    fluxWords(api, 'current', saying('Current')),
    fluxWords(api, 'waiting', saying('InProgress', 'Unknown')),
    // It tells of no other one once one of them has failed.
    Promise.all(saying('Failed').map((one) => fluxWords(api, one.object, [one]))),
  ])
  t.strictSame([...current], [], 'all that are to be current are')
  const said = new Map([...waiting, ...failed.flatMap((words) => [...words])])
  const others = saying('InProgress', 'Unknown', 'Failed')
  for (const one of others) t.equal(said.get(one.object), fluxWordOf(one), `${one.rule}: ${one.name}`)
  t.equal(others.length + saying('Current').length, CASES.length)
}

/** What Flux says of those that are not current when it has given up. */
async function fluxWords(
  api: KubernetesApi,
  part: string,
  cases: readonly Case[],
): Promise<ReadonlyMap<string, string>> {
  const name = `cases-${part}`
  const { spec } = parse(healthChecks('flux'))
  await api.apply({
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: { name, namespace: 'flux-system' },
    spec: {
      interval: '60m',
      timeout: '6s',
      prune: true,
      path: './',
      sourceRef: { kind: 'GitRepository', name: NAMESPACE },
      healthChecks: cases.map(({ rule, object }) => {
        const { apiVersion, kind } = KINDS[rule]
        return { apiVersion, kind, name: object, namespace: NAMESPACE }
      }),
      ...spec,
    },
  })
  const condition = await waitFor(`the verdict of ${name}`, async () => {
    const path = `/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/flux-system/kustomizations/${name}`
    const { status } = (await api.get<Kustomization>(path)) ?? {}
    const found = status?.conditions?.find(({ type }) => type === 'Ready')
    return found === undefined || found.status === 'Unknown' ? undefined : found
  })
  const said = condition.message.matchAll(/(\S+)\/([\w-]+) status: '(\w+)'/g)
  return new Map([...said].map(([, , object = '', status = '']) => [object, status]))
}

function objectOf({ rule, object, spec, annotations, deleting }: Case): KubernetesObject {
  const { apiVersion, kind, spec: least } = KINDS[rule]
  return {
    apiVersion,
    kind,
    metadata: {
      name: object,
      namespace: NAMESPACE,
      ...(annotations === undefined ? {} : { annotations }),
      ...(deleting === undefined ? {} : { finalizers: [FINALIZER] }),
    },
    spec: { ...least, ...spec },
  }
}

function pathOf({ rule, object }: Case): string {
  const { apiVersion, plural } = KINDS[rule]
  return `/apis/${apiVersion}/namespaces/${NAMESPACE}/${plural}/${object}`
}

/** As its controller would leave it. */
async function becomeSo(api: KubernetesApi, one: Case): Promise<void> {
  if (one.status !== undefined) await api.patch(`${pathOf(one)}/status`, { status: complete(one.status) })
  if (one.deleting) await api.remove(pathOf(one))
}

/** Conditions have a time and a reason, or the API server refuses them. */
function complete(status: NonNullable<HealthCase['status']>): object {
  const { conditions } = status
  if (!Array.isArray(conditions)) return status
  const lastTransitionTime = '2026-11-24T00:00:00Z'
  return { ...status, conditions: conditions.map((condition) => ({ lastTransitionTime, ...condition })) }
}
