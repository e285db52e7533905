/** One bucket with what matters of it. */
import {
  GetBucketEncryptionCommand,
  GetBucketVersioningCommand,
  GetPublicAccessBlockCommand,
  type S3Client,
} from '@aws-sdk/client-s3'
import type { BucketFacts } from '../../fleet/observed/cloud.ts'
import { toAwsError } from '../errors.ts'
import { failureOf } from '../failure.ts'

const ABSENT = 'NoSuchBucket'

export interface BucketQuestion {
  readonly client: S3Client
  readonly name: string
  /** A bucket of this name that belongs to somebody else is not ours: it is refused. */
  readonly accountId: string
  readonly signal: AbortSignal
  /** Waited for before each call. */
  readonly pace: () => Promise<void>
}

/** Undefined: there is none of that name. @throws FleetError `aws-unavailable`, `aws-refused` */
export async function bucket(question: BucketQuestion): Promise<BucketFacts | undefined> {
  const { client, name, accountId, signal, pace } = question
  const input = { Bucket: name, ExpectedBucketOwner: accountId }
  const options = { abortSignal: signal }
  await pace()
  const block = await ask('s3:GetBucketPublicAccessBlock', 'NoSuchPublicAccessBlockConfiguration', () =>
    client.send(new GetPublicAccessBlockCommand(input), options),
  )
  if (block === ABSENT) return undefined
  await pace()
  const encryption = await ask(
    's3:GetEncryptionConfiguration',
    'ServerSideEncryptionConfigurationNotFoundError',
    () => client.send(new GetBucketEncryptionCommand(input), options),
  )
  if (encryption === ABSENT) return undefined
  await pace()
  const versioning = await ask('s3:GetBucketVersioning', undefined, () =>
    client.send(new GetBucketVersioningCommand(input), options),
  )
  if (versioning === ABSENT) return undefined
  const { BlockPublicAcls, BlockPublicPolicy, IgnorePublicAcls, RestrictPublicBuckets } =
    block?.PublicAccessBlockConfiguration ?? {}
  return {
    publicAccessBlocked: [BlockPublicAcls, BlockPublicPolicy, IgnorePublicAcls, RestrictPublicBuckets].every(
      (blocked) => blocked === true,
    ),
    encrypted: (encryption?.ServerSideEncryptionConfiguration?.Rules?.length ?? 0) > 0,
    versioned: versioning?.Status === 'Enabled',
  }
}

/** @param unset name of the error that says that nothing is set */
async function ask<Answer>(
  right: string,
  unset: string | undefined,
  call: () => Promise<Answer>,
): Promise<Answer | undefined | typeof ABSENT> {
  try {
    return await call()
  } catch (error) {
    const { name } = failureOf(error)
    if (name === ABSENT) return ABSENT
    if (name === unset) return undefined
    throw toAwsError(error, right)
  }
}
