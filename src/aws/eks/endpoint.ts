/** The API server of an EKS cluster: address and authority as EKS says, log-in by a token made here. */
import { DescribeClusterCommand, EKSClient } from '@aws-sdk/client-eks'
import { FleetError } from '../../fleet/errors.ts'
import type { Clock } from '../../ports/clock.ts'
import type { ClusterCredentials, Endpoint } from '../../ports/clusters.ts'
import { type AwsSettings, clientOptions } from '../client.ts'
import { factsOf, failureOf, refusalOf } from '../failure.ts'
import { createEksToken } from './token.ts'

/** Many who ask at once, and soon after a failure, get one answer. */
const KEEP_MILLISECONDS = 5_000

export type EksReference = Extract<ClusterCredentials, { source: 'eks' }>

export interface EksEndpointsOptions extends Omit<AwsSettings, 'region' | 'roleArn'> {
  readonly clock: Clock
}

export interface EksEndpoints {
  /** @throws FleetError `credentials-invalid`, `credentials-unavailable` */
  endpoint(reference: EksReference): Promise<Endpoint>
  close(): void
}

export function createEksEndpoints(options: EksEndpointsOptions): EksEndpoints {
  const { clock, ...settings } = options
  const clients = new Map<string, EKSClient>()
  const asked = new Map<string, { readonly at: number; readonly answer: Promise<Endpoint> }>()
  function clientOf({ region, roleArn }: EksReference): EKSClient {
    const key = `${region} ${roleArn ?? ''}`
    const known = clients.get(key)
    if (known !== undefined) return known
    const role = roleArn === undefined ? {} : { roleArn }
    const client = new EKSClient(clientOptions({ ...settings, region, ...role }))
    clients.set(key, client)
    return client
  }
  return {
    async endpoint(reference) {
      const key = `${reference.region} ${reference.roleArn ?? ''} ${reference.clusterName}`
      const before = asked.get(key)
      if (before !== undefined && clock.monotonic() - before.at < KEEP_MILLISECONDS)
        return await before.answer
      const answer = describe(clientOf(reference), reference, clock)
      asked.set(key, { at: clock.monotonic(), answer })
      return await answer
    },
    close() {
      for (const client of clients.values()) client.destroy()
      clients.clear()
      asked.clear()
    },
  }
}

async function describe(client: EKSClient, reference: EksReference, clock: Clock): Promise<Endpoint> {
  const { clusterName, region } = reference
  const { cluster } = await client
    .send(new DescribeClusterCommand({ name: clusterName }))
    .catch((error: unknown) => {
      throw failed(error, reference, 'describe it (eks:DescribeCluster)')
    })
  const { endpoint, certificateAuthority, status } = cluster ?? {}
  const authority = certificateAuthority?.data
  if (endpoint === undefined || authority === undefined)
    throw new FleetError(
      'credentials-unavailable',
      `EKS cluster ${clusterName} in ${region} is ${status ?? 'unknown'} and has no address yet`,
    )
  if (!URL.canParse(endpoint) || new URL(endpoint).protocol !== 'https:')
    throw new FleetError(
      'credentials-invalid',
      `EKS cluster ${clusterName} in ${region} has no https address`,
    )
  const token = createEksToken({ clusterName, region, credentials: client.config.credentials, clock })
  return {
    url: new URL(endpoint),
    certificateAuthority: Buffer.from(authority, 'base64').toString('utf8'),
    serverName: undefined,
    clientCertificate: undefined,
    clientKey: undefined,
    token: () =>
      token().catch((error: unknown) => {
        throw failed(error, reference, 'make a token for it')
      }),
  }
}

/** @param what was tried with the cluster */
function failed(error: unknown, { clusterName, region, roleArn }: EksReference, what: string): FleetError {
  const failure = failureOf(error)
  const where = `EKS cluster ${clusterName} in ${region}${roleArn === undefined ? '' : ` as ${roleArn}`}`
  if (failure.name === 'ResourceNotFoundException')
    return new FleetError('credentials-invalid', `There is no ${where} (${factsOf(failure)})`)
  const refusal = refusalOf(failure)
  if (refusal !== undefined)
    return new FleetError(
      'credentials-invalid',
      `${where}: AWS refuses to ${what}: ${refusal} (${factsOf(failure)})`,
    )
  return new FleetError('credentials-unavailable', `${where}: cannot ${what} now (${factsOf(failure)})`)
}
