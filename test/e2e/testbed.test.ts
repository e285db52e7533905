import { type Test, test } from 'tap'
import { missingCustomResources } from '../../scripts/testbed/custom-resources.ts'
import { createKubernetesApi, type KubernetesObject } from '../../scripts/testbed/kubernetes-api.ts'
import { startTestbed, type Testbed } from '../../scripts/testbed/testbed.ts'
import { waitFor } from '../../scripts/testbed/wait.ts'

const skip = missingCustomResources() ?? false

interface Pod extends KubernetesObject {
  readonly status?: { readonly phase?: string }
}

test('two clusters side by side', { skip }, async (t) => {
  const bed = await startTestbed({
    clusters: [
      { name: 'control', nodes: 1 },
      { name: 'prod-1', customResources: ['installation.mattermost.com'] },
    ],
    gitea: true,
    moto: true,
    log: (line) => t.comment(line),
  })
  t.teardown(() => bed.stop())

  await t.test('pods of a Deployment become ready', (t) => deploymentRollsOut(t, bed))

  await t.test('the administrator comes in, others do not', async (t) => {
    const { api, url, authority } = bed.cluster('control')
    t.equal((await api.list('/api/v1/nodes')).items.length, 1)
    const stranger = createKubernetesApi({ url, authority, token: 'wrong' })
    await t.rejects(stranger.list('/api/v1/nodes'), { message: /was answered 401/ })
    stranger.close()
  })

  await t.test('a killed API server comes back with what it knew', async (t) => {
    const cluster = bed.cluster('prod-1')
    await cluster.stopApiServer()
    await t.rejects(cluster.api.list('/api/v1/nodes'))
    await cluster.startApiServer()
    t.equal((await cluster.api.list('/api/v1/nodes')).items.length, 2)
    // It answers 429 until it has read them.
    const installations = await waitFor('the custom resources', () =>
      cluster.api.list('/apis/installation.mattermost.com/v1beta1/mattermosts'),
    )
    t.same(installations.items, [])
  })

  await t.test('Gitea takes a repository', async (t) => {
    await bed.gitea.call('POST', '/user/repos', { name: 'fleet', private: true, default_branch: 'main' })
    const { token } = await bed.gitea.addUser('somebody')
    const path = `${bed.gitea.url}/api/v1/repos/${bed.gitea.user}/fleet`
    const seen = async (by: string): Promise<number> =>
      (await fetch(path, { headers: { Authorization: `token ${by}` } })).status
    t.same([await seen(bed.gitea.token), await seen(token)], [200, 404])
  })

  await t.test('moto answers', async (t) => {
    const response = await fetch(`${bed.moto.url}/moto-api/`)
    t.equal(response.status, 200)
    await bed.moto.reset()
  })
})

async function deploymentRollsOut(t: Test, bed: Testbed): Promise<void> {
  const { api } = bed.cluster('prod-1')
  const labels = { app: 'web' }
  await api.apply({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'default' },
    spec: {
      replicas: 3,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'web', image: 'example/web' }] } },
    },
  })
  const running = await waitFor('three running pods', async () => {
    const { items } = await api.list<Pod>('/api/v1/namespaces/default/pods?labelSelector=app=web')
    const phases = items.map(({ status }) => status?.phase)
    return phases.length === 3 && phases.every((phase) => phase === 'Running') ? phases : undefined
  })
  t.equal(running.length, 3)
}
