import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Registry } from 'prom-client'
import { test } from 'tap'
import { ToolUnavailableError } from '../../scripts/testbed/binaries.ts'
import type { Parts } from '../../src/api/context.ts'
import { createApiServer } from '../../src/api/server.ts'
import { composeServer } from '../../src/cli/compose.ts'
import { readConfiguration } from '../../src/configuration/read.ts'
import { FleetError } from '../../src/fleet/errors.ts'
import { secretKeysIn } from '../../src/fleet/secret-references.ts'
import { type SweepResult, startSecretSweep } from '../../src/reconcile/secret-sweep.ts'
import { openSecretsManager } from '../../src/secrets/aws-secrets-manager/backend.ts'
import { makeStable, type Reply, send } from '../support/api.ts'
import { startMoto } from '../support/moto.ts'
import { startTestServer, TOKEN } from '../support/server.ts'

const server = await startTestServer()
const { parts } = server.server

function create(url: string, name: string, query = ''): Promise<Reply> {
  const kinds = { Database: 'cloudnative-pg', Filestore: 'local-ephemeral' }
  const secret = { License: 'a-licence', MattermostEnv: { A_PASSWORD: { value: 'a-password' } } }
  const body = { OwnerID: 'owner', Name: name, DNSNames: [`${name}.example.com`], ...kinds, ...secret }
  return send(url, 'POST', `/api/installations${query}`, { body })
}

async function stored(): Promise<readonly string[]> {
  return (await parts.secrets.list('')).map(({ key }) => key).sort()
}

function referred(): readonly string[] {
  return parts.writer.fleet
    .installations()
    .flatMap((found) => [...secretKeysIn(found)])
    .sort()
}

/** The API on the same fleet with one part that fails. */
async function withParts(t: Tap, changed: Partial<Parts>): Promise<string> {
  const api = createApiServer({ ...parts, ...changed, registry: new Registry() })
  t.teardown(() => api.close())
  return (await api.listen({ host: '127.0.0.1', port: 0 })).url
}

interface Tap {
  teardown(work: () => Promise<void>): void
}

test('values are stored before the commit, and taken back when it is refused', async (t) => {
  t.equal((await create(server.url, 'one')).status, 202)
  t.equal((await stored()).length, 2)
  t.same(await stored(), referred())
  t.match(await create(server.url, 'one'), { status: 409 })
  t.same(await stored(), referred())
  t.equal((await create(server.url, 'dry', '?dry_run=true')).status, 200)
  t.same(await stored(), referred(), 'a dry run stores nothing')
})

test('nothing is committed when the backend is down, and what it took goes', async (t) => {
  let puts = 0
  const secrets: Parts['secrets'] = {
    ...parts.secrets,
    async put(key, value) {
      puts += 1
      await parts.secrets.put(key, value)
      if (puts === 2) throw new FleetError('secret-backend-unavailable', 'The backend is away.')
    },
  }
  const { head } = parts.writer
  const reply = await create(await withParts(t, { secrets }), 'two')
  t.match(reply, { status: 503, body: { code: 'secret-backend-unavailable' } })
  t.equal(reply.headers.get('retry-after'), '1')
  t.equal(parts.writer.head, head)
  t.same(await stored(), referred(), 'also the value whose answer was lost')
})

test('when nobody knows whether it was committed, the values stay', async (t) => {
  const writer: Parts['writer'] = {
    fleet: parts.writer.fleet,
    head: parts.writer.head,
    contact: parts.writer.contact,
    plan: (transaction, context) => parts.writer.plan(transaction, context),
    problems: () => [],
    poll: async () => undefined,
    findByIdempotencyKey: () => undefined,
    propose: (request) => parts.writer.propose(request),
    openReviews: () => [],
    reviewOutcome: () => undefined,
    onChange: () => () => undefined,
    close: async () => undefined,
    submit: async () => {
      throw new FleetError('remote-unavailable', 'The answer to the push was lost.')
    },
  }
  const before = (await stored()).length
  t.match(await create(await withParts(t, { writer }), 'three'), {
    status: 503,
    body: { code: 'remote-unavailable' },
  })
  t.equal((await stored()).length, before + 2)
})

test('a value that somebody else stored under the same key is not taken back', async (t) => {
  const key = `installations/${'a'.repeat(26)}/licence-123456789012`
  const removed: string[] = []
  const secrets: Parts['secrets'] = {
    ...parts.secrets,
    put: async () => {
      throw new FleetError('secret-exists', `The secret key ${key} holds another value already.`)
    },
    remove: async (gone) => void removed.push(gone),
  }
  t.match(await create(await withParts(t, { secrets }), 'four'), {
    status: 409,
    body: { code: 'secret-exists' },
  })
  t.same(removed, [])
})

/** One sweep that has seen nothing itself, as after a restart: the history has to tell. */
async function sweptWith(graceMilliseconds: number): Promise<SweepResult> {
  const { writer, history, secrets, secretHolds: holds, clock } = parts
  const tell = { onSwept: () => undefined, onError: () => undefined }
  const sweep = startSecretSweep({
    ...{ writer, history, secrets, holds, clock, graceMilliseconds, orphanAgeMilliseconds: 0 },
    ...tell,
  })
  await sweep.close()
  return await sweep.sweep()
}

test('the history tells replaced values from orphans after a restart', async (t) => {
  const { body } = await create(server.url, 'five')
  makeStable(parts, body.ID)
  const old = parts.writer.fleet.installation(body.ID)?.spec.licence?.key ?? ''
  const path = `/api/installation/${body.ID}/mattermost`
  t.equal((await send(server.url, 'PUT', path, { body: { License: 'another' } })).status, 202)
  const orphan = `installations/${body.ID}/licence-000000000000`
  await parts.secrets.put(orphan, 'never committed')
  const kept = await sweptWith(86_400_000)
  t.notOk(kept.replaced.includes(old), 'within the grace period')
  t.ok((await stored()).includes(old))
  t.notOk((await stored()).includes(orphan))
  await sweptWith(0)
  t.same(await stored(), referred(), 'after it')
})

const moto = await startMoto().catch((error: unknown) => {
  if (error instanceof ToolUnavailableError) return error
  throw error
})

test('with AWS, values are where External Secrets reads them', {
  skip: moto instanceof ToolUnavailableError ? moto.message : false,
}, async (t) => {
  if (moto instanceof ToolUnavailableError) return
  process.env.AWS_ACCESS_KEY_ID = 'test'
  process.env.AWS_SECRET_ACCESS_KEY = 'test'
  const data = await mkdtemp(join(tmpdir(), 'fleetwright-'))
  const flags = {
    ...{ data, loops: 'none', 'log-level': 'silent' },
    ...{ 'secret-backend': 'aws-secrets-manager', 'aws-region': 'us-east-1', 'aws-endpoint': moto.url },
  }
  const environment = { FLEETWRIGHT_ADMIN_TOKEN: TOKEN }
  const aws = await composeServer(readConfiguration({ flags, environment }), '0.0.0')
  const { url } = await aws.api.listen({ host: '127.0.0.1', port: 0 })
  const all = openSecretsManager({ region: 'us-east-1', endpoint: moto.url, prefix: () => '' })
  t.teardown(async () => {
    await Promise.all([all.close(), aws.close()])
    await rm(data, { recursive: true, force: true })
    await moto.close()
  })
  const reply = await create(url, 'acme')
  t.equal(reply.status, 202)
  const { licence } = aws.parts.writer.fleet.installation(reply.body.ID)?.spec ?? {}
  const { keyPrefix } = aws.parts.writer.fleet.settings.spec.secretStore
  t.equal(await all.get(`${keyPrefix}${licence?.key}`), 'a-licence')
  t.equal((await all.list('')).length, 2)
  t.match(await create(url, 'acme'), { status: 409 })
  t.equal((await all.list('')).length, 2, 'taken back')
  t.match(await send(url, 'GET', '/readyz'), { status: 200 })
})

test('the server closes', (t) => t.resolves(server.close()))
