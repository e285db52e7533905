import { CreateDBClusterCommand, RDSClient } from '@aws-sdk/client-rds'
import { test } from 'tap'
import { ToolUnavailableError } from '../../scripts/testbed/binaries.ts'
import { send } from '../support/api.ts'
import { startMoto } from '../support/moto.ts'
import { startTestServer } from '../support/server.ts'
import { until } from '../support/until.ts'

process.env.AWS_ACCESS_KEY_ID = 'test'
process.env.AWS_SECRET_ACCESS_KEY = 'test'

const moto = await startMoto().catch((error: unknown) => {
  if (error instanceof ToolUnavailableError) return error
  throw error
})
const skip = moto instanceof ToolUnavailableError ? moto.message : false

/** Of the example fleet. */
const VPC = 'vpc-0a1b2c3d'

interface Resource {
  readonly kind: string
  readonly name: string
  readonly health: string
  readonly message: string
}

test('what AWS says of an installation is in its status', { skip }, async (t) => {
  if (moto instanceof ToolUnavailableError) return
  const settings = { 'aws-observation': 'on', 'aws-observation-seconds': '1', 'aws-endpoint': moto.url }
  const server = await startTestServer('all', undefined, settings)
  t.teardown(async () => {
    await server.close()
    await moto.close()
  })
  const cluster = { 'external-cluster-secret-name': 'prod-1', 'vpc-id': VPC, 'allow-installations': true }
  await send(server.url, 'POST', '/api/clusters/import', { body: cluster })
  const [ami, role] = ['ami-0123456789abcdef0', 'arn:aws:iam::123456789012:role/eks']
  const eksBody = { provisioner: 'eks', ami, 'cluster-role-arn': role, 'node-role-arn': role }
  const wanted = await send(server.url, 'POST', '/api/clusters', { body: eksBody })
  t.equal(wanted.status, 202)
  const body = { OwnerID: 'owner', Name: 'acme', Affinity: 'multitenant', DNSNames: ['acme.example.com'] }
  const stores = { Database: 'aws-rds-postgres', Filestore: 'aws-s3' }
  const { body: made } = await send(server.url, 'POST', '/api/installations', {
    body: { ...body, ...stores },
  })
  const database = async (): Promise<Resource | undefined> => {
    const { body: status } = await send(server.url, 'GET', `/api/fleet/installations/${made.ID}/status`)
    const resources: readonly Resource[] = status.working?.resources ?? []
    return resources.find(({ kind }) => kind === 'AWS RDS cluster')
  }
  const DBClusterIdentifier = `cloud-${made.ID}`
  const missing = await until(database, (seen) => seen?.health === 'missing', 40)
  t.match(missing, { name: DBClusterIdentifier, message: /no AWS RDS cluster .* in us-east-1/ })
  const ofClusters = async (): Promise<readonly Resource[]> => {
    const { body: seen } = await send(server.url, 'GET', '/api/fleet/clusters')
    return seen.clusters.flatMap((one: { readonly resources: readonly Resource[] }) => one.resources)
  }
  const eks = await until(ofClusters, (found) => found.length > 0, 40)
  t.match(eks, [{ kind: 'AWS EKS cluster', health: 'missing' }], 'the one on EKS, and no other')
  const client = new RDSClient({ region: 'us-east-1', endpoint: moto.url })
  t.teardown(() => client.destroy())
  await client.send(
    new CreateDBClusterCommand({
      DBClusterIdentifier,
      Engine: 'aurora-postgresql',
      MasterUsername: 'mmcloud',
      MasterUserPassword: 'password-of-the-test',
      StorageEncrypted: true,
      DeletionProtection: false,
    }),
  )
  t.match(await until(database, (seen) => seen?.health === 'degraded', 40), { message: /not protected/ })
})
