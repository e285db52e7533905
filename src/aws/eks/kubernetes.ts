/** One EKS cluster with what matters of it. */
import { DescribeClusterCommand, type EKSClient } from '@aws-sdk/client-eks'
import type { KubernetesFacts } from '../../fleet/observed/cloud.ts'
import { toAwsError } from '../errors.ts'
import { failureOf } from '../failure.ts'

/** Undefined: there is none of that name. @throws FleetError `aws-unavailable`, `aws-refused` */
export async function kubernetes(
  client: EKSClient,
  name: string,
  abortSignal: AbortSignal,
): Promise<KubernetesFacts | undefined> {
  try {
    const { cluster } = await client.send(new DescribeClusterCommand({ name }), { abortSignal })
    return {
      status: cluster?.status ?? 'unknown',
      version: cluster?.version ?? 'unknown',
      issues: (cluster?.health?.issues ?? []).map(({ code }) => code ?? 'unknown'),
    }
  } catch (error) {
    if (failureOf(error).name === 'ResourceNotFoundException') return undefined
    throw toAwsError(error, 'eks:DescribeCluster')
  }
}
