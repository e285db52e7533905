/** AWS, looked at: few calls at a time, however much there is to look at. */
import { EKSClient } from '@aws-sdk/client-eks'
import { RDSClient } from '@aws-sdk/client-rds'
import { S3Client } from '@aws-sdk/client-s3'
import type { Clock, Randomness } from '../ports/clock.ts'
import type { Cloud } from '../ports/cloud.ts'
import { type AwsSettings, clientOptions } from './client.ts'
import { kubernetes } from './eks/kubernetes.ts'
import { databases } from './rds/databases.ts'
import { bucket } from './s3/bucket.ts'

/** Calls a second, of all services together; the adaptive retries of the SDK slow down further when AWS asks for it. */
const CALLS_PER_SECOND = 5

export interface CloudOptions extends AwsSettings {
  readonly accountId: string
  readonly clock: Clock
  readonly randomness: Randomness
  readonly callsPerSecond?: number
}

export function openCloud(options: CloudOptions): Cloud {
  const { accountId, clock, randomness, callsPerSecond = CALLS_PER_SECOND } = options
  const settings = clientOptions(options)
  const rds = new RDSClient(settings)
  const eks = new EKSClient(settings)
  const s3 = new S3Client({
    ...settings,
    followRegionRedirects: true,
    // Other services have no names for buckets in their DNS.
    forcePathStyle: options.endpoint !== undefined,
  })
  async function pace(signal: AbortSignal): Promise<void> {
    const pause = (1_000 / callsPerSecond) * (0.5 + (randomness.bytes(1)[0] ?? 0) / 255)
    await clock.sleep(pause, signal)
  }
  return {
    databases: (signal) => databases(rds, () => pace(signal)),
    bucket: (name, signal) => bucket({ client: s3, name, accountId, signal, pace: () => pace(signal) }),
    async kubernetes(name, signal) {
      await pace(signal)
      return await kubernetes(eks, name, signal)
    },
    close() {
      for (const client of [rds, eks, s3]) client.destroy()
    },
  }
}
