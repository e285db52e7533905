import { execFileSync } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'tap'
import { importCluster, type Reply, type Sending, send } from '../support/api.ts'
import { startFleetwright } from '../support/command-line.ts'
import { TOKEN } from '../support/server.ts'

const CANARY = 'canary51d07c'
/** As files of volumes come. */
const ENCODED = Buffer.from(CANARY).toString('base64').replace(/=+$/, '')
const EITHER = new RegExp(`${CANARY}|${ENCODED}`)
const folder = await mkdtemp(join(tmpdir(), 'fleetwright-'))
const replies: Reply[] = []
const server = startFleetwright(
  ['serve', '--data', folder, '--listen', '127.0.0.1:0', '--log-level', 'debug'],
  { environment: { FLEETWRIGHT_ADMIN_TOKEN: TOKEN } },
)
const url = /http:\/\/127\.0\.0\.1:\d+/.exec(await server.waitFor(/git clone http/))?.[0] ?? ''

async function ask(method: string, path: string, sending: Sending = {}): Promise<Reply> {
  const reply = await send(url, method, path, sending)
  replies.push(reply)
  return reply
}

const SECRETS = {
  License: `${CANARY}licence`,
  MattermostEnv: {
    MM_SQLSETTINGS_DATASOURCE: { value: `postgres://u:${CANARY}@db/x` },
    SOME_PASSWORD: { value: `${CANARY}-env` },
    OUR_OWN_THING: { value: `${CANARY}-listed` },
  },
  PriorityEnv: { API_KEY: { value: `${CANARY}-priority` } },
}

function creation(name: string): object {
  const kinds = { Database: 'cloudnative-pg', Filestore: 'local-ephemeral' }
  return { OwnerID: 'owner', Name: name, DNSNames: [`${name}.example.com`], ...kinds, ...SECRETS }
}

async function filesBelow(path: string): Promise<readonly string[]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}

/** The fleet's own list makes OUR_OWN_THING a secret. */
async function extendList(): Promise<void> {
  const clone = join(folder, 'clone')
  const repository = join(folder, 'fleet.git')
  const git = (...args: readonly string[]): string =>
    execFileSync('git', ['-C', clone, '-c', 'user.name=Ada', '-c', 'user.email=ada@example.com', ...args], {
      encoding: 'utf8',
    })
  execFileSync('git', ['clone', '--quiet', repository, clone])
  const path = join(clone, 'fleet.yaml')
  const text = await readFile(path, 'utf8')
  await writeFile(path, text.replace(/^spec:$/m, 'spec:\n  secretEnvNames: [OUR_.*]'))
  git('commit', '--quiet', '--all', '--message', 'Say what else is secret')
  git('push', '--quiet', 'origin', 'HEAD:main')
  await rm(clone, { recursive: true })
}

test('a secret is kept by the backend, and shown by nothing else', async (t) => {
  await extendList()
  await importCluster(url)
  // A change looks at the head first, so the list counts from here on.
  for (let tries = 0; tries < 200; tries += 1) {
    const dry = await ask('POST', '/api/installations?dry_run=true', { body: creation('dry') })
    if (!JSON.stringify(dry.body).includes(CANARY)) break
    replies.pop()
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  const created = await ask('POST', '/api/installations', { body: creation('acme') })
  t.match(created, {
    status: 202,
    body: {
      License: '********',
      MattermostEnv: { SOME_PASSWORD: { value: '********' }, OUR_OWN_THING: { value: '********' } },
    },
  })
  const id = created.body.ID
  const group = await ask('POST', '/api/groups', {
    body: { name: 'ring', version: '1', MattermostEnv: { GROUP_TOKEN: { value: `${CANARY}-group` } } },
  })
  await ask('PUT', `/api/group/${group.body.ID}`, {
    body: { MattermostEnv: { GROUP_TOKEN: { value: `${CANARY}-group-2` } } },
  })
  await ask('PUT', `/api/installation/${id}/mattermost`, { body: { License: `${CANARY}-two` } })
  await ask('PUT', `/api/installation/${id}/mattermost?dry_run=true`, { body: { License: `${CANARY}-two` } })
  const volume = {
    Name: 'certs',
    Data: { 'tls.key': Buffer.from(CANARY).toString('base64') },
    Volume: { Type: 'secret', MountPath: '/certs', ReadOnly: true },
  }
  const headers = [{ Key: 'Authorization', Value: `Bearer ${CANARY}-header` }]
  const receiver = { OwnerID: 'owner', URL: 'http://127.0.0.1:9/hook', Headers: headers }
  for (const [path, body] of [
    ['/api/webhooks', receiver],
    ['/api/subscriptions', { ...receiver, Name: 'hooks', EventType: 'resourceStateChange' }],
  ] as const)
    t.equal((await ask('POST', path, { body })).status, 202, path)
  // Refusals of every kind: names that are taken, wrong types, JSON that breaks, bodies of the wrong form.
  const refusals = [
    await ask('POST', '/api/installations', { body: creation('acme') }),
    await ask('POST', '/api/installations', { body: { ...creation('other'), License: [CANARY] } }),
    await ask('POST', '/api/installations', {
      body: { ...creation('other'), Size: 1, License: `${CANARY} x` },
    }),
    await ask('POST', '/api/installations', { body: CANARY }),
    await ask('POST', `/api/installation/${id}/volumes`, { body: volume }),
    await ask('POST', `/api/installation/${id}/volumes`, { body: { ...volume, Name: 'no name' } }),
    await ask('POST', '/api/webhooks', { body: { ...receiver, URL: `ftp://x:${CANARY}@y` } }),
    await ask('POST', '/api/fleet/revert', { body: { token: CANARY } }),
    await ask('GET', '/api/groups', { token: `fwt_${CANARY}-0123456789` }),
    await ask('GET', '/api/groups', {
      token: null,
      headers: { authorization: `Basic ${Buffer.from(`x:${CANARY}`).toString('base64')}` },
    }),
  ]
  for (const { status } of refusals) t.ok(status >= 400 && status < 500, `${status}`)
  const broken = await fetch(`${url}/api/installations`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TOKEN}` },
    body: `{"License": "${CANARY}", "x": ${CANARY}}`,
  })
  t.equal(broken.status, 400)
  t.notMatch(await broken.text(), CANARY)
  for (const path of [
    `/api/installation/${id}`,
    '/api/installations',
    '/api/groups',
    '/api/fleet/history?limit=100',
    '/api/fleet/problems',
    '/api/webhooks',
    '/api/subscriptions',
    `/api/fleet/placement?id=${id}`,
    '/metrics',
    '/openapi.json',
  ])
    t.equal((await ask('GET', path)).status, 200, path)
  for (const { text } of replies) t.notMatch(text, EITHER)
  const { stdout, stderr } = await server.stop('SIGTERM')
  t.match(stderr, /"operation":"createInstallation"/, 'there is a log')
  t.notMatch(stdout + stderr, EITHER)
  t.notOk(stderr.includes(TOKEN), 'nor is the token in it')
  const objects = execFileSync(
    'git',
    ['--git-dir', join(folder, 'fleet.git'), 'cat-file', '--batch-all-objects', '--batch', '--buffer'],
    {
      maxBuffer: 1 << 28,
    },
  )
  t.ok(objects.includes(`installations/${id}/licence-`), 'git has the key')
  t.notOk(objects.includes(CANARY))
  t.notOk(objects.includes(ENCODED))
  const files = await filesBelow(folder)
  const holding: string[] = []
  for (const file of files) if ((await readFile(file)).includes(CANARY)) holding.push(file)
  t.ok(holding.length >= 7, `${holding.length} values are kept`)
  for (const file of holding) t.ok(file.startsWith(join(folder, 'secrets')), file)
})

test('each line of the log has its request, and that of a change its commit', async (t) => {
  const { stderr } = await server.stop('SIGTERM')
  const lines = stderr
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line))
  const requests = lines.filter(({ msg }) => msg === 'request')
  t.ok(requests.length >= replies.length)
  for (const line of requests)
    t.match(line, { requestId: /^.+$/, operation: /^.+$/, status: Number, milliseconds: Number })
  const created = requests.find(
    ({ operation, status }) => operation === 'createInstallation' && status === 202,
  )
  const { headers } = replies.find(({ status, body }) => status === 202 && body?.Name === 'acme') ?? {}
  t.match(created, {
    commit: headers?.get('fleetwright-commit'),
    requestId: headers?.get('x-request-id'),
    actor: 'admin',
  })
  await rm(folder, { recursive: true, force: true })
})
