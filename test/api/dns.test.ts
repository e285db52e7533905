import { test } from 'tap'
import { createStable, importCluster, send } from '../support/api.ts'
import { startTestServer } from '../support/server.ts'

const server = await startTestServer('all')
const { url } = server
const { parts } = server.server
await importCluster(url)

test('names follow into the manifests, and the primary one names the installation', async (t) => {
  const id = await createStable(server, 'acme')
  const path = `clusters/prod-1/installations/${id[0]}/${id}/manifest.yaml`
  const manifest = async (): Promise<string> => (await parts.history.fileAt(parts.writer.head, path)) ?? ''
  const added = await send(url, 'POST', `/api/installation/${id}/dns`, {
    body: { DNS: 'Second.Example.com' },
  })
  t.equal(added.status, 202)
  const [first, second] = added.body.DNSRecords
  t.match(second, { DomainName: 'second.example.com', IsPrimary: false }, 'in lower case')
  t.match(await manifest(), /second\.example\.com/)
  const chosen = await send(url, 'POST', `/api/installation/${id}/dns/${second.ID}/set-primary`)
  t.match(chosen.body, { Name: 'second', DNS: 'second.example.com' })
  t.equal((await send(url, 'GET', '/api/installations?name=second')).body[0].ID, id)
  t.same((await send(url, 'GET', '/api/installations?name=acme')).body, [])
  const removed = await send(url, 'DELETE', `/api/installation/${id}/dns/${first.ID}`)
  t.equal(removed.body.DNSRecords.length, 1)
  t.notMatch(await manifest(), /acme\.example\.com/)
  const freed = await send(url, 'POST', '/api/installations', {
    body: {
      Name: 'acme',
      OwnerID: 'o',
      DNSNames: ['acme.example.com'],
      Database: 'cloudnative-pg',
      Filestore: 'local-ephemeral',
      Affinity: 'multitenant',
    },
  })
  t.equal(freed.status, 202, 'the old name is free')
})

const REFUSED = [
  ['', 400, 'invalid-request'],
  ['no-dots', 400, 'invalid-request'],
  ['has space.example.com', 400, 'invalid-request'],
  [`${'a'.repeat(64)}.example.com`, 400, 'invalid-request'],
  ['mine.example.com', 409, 'dns-taken'],
  ['THEIRS.example.com', 409, 'dns-taken'],
] as const

test('names that are wrong or taken are refused', async (t) => {
  const id = await createStable(server, 'mine')
  await createStable(server, 'theirs')
  for (const [name, status, code] of REFUSED) {
    const reply = await send(url, 'POST', `/api/installation/${id}/dns`, { body: { DNS: name } })
    t.match(reply, { status, body: { code } }, name)
  }
  const second = await send(url, 'POST', `/api/installation/${id}/dns`, {
    body: { DNS: 'theirs.example.org' },
  })
  const taken = await send(
    url,
    'POST',
    `/api/installation/${id}/dns/${second.body.DNSRecords[1].ID}/set-primary`,
  )
  t.match(taken, { status: 409, body: { code: 'name-taken' } }, 'its first label is the name of another')
})

test('the server ends', async () => {
  await server.close()
})
