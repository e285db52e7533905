/** What every source of credentials promises. Run against each of them. */
import type { Test } from 'tap'
import { FleetError } from '../../src/fleet/errors.ts'
import { endpointOf } from '../../src/kube/kubeconfig.ts'
import type { ClusterName, CredentialSource } from '../../src/ports/clusters.ts'
import { until } from '../support/until.ts'

const CANARY = 'canary-51c0de-never-shown'

export interface SourceUnderTest {
  /** Of a fleet with the clusters prod-1, whose document names the secret kube-prod-1, and prod-2, whose document names none. */
  readonly source: CredentialSource
  readonly put: (secret: string, text: string) => Promise<void>
  readonly remove: (secret: string) => Promise<void>
  /** From now on the place does not answer; absent: that cannot be. */
  readonly fail?: () => Promise<void>
}

export function secretOf(cluster: ClusterName): string {
  return cluster === 'prod-1' ? 'kube-prod-1' : cluster
}

export function kubeconfig(token: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'here',
    contexts: [{ name: 'here', context: { cluster: 'here', user: 'me' } }],
    clusters: [{ name: 'here', cluster: { server: 'https://127.0.0.1:6443' } }],
    users: [{ name: 'me', user: { token } }],
  })
}

/** The token that a cluster would be asked with. */
async function tokenOf(source: CredentialSource, cluster: ClusterName): Promise<string | undefined> {
  const found = await source.read(cluster)
  if (found.source !== 'kubeconfig') throw new Error('not a kubeconfig')
  return await (await endpointOf(found.text)).token()
}

/** Everything that an error shows, to look for what it must not. */
export function everythingOf(error: unknown): string {
  if (!(error instanceof Error)) return JSON.stringify(error)
  const data = error instanceof FleetError ? JSON.stringify(error.data) : ''
  return `${error.message}\n${error.stack ?? ''}\n${data}\n${everythingOf(error.cause ?? '')}`
}

export async function checkCredentialSource(
  t: Test,
  open: (t: Test) => Promise<SourceUnderTest>,
): Promise<void> {
  await t.test('each cluster has its own, by the name that its document says or its own', async (t) => {
    const { source, put } = await open(t)
    await put('kube-prod-1', kubeconfig('one'))
    await put('prod-2', kubeconfig('two'))
    t.equal(await tokenOf(source, 'prod-1'), 'one')
    t.equal(await tokenOf(source, 'prod-2'), 'two')
  })
  await t.test('what is not there is missing, and the error says where', async (t) => {
    const { source } = await open(t)
    await t.rejects(source.read('prod-1'), { code: 'credentials-missing', message: /kube-prod-1/ })
  })
  await t.test('a new one is told of its cluster, and read', async (t) => {
    const { source, put } = await open(t)
    await put('kube-prod-1', kubeconfig('old'))
    t.equal(await tokenOf(source, 'prod-1'), 'old')
    const told: ClusterName[] = []
    const end = source.onChange((cluster) => void told.push(cluster))
    await put('kube-prod-1', kubeconfig('new'))
    await until(
      async () => told,
      (clusters) => clusters.includes('prod-1'),
    )
    t.equal(await tokenOf(source, 'prod-1'), 'new')
    end()
  })
  await t.test('one that comes late, or goes, is noticed too', async (t) => {
    const { source, put, remove } = await open(t)
    await t.rejects(source.read('prod-1'), { code: 'credentials-missing' })
    let told = 0
    source.onChange((cluster) => {
      if (cluster === 'prod-1') told += 1
    })
    await put('kube-prod-1', kubeconfig('late'))
    await until(
      async () => told,
      (times) => times > 0,
    )
    t.equal(await tokenOf(source, 'prod-1'), 'late')
    const before = told
    await remove('kube-prod-1')
    await until(
      async () => told,
      (times) => times > before,
    )
    await t.rejects(source.read('prod-1'), { code: 'credentials-missing' })
  })
  await t.test('what cannot be used says so and never shows itself', async (t) => {
    const { source, put } = await open(t)
    for (const text of [`token: ${CANARY}: [`, CANARY, kubeconfig(CANARY).replace('https:', 'ftp:')]) {
      await put('prod-2', text)
      const error = await until(
        async () => await tokenOf(source, 'prod-2').catch((thrown: unknown) => thrown),
        (thrown) => thrown instanceof FleetError && thrown.code !== 'credentials-missing',
      )
      t.match(error, { code: 'credentials-invalid' })
      t.notMatch(everythingOf(error), CANARY)
    }
  })
  await t.test(
    'a place that does not answer is no missing credential, and nobody is told of a change',
    async (t) => {
      const { source, put, fail } = await open(t)
      if (fail === undefined) return t.pass('it always answers')
      await put('kube-prod-1', kubeconfig(CANARY))
      await source.read('prod-1')
      let told = 0
      source.onChange(() => {
        told += 1
      })
      await fail()
      const error = await until(
        async () => await source.read('prod-1').catch((thrown: unknown) => thrown),
        (thrown) => thrown instanceof FleetError,
      )
      t.match(error, { code: 'credentials-unavailable' })
      t.notMatch(everythingOf(error), CANARY)
      t.equal(told, 0)
    },
  )
}
