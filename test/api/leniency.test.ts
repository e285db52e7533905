import { test } from 'tap'
import { send } from '../support/api.ts'
import { installationBody } from '../support/changes.ts'
import { startTestServer, TOKEN } from '../support/server.ts'

test('wire routes read bodies as the original does', async (t) => {
  const server = await startTestServer()
  t.teardown(() => server.close())
  const post = async (path: string, body: string, type = 'application/json'): Promise<Response> =>
    await fetch(server.url + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': type },
      body,
    })
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'nonsense'])
    t.equal((await post('/api/clusters', '{}', type)).status, 202, `content type ${type}`)
  for (const body of ['', 'null', ' \n', '{}'])
    t.equal((await post('/api/clusters', body)).status, 202, `${JSON.stringify(body)} is {}`)
  const folded = await post('/api/groups', '{"NAME":"ring","mAxRoLlInG":3,"description":null}')
  t.match(
    await folded.json(),
    { Name: 'ring', MaxRolling: 3, Description: '' },
    'keys without regard to case',
  )
  const twice = await post('/api/groups', '{"Name":"a","name":"b"}')
  t.match(await twice.json(), { status: 400, errors: [{ pointer: '/name', detail: /given twice/ }] })
})

test('unknown keys are passed over, and named', async (t) => {
  const server = await startTestServer()
  t.teardown(() => server.close())
  const body = { ...installationBody('acme'), Colour: 'blue', ExternalDatabaseConfig: { Port: 1 } }
  const reply = await send(server.url, 'POST', '/api/installations', { body })
  t.equal(reply.status, 202)
  t.equal(reply.headers.get('Warning'), '299 - "unknown key /Colour, /ExternalDatabaseConfig/Port"')
  t.notOk(
    (await send(server.url, 'POST', '/api/installations', { body: installationBody('plain') })).headers.has(
      'Warning',
    ),
  )
  const odd = await send(server.url, 'POST', '/api/clusters', {
    body: Object.fromEntries(Array.from({ length: 30 }, (_, at) => [`k${at}"\n\u{1f600}`, at])),
  })
  t.match(
    odd.headers.get('Warning'),
    /^299 - "unknown key \/k0\?\?\?\?, .* and 20 more"$/,
    'as text of a header',
  )
})

const WRONG_TYPES = [
  ['Name', 5, /must be a string, not a number/],
  ['DNSNames', 'acme.example.com', /must be a list, not a string/],
  ['DNSNames', [5], /DNSNames\/0 must be a string/],
  ['MattermostEnv', [], /must be an object, not a list/],
  ['APISecurityLock', 'true', /must be true or false, not a string/],
  ['ScheduledDeletionTime', 1.5, /must be a whole number, not a fraction/],
  ['ScheduledDeletionTime', 1e300, /must be a whole number/],
] as const

test('values of the wrong type are refused by JSON pointer, without the value', async (t) => {
  const server = await startTestServer()
  t.teardown(() => server.close())
  for (const [field, value, detail] of WRONG_TYPES) {
    const body = { ...installationBody('acme'), [field]: value }
    const reply = await send(server.url, 'POST', '/api/installations', { body })
    t.match(reply.body, { status: 400, code: 'invalid-request', detail }, field)
    t.match(reply.body.errors[0].pointer, new RegExp(`^/${field}`))
  }
})

test('own routes are strict', async (t) => {
  const server = await startTestServer()
  t.teardown(() => server.close())
  const plain = await send(server.url, 'POST', '/api/fleet/revert', {
    body: {},
    headers: { 'content-type': 'text/plain' },
  })
  t.match(plain, { status: 415, body: { code: 'unsupported-media-type' } })
  const unknown = await send(server.url, 'POST', '/api/fleet/revert', { body: { comit: 'x' } })
  t.match(unknown, { status: 400, body: { errors: [{ pointer: '/comit', detail: /did you mean commit/ }] } })
  const query = await send(server.url, 'GET', '/api/fleet/history?kindd=installation')
  t.match(query, {
    status: 400,
    body: { errors: [{ pointer: '/query/kindd', detail: /did you mean kind/ }] },
  })
})
