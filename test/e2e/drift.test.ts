/** What is drift on a real API server, and what only looks like it. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'tap'
import { parseAllDocuments } from 'yaml'
import { missingCustomResources } from '../../scripts/testbed/custom-resources.ts'
import type { KubernetesApi, KubernetesObject } from '../../scripts/testbed/kubernetes-api.ts'
import { startTestbed } from '../../scripts/testbed/testbed.ts'
import { waitFor } from '../../scripts/testbed/wait.ts'
import { kindOf } from '../../src/fleet/drift/documents.ts'
import type { Id } from '../../src/fleet/ids.ts'
import type { JsonObject } from '../../src/fleet/intents.ts'
import { pathOf } from '../../src/kube/resources.ts'
import { RENDERED_RESOURCES, startOperators } from '../stand-ins/operators.ts'
import { FALSE_POSITIVES } from '../support/drift-lookalikes.ts'
import { ENGINE, openDriftBed } from '../support/drift-on-testbed.ts'
import { id } from '../support/intents.ts'

const skip = missingCustomResources() ?? false
const GOLDEN = join(import.meta.dirname, '../golden/installations')
const BACKEND = JSON.stringify({
  DB_CONNECTION_STRING: 'postgres://somebody:something@db.example.com/mattermost',
  accesskey: 'key',
  secretkey: 'secret',
})

test('drift', { skip }, async (t) => {
  const bed = await startTestbed({
    clusters: [{ name: 'prod-1', customResources: RENDERED_RESOURCES, nodeLabels: { type: 'premium' } }],
    log: (line) => t.comment(line),
  })
  t.teardown(() => bed.stop())
  const cluster = bed.cluster('prod-1')
  const { api } = cluster
  const drift = await openDriftBed(t, cluster)

  for (const [at, { name, wanted, happens, lives }] of FALSE_POSITIVES.entries())
    await t.test(`no drift: ${name}`, async (t) => {
      const namespace = id(1_000 + at)
      const documents = [namespaceOf(namespace), wanted(namespace)]
      await applyAll(api, documents)
      drift.want(namespace, documents)
      await happens?.(api, await read(api, wanted(namespace)))
      const live = await read(api, wanted(namespace))
      t.ok(lives(live), `it is there: ${JSON.stringify({ ...live, metadata: live.metadata.annotations })}`)
      t.strictSame(await drift.swept(namespace), [])
    })

  await t.test(
    'what is edited, removed, or left by a prune is drift, and gone when it is put right',
    async (t) => {
      const namespace = id(2_000)
      const mattermost = mattermostOf(namespace)
      const account = accountOf(namespace)
      await applyAll(api, [namespaceOf(namespace), mattermost, account])
      drift.want(namespace, [namespaceOf(namespace), mattermost, account])
      t.strictSame(await drift.swept(namespace), [])
      const edit = `${pathOfDocument(mattermost)}?fieldManager=kubectl-edit`
      await api.patch(edit, { spec: { version: '9.9.9' } }, 'merge')
      t.match(await drift.told(namespace, (found) => found.length === 1), [
        {
          type: 'changed',
          object: { kind: 'Mattermost' },
          fields: [
            { path: 'spec.version', wanted: '11.2.0', found: '9.9.9', manager: { name: 'kubectl-edit' } },
          ],
          confirmedBy: 'dry-run',
        },
      ])
      await applyAll(api, [mattermost])
      await drift.told(namespace, (found) => found.length === 0)
      await api.remove(pathOfDocument(account))
      t.match(await drift.told(namespace, (found) => found.length === 1), [
        { type: 'missing', object: { kind: 'ServiceAccount' } },
      ])
      await applyAll(api, [account])
      await drift.told(namespace, (found) => found.length === 0)
      drift.want(namespace, [namespaceOf(namespace), mattermost])
      t.match(await drift.told(namespace, (found) => found.length === 1), [
        { type: 'extra', object: { kind: 'ServiceAccount' } },
      ])
      await api.remove(pathOfDocument(account))
      await drift.told(namespace, (found) => found.length === 0)
    },
  )

  await t.test('nothing that is rendered drifts by itself, with every operator at work', async (t) => {
    const operators = startOperators({ api, backend: async () => BACKEND })
    t.teardown(() => operators.close())
    const names = (await readdir(GOLDEN)).sort()
    const installations = await Promise.all(
      names.map(async (name, at) => ({
        name,
        namespace: id(3_000 + at),
        documents: await golden(name, id(3_000 + at)),
      })),
    )
    for (const { namespace, documents } of installations) {
      await applyAll(api, documents)
      drift.want(namespace, documents)
    }
    await Promise.all(installations.map(({ namespace }) => isWorking(api, namespace)))
    const ids = installations.map(({ namespace }) => namespace)
    for (const found of await drift.swept(...ids))
      t.fail(`${found.object.kind} ${found.object.name}`, { found })
    const { signal } = new AbortController()
    const { objects, suspects } = await drift.detector.sweep('prod-1', ids, signal)
    const compared = installations.flatMap(({ documents }) => documents.filter(kindOf)).length
    t.ok(objects >= compared, `${objects} objects were listed, git has ${compared}`)
    t.equal(suspects, 0, 'nothing is left to look at')
  })
})

function namespaceOf(name: string): JsonObject {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }
}

function mattermostOf(namespace: string): JsonObject {
  return {
    apiVersion: 'installation.mattermost.com/v1beta1',
    kind: 'Mattermost',
    metadata: { name: 'mm', namespace },
    spec: { version: '11.2.0', replicas: 2, image: 'mattermost/mattermost-enterprise-edition' },
  }
}

function accountOf(namespace: string): JsonObject {
  return {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'mm', namespace, labels: { own: 'yes' } },
  }
}

async function applyAll(api: KubernetesApi, documents: readonly JsonObject[]): Promise<void> {
  // A rendered manifest has what every object has.
  for (const document of documents) await api.apply(document as unknown as KubernetesObject, ENGINE)
}

function pathOfDocument(document: JsonObject): string {
  const kind = kindOf(document)
  const { metadata } = document as unknown as KubernetesObject
  if (kind === undefined) throw new Error(`${document.kind} is not compared`)
  return pathOf(kind, metadata.namespace, metadata.name)
}

async function read(api: KubernetesApi, document: JsonObject): Promise<KubernetesObject> {
  return await waitFor(`${document.kind} to be there`, () => api.get(pathOfDocument(document)))
}

/** Its documents in a namespace of its own. */
async function golden(name: string, namespace: Id): Promise<readonly JsonObject[]> {
  const text = await readFile(join(GOLDEN, name), 'utf8')
  const [original = ''] =
    /[a-z0-9]{26}/.exec(/^kind: Namespace\nmetadata:\n {2}name: (.*)$/m.exec(text)?.[1] ?? '') ?? []
  return parseAllDocuments(text.replaceAll(original, namespace)).map((document) => document.toJS())
}

/** The operator has said something of it: everything that writes has had its turn. */
async function isWorking(api: KubernetesApi, namespace: Id): Promise<void> {
  await waitFor(`Mattermost in ${namespace}`, async () => {
    const path = `/apis/installation.mattermost.com/v1beta1/namespaces/${namespace}/mattermosts`
    const [one] = (await api.list<KubernetesObject & { status?: { state?: string } }>(path)).items
    return one?.status?.state === 'stable' ? one : undefined
  })
}
