import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'tap'
import { createStable, importCluster, send } from '../support/api.ts'
import { startTestServer } from '../support/server.ts'

const server = await startTestServer('all')
const { url } = server
const { parts } = server.server
await importCluster(url)

async function manifestOf(id: string): Promise<string> {
  const path = `clusters/prod-1/installations/${id[0]}/${id}/manifest.yaml`
  return (await parts.history.fileAt(parts.writer.head, path)) ?? ''
}

function volume(more: object = {}): object {
  return {
    Name: 'my_vol',
    Data: { 'file.txt': Buffer.from('text-of-the-test').toString('base64'), 'blob.bin': 'AP8Q/w==' },
    Volume: { Type: 'secret', MountPath: '/etc/my', ReadOnly: true },
    ...more,
  }
}

test('files of a volume are kept in the secret backend, and mounted by reference', async (t) => {
  const id = await createStable(server, 'acme')
  const reply = await send(url, 'POST', `/api/installation/${id}/volumes`, { body: volume() })
  t.equal(reply.status, 202)
  const { BackingSecret: first } = reply.body.Volumes.my_vol
  const [kept] = await parts.secrets.list(`installations/${id}/volume-`)
  const stored = JSON.parse((await parts.secrets.get(kept?.key ?? '')) ?? '')
  t.same(Buffer.from(stored['file.txt'], 'base64').toString(), 'text-of-the-test')
  t.same([...Buffer.from(stored['blob.bin'], 'base64')], [0, 255, 16, 255], 'to the byte')
  const manifest = await manifestOf(id)
  t.match(manifest, new RegExp(`secretName: ["']?${first}`))
  t.match(manifest, /decodingStrategy: ["']?Base64/)
  t.match(manifest, /mountPath: ["']?\/etc\/my/)
  t.notMatch(manifest, /name: ["']?my_vol/, 'Kubernetes has no underscores in names of volumes')
  const changed = await send(url, 'PUT', `/api/installation/${id}/volume/my_vol`, {
    body: { Data: { 'file.txt': 'bmV3' } },
  })
  t.not(changed.body.Volumes.my_vol.BackingSecret, first, 'new content, new secret: pods see it')
  t.match(changed.body.Volumes.my_vol, { MountPath: '/etc/my', ReadOnly: true }, 'the rest stays')
  const removed = await send(url, 'DELETE', `/api/installation/${id}/volume/my_vol`)
  t.equal(removed.body.Volumes, null)
  t.notMatch(await manifestOf(id), /\/etc\/my/)
  const objects = execFileSync('git', ['log', '--all', '-p'], { cwd: join(server.folder, 'fleet.git') })
  t.notMatch(objects.toString(), /text-of-the-test|dGV4dC1vZi10aGUtdGVzd/, 'git never saw it')
})

const REFUSED = [
  [{ Name: 'ab' }, '/Name'],
  [{ Name: 'Upper' }, '/Name'],
  [{ Name: 'x'.repeat(65) }, '/Name'],
  [{ Data: {} }, '/Data'],
  [{ Data: { '../x': 'YQ==' } }, '/Data/..~1x'],
  [{ Data: { a: 'not base64!' } }, '/Data/a'],
  [{ Volume: { Type: 'host', MountPath: '/x' } }, '/Volume/Type'],
  [{ Volume: { Type: 'secret', MountPath: 'x' } }, '/Volume/MountPath'],
  [{ Volume: { Type: 'secret', MountPath: '' } }, '/Volume/MountPath'],
] as const

test('volumes that could not be mounted are refused, and leave no secret behind', async (t) => {
  const id = await createStable(server, 'refused')
  for (const [more, pointer] of REFUSED) {
    const reply = await send(url, 'POST', `/api/installation/${id}/volumes`, { body: volume(more) })
    t.match(reply, { status: 400, body: { errors: [{ pointer }] } }, pointer)
  }
  t.equal((await send(url, 'POST', `/api/installation/${id}/volumes`, { body: volume() })).status, 202)
  const twice = await send(url, 'POST', `/api/installation/${id}/volumes`, { body: volume() })
  t.match(twice, { status: 400, body: { detail: /volume my_vol already/ } })
  const path = await send(url, 'POST', `/api/installation/${id}/volumes`, { body: volume({ Name: 'other' }) })
  t.match(path, { status: 400, body: { errors: [{ pointer: '/Volume/MountPath' }] } })
  t.equal((await parts.secrets.list(`installations/${id}/volume-`)).length, 1, 'refused ones were taken back')
})

test('the server ends', async () => {
  await server.close()
})
