import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type Test, test } from 'tap'
import { isForbiddenAddress } from '../../src/notify/addresses.ts'
import { bodyOf } from '../../src/notify/bodies.ts'
import { createHttpSender, signatureOf } from '../../src/notify/http-sender.ts'
import type { Sender } from '../../src/ports/sender.ts'
import type { Receiver, StateEvent } from '../../src/ports/store.ts'
import { id } from '../support/intents.ts'

const KEY = Buffer.from('a'.repeat(32))
const SECRET = 'very-secret-value'

interface Arrived {
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

async function endpoint(
  t: Test,
  answer: (response: ServerResponse) => void,
): Promise<{ readonly url: string; readonly arrived: Arrived[] }> {
  const arrived: Arrived[] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    arrived.push({ headers: request.headers, body: Buffer.concat(chunks).toString('utf8') })
    answer(response)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  return { url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/hook`, arrived }
}

function sender(t: Test, extra: Partial<Parameters<typeof createHttpSender>[0]> = {}): Sender {
  const made = createHttpSender({
    key: KEY,
    secrets: { get: async (key) => (key === 'receivers/x/0' ? SECRET : undefined) },
    environment: { HOOK_TOKEN: 'from-the-environment' },
    allowLinkLocal: false,
    timeLimitMilliseconds: 300,
    ...extra,
  })
  t.teardown(() => made.close())
  return made
}

function receiver(url: string, headers: Receiver['headers'] = []): Receiver {
  return { id: id(1), kind: 'webhook', ownerId: 'o', url, headers, createdAt: 0 }
}

const MESSAGE = { id: 'event-1', body: '{"a":1}', sentAt: 1_700_000_000_500 }

test('a message arrives with its headers and a signature that can be checked', async (t) => {
  const { url, arrived } = await endpoint(t, (response) => response.writeHead(204).end())
  const headers = [
    { key: 'X-A', value: 'v' },
    { key: 'Authorization', secretKey: 'receivers/x/0' },
    { key: 'X-B', valueFromEnv: 'HOOK_TOKEN' },
  ]
  t.strictSame(await sender(t).send(receiver(url, headers), MESSAGE), { result: 'taken' })
  const [one] = arrived
  t.equal(one?.body, MESSAGE.body)
  t.match(one?.headers, {
    'x-a': 'v',
    authorization: SECRET,
    'x-b': 'from-the-environment',
    'content-type': 'application/json',
    'webhook-id': 'event-1',
    'webhook-timestamp': '1700000000',
    'webhook-signature': signatureOf(KEY, MESSAGE, 1_700_000_000),
  })
  t.not(
    signatureOf(KEY, MESSAGE, 1_700_000_000),
    signatureOf(KEY, { ...MESSAGE, body: '{"a":2}' }, 1_700_000_000),
  )
})

const ANSWERS: readonly (readonly [number, string])[] = [
  [200, 'taken'],
  [202, 'taken'],
  [302, 'refused'],
  [400, 'refused'],
  [404, 'refused'],
  [408, 'later'],
  [429, 'later'],
  [500, 'later'],
  [503, 'later'],
]

test('the answer decides whether it is tried again', async (t) => {
  for (const [status, result] of ANSWERS) {
    const { url } = await endpoint(t, (response) =>
      response.writeHead(status, { Location: 'http://127.0.0.1:1/' }).end(),
    )
    t.match(await sender(t).send(receiver(url), MESSAGE), { result }, String(status))
  }
})

test('no answer and no server are tried again', async (t) => {
  const { url } = await endpoint(t, () => undefined)
  t.match(await sender(t).send(receiver(url), MESSAGE), { result: 'later', error: /no answer in 300 ms/ })
  t.match(await sender(t).send(receiver('http://127.0.0.1:1/'), MESSAGE), {
    result: 'later',
    error: /ECONNREFUSED/,
  })
})

test('a header without a value is said, and nothing is sent', async (t) => {
  const { url, arrived } = await endpoint(t, (response) => response.end())
  const missing = await sender(t).send(receiver(url, [{ key: 'X-B', valueFromEnv: 'NOT_SET' }]), MESSAGE)
  t.match(missing, { result: 'refused', error: /X-B has no value: set NOT_SET/ })
  t.match(await sender(t).send(receiver(url, [{ key: 'X-C', secretKey: 'gone' }]), MESSAGE), {
    result: 'refused',
    error: /secret is gone/,
  })
  t.equal(arrived.length, 0)
})

const ADDRESSES: readonly (readonly [string, boolean])[] = [
  ['169.254.169.254', true],
  ['::ffff:169.254.169.254', true],
  ['fe80::1', true],
  ['fd00:ec2::254', true],
  ['0.0.0.0', true],
  ['::', true],
  ['100.100.100.200', true],
  ['127.0.0.1', false],
  ['10.0.0.1', false],
  ['192.0.2.1', false],
  ['2001:db8::1', false],
]

test('link-local and metadata addresses get nothing', async (t) => {
  for (const [address, forbidden] of ADDRESSES) t.equal(isForbiddenAddress(address), forbidden, address)
  for (const host of ['169.254.169.254', '[fe80::1]', '[::ffff:a9fe:a9fe]', '2852039166'])
    t.match(
      await sender(t).send(receiver(`http://${host}/latest/meta-data`), MESSAGE),
      { result: 'refused', error: /not allowed/ },
      host,
    )
})

const EVENT: StateEvent = {
  id: id(7),
  at: 1_700_000_000_123,
  resourceType: 'installation',
  resourceId: id(8),
  oldState: 'creation-requested',
  newState: 'stable',
  extraData: { Environment: 'test', Name: 'acme' },
}

test('bodies have the shapes of the original', async (t) => {
  const webhook = bodyOf({ kind: 'webhook' }, EVENT)
  t.match(webhook, /"timestamp":1700000000123000000,/)
  t.same(JSON.parse(webhook.replace('1700000000123000000', '0')), {
    event_id: id(7),
    timestamp: 0,
    id: id(8),
    type: 'installation',
    new_state: 'stable',
    old_state: 'creation-requested',
    extra_data: { Environment: 'test', Name: 'acme' },
  })
  t.same(JSON.parse(bodyOf({ kind: 'subscription' }, EVENT)), {
    eventId: id(7),
    timestamp: 1_700_000_000_123,
    resourceId: id(8),
    resourceType: 'installation',
    newState: 'stable',
    oldState: 'creation-requested',
    ExtraData: { Environment: 'test', Name: 'acme' },
  })
})
