import { CreateClusterCommand, EKSClient } from '@aws-sdk/client-eks'
import { test } from 'tap'
import { ToolUnavailableError } from '../../scripts/testbed/binaries.ts'
import { createEksEndpoints } from '../../src/aws/eks/endpoint.ts'
import { createEksToken } from '../../src/aws/eks/token.ts'
import { systemClock } from '../../src/system/clock.ts'
import { everythingOf } from '../kube/credentials-contract.ts'
import { signatureFor, urlOf } from '../support/aws-signature.ts'
import { awsThatFails } from '../support/aws-that-fails.ts'
import { startMoto } from '../support/moto.ts'

const CANARY = 'canary-e4507a-never-shown'
const KEYS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' }
process.env.AWS_ACCESS_KEY_ID = KEYS.accessKeyId
process.env.AWS_SECRET_ACCESS_KEY = CANARY

test('a token is a request to STS that says which cluster it is for, signed', async (t) => {
  const now = Date.UTC(2026, 10, 24, 12, 0, 0)
  const token = await createEksToken({
    clusterName: 'prod-1',
    region: 'eu-central-1',
    credentials: KEYS,
    clock: { now: () => now },
  })()
  t.notMatch(token, /=/, 'no padding')
  const url = urlOf(token)
  t.equal(url.host, 'sts.eu-central-1.amazonaws.com')
  const { searchParams } = url
  t.equal(searchParams.get('Action'), 'GetCallerIdentity')
  t.equal(searchParams.get('X-Amz-Expires'), '60')
  t.equal(searchParams.get('X-Amz-Date'), '20261124T120000Z')
  t.equal(searchParams.get('X-Amz-SignedHeaders'), 'host;x-k8s-aws-id')
  const headers = { host: url.host, 'x-k8s-aws-id': 'prod-1' }
  t.equal(searchParams.get('X-Amz-Signature'), signatureFor(url, headers, KEYS.secretAccessKey))
  const other = signatureFor(url, { ...headers, 'x-k8s-aws-id': 'prod-2' }, KEYS.secretAccessKey)
  t.not(searchParams.get('X-Amz-Signature'), other, 'it is good for no other cluster')
})

test('a token is made once for all who wait, again after 12 minutes, and outlives a failure', async (t) => {
  let now = Date.UTC(2026, 10, 24)
  let asked = 0
  let error: Error | undefined
  const token = createEksToken({
    clusterName: 'prod-1',
    region: 'eu-central-1',
    async credentials() {
      asked += 1
      if (error !== undefined) throw error
      return KEYS
    },
    clock: { now: () => now },
  })
  const [first, ...others] = await Promise.all(Array.from({ length: 50 }, () => token()))
  t.ok(others.every((other) => other === first))
  t.equal(asked, 1)
  now += 11 * 60_000
  t.equal(await token(), first)
  now += 60_000
  error = new Error('away')
  t.equal(await token(), first, 'what is left of its life is used')
  error = undefined
  const second = await token()
  t.not(second, first)
  error = new Error('away')
  now += 15 * 60_000
  await t.rejects(token(), { message: 'away' })
})

const moto = await startMoto().catch((failed: unknown) => {
  if (failed instanceof ToolUnavailableError) return failed
  throw failed
})
const skip = moto instanceof ToolUnavailableError ? moto.message : false
const REFERENCE = { source: 'eks', clusterName: 'prod-1', region: 'us-east-1' } as const

test('address and authority as EKS says', { skip }, async (t) => {
  if (moto instanceof ToolUnavailableError) return
  t.teardown(() => moto.close())
  const client = new EKSClient({ region: 'us-east-1', endpoint: moto.url })
  const roleArn = 'arn:aws:iam::123456789012:role/fleetwright'
  const { cluster } = await client.send(
    new CreateClusterCommand({ name: 'prod-1', roleArn, resourcesVpcConfig: { subnetIds: ['subnet-1'] } }),
  )
  client.destroy()
  const endpoints = createEksEndpoints({ endpoint: moto.url, clock: systemClock })
  t.teardown(() => endpoints.close())
  const found = await endpoints.endpoint(REFERENCE)
  t.equal(found.url.href, new URL(cluster?.endpoint ?? '').href)
  const authority = Buffer.from(cluster?.certificateAuthority?.data ?? '', 'base64').toString('utf8')
  t.equal(found.certificateAuthority, authority)
  const own = urlOf((await found.token()) ?? '')
  t.match(own.searchParams.get('X-Amz-Credential'), KEYS.accessKeyId)

  await t.test('with a role the token is signed by the role', async (t) => {
    const { token } = await endpoints.endpoint({ ...REFERENCE, roleArn })
    const { searchParams } = urlOf((await token()) ?? '')
    t.match(searchParams.get('X-Amz-Credential'), /^ASIA/)
    t.ok(searchParams.get('X-Amz-Security-Token'))
  })
  await t.test('a cluster that is not there', async (t) => {
    await t.rejects(endpoints.endpoint({ ...REFERENCE, clusterName: 'none' }), {
      code: 'credentials-invalid',
      message: /no EKS cluster none in us-east-1/,
    })
  })
})

const FAILURES = [
  ['AccessDeniedException', 403, 'credentials-invalid'],
  ['UnrecognizedClientException', 400, 'credentials-invalid'],
  ['ExpiredTokenException', 400, 'credentials-invalid'],
  ['ThrottlingException', 429, 'credentials-unavailable'],
  ['ServerException', 500, 'credentials-unavailable'],
] as const

for (const [name, status, code] of FAILURES) {
  test(`${name} is ${code}, with its request and without what AWS says in it`, async (t) => {
    const aws = await awsThatFails(t, { name, status, message: CANARY })
    const endpoints = createEksEndpoints({ endpoint: aws.url, clock: systemClock, attempts: 2 })
    t.teardown(() => endpoints.close())
    const error = await endpoints.endpoint(REFERENCE).catch((thrown: unknown) => thrown)
    t.match(error, { code, message: new RegExp(`${name}.*request-1`) })
    t.notMatch(everythingOf(error), CANARY)
  })
}

test('a cluster that is still being made has no address yet', async (t) => {
  const aws = await awsThatFails(t, { answer: { cluster: { name: 'prod-1', status: 'CREATING' } } })
  const endpoints = createEksEndpoints({ endpoint: aws.url, clock: systemClock })
  t.teardown(() => endpoints.close())
  await t.rejects(endpoints.endpoint(REFERENCE), { code: 'credentials-unavailable', message: /CREATING/ })
})
