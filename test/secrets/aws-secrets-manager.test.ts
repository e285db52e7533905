import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Test, test } from 'tap'
import type { SecretBackend } from '../../src/ports/secrets.ts'
import { openSecretsManager } from '../../src/secrets/aws-secrets-manager/backend.ts'
import { ToolUnavailableError } from '../../scripts/testbed/binaries.ts'
import { startMoto } from '../support/moto.ts'
import { checkSecretBackend, everythingOf } from './contract.ts'

const CANARY = 'canary-77aa31-never-shown'
process.env.AWS_ACCESS_KEY_ID = 'test'
process.env.AWS_SECRET_ACCESS_KEY = 'test'

function backendAt(endpoint: string, prefix = 'fleetwright/'): SecretBackend {
  return openSecretsManager({
    region: 'us-east-1',
    endpoint,
    prefix: () => prefix,
    timeoutMilliseconds: 10_000,
  })
}

const moto = await startMoto().catch((error: unknown) => {
  if (error instanceof ToolUnavailableError) return error
  throw error
})
const skip = moto instanceof ToolUnavailableError ? moto.message : false

test('AWS Secrets Manager keeps the contract of secret backends', { skip }, async (t) => {
  if (moto instanceof ToolUnavailableError) return
  t.teardown(() => moto.close())
  await checkSecretBackend(t, async (t) => {
    await moto.reset()
    const backend = backendAt(moto.url)
    t.teardown(() => backend.close())
    return { backend, reopen: async () => backendAt(moto.url) }
  })
  await t.test('keys stand below the prefix of the fleet, and others are not seen', async (t) => {
    await moto.reset()
    const [ours, all] = [backendAt(moto.url), backendAt(moto.url, '')]
    await ours.put('installations/a/licence-1', 'value')
    await all.put('installations/a/somebody-elses', 'value')
    t.equal(await all.get('fleetwright/installations/a/licence-1'), 'value')
    t.same(
      (await ours.list('')).map(({ key }) => key),
      ['installations/a/licence-1'],
    )
    await Promise.all([ours.close(), all.close()])
  })
})

/** Answers that the real service gives and moto does not. */
async function faultyService(
  t: Test,
  answer: (call: number, response: ServerResponse) => void,
): Promise<{ readonly backend: SecretBackend; readonly calls: () => number }> {
  let calls = 0
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      calls += 1
      answer(calls, response)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  // It listens on TCP, so it has an address.
  const { port } = server.address() as AddressInfo
  const backend = openSecretsManager({
    region: 'us-east-1',
    endpoint: `http://127.0.0.1:${port}`,
    prefix: () => '',
    attempts: 2,
    timeoutMilliseconds: 300,
  })
  t.teardown(async () => {
    await backend.close()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  return { backend, calls: () => calls }
}

function fail(response: ServerResponse, status: number, type: string): void {
  const body = JSON.stringify({ __type: type, message: `Value '${CANARY}' is not right`, Message: CANARY })
  response
    .writeHead(status, { 'Content-Type': 'application/x-amz-json-1.1', 'x-amzn-requestid': 'request-1' })
    .end(body)
}

const FAILURES: readonly (readonly [string, number, string, number])[] = [
  ['AccessDeniedException', 400, 'secret-backend-refused', 1],
  ['UnrecognizedClientException', 400, 'secret-backend-refused', 1],
  ['ExpiredTokenException', 400, 'secret-backend-refused', 1],
  ['InvalidSignatureException', 403, 'secret-backend-refused', 1],
  ['InvalidParameterException', 400, 'secret-backend-refused', 1],
  ['ValidationException', 400, 'secret-backend-refused', 1],
  ['LimitExceededException', 400, 'secret-backend-refused', 2],
  ['EncryptionFailure', 400, 'secret-backend-refused', 1],
  ['PreconditionNotMetException', 400, 'secret-backend-refused', 1],
  ['InternalServiceError', 500, 'secret-backend-unavailable', 2],
  ['ThrottlingException', 400, 'secret-backend-unavailable', 2],
  ['ServiceUnavailable', 503, 'secret-backend-unavailable', 2],
  ['SomethingNewException', 400, 'secret-backend-unavailable', 1],
]

for (const [name, status, code, tries] of FAILURES) {
  test(`${name} is ${code} after ${tries}, and never shows the value`, async (t) => {
    const { backend, calls } = await faultyService(t, (_call, response) => fail(response, status, name))
    const error = await backend.put('key', CANARY).catch((thrown: unknown) => thrown)
    t.match(error, { code, message: name })
    t.match(error, { message: 'request-1' }, 'names the request, for the support of AWS')
    t.notMatch(everythingOf(error), CANARY)
    t.equal(calls(), tries)
    const others = [backend.get('key'), backend.remove('key'), backend.list(''), backend.check()]
    for (const other of await Promise.allSettled(others))
      t.match(other, { status: 'rejected', reason: { code } })
  })
}

test('a fault that passes is not noticed', async (t) => {
  const { backend, calls } = await faultyService(t, (call, response) => {
    if (call === 1) return void response.destroy()
    response.writeHead(200, { 'Content-Type': 'application/x-amz-json-1.1' }).end('{"Name":"key"}')
  })
  await backend.put('key', CANARY)
  t.equal(calls(), 2)
})

test('a service that does not answer, or is not there, is unavailable', async (t) => {
  const silent = await faultyService(t, () => undefined)
  const error = await silent.backend.put('key', CANARY).catch((thrown: unknown) => thrown)
  t.match(error, { code: 'secret-backend-unavailable' })
  t.notMatch(everythingOf(error), CANARY)
  t.equal(silent.calls(), 2)
  const absent = openSecretsManager({
    region: 'us-east-1',
    endpoint: 'http://127.0.0.1:9',
    prefix: () => '',
    attempts: 1,
  })
  await t.rejects(absent.check(), { code: 'secret-backend-unavailable' })
  await absent.close()
})
