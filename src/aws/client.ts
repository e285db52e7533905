/** What all clients of AWS have in common: time limits, patience, and whose rights they use. */
import { AssumeRoleCommand, STSClient, type STSClientConfig } from '@aws-sdk/client-sts'

export interface AwsSettings {
  readonly region: string
  /** Of another service that speaks the same protocol; absent: AWS itself. */
  readonly endpoint?: string
  /** Tries of one call, the first included. */
  readonly attempts?: number
  /** Of one try. */
  readonly timeoutMilliseconds?: number
  /** Role to act as; absent: what the AWS SDK finds (environment, files, the role of the pod). */
  readonly roleArn?: string
}

const ATTEMPTS = 5
const TIMEOUT_MILLISECONDS = 5_000
const ROLE_SECONDS = 3_600
/** In the audit log of the account. */
const SESSION = 'fleetwright'

/** Options for the constructor of any client. Throttled calls slow all calls of the client down. */
export function clientOptions(
  settings: AwsSettings,
): Pick<
  STSClientConfig,
  'region' | 'endpoint' | 'maxAttempts' | 'retryMode' | 'requestHandler' | 'credentials'
> {
  const {
    region,
    endpoint,
    attempts = ATTEMPTS,
    timeoutMilliseconds: limit = TIMEOUT_MILLISECONDS,
  } = settings
  return {
    region,
    ...(endpoint === undefined ? {} : { endpoint }),
    maxAttempts: attempts,
    retryMode: 'adaptive',
    requestHandler: { connectionTimeout: limit, requestTimeout: limit, throwOnRequestTimeout: true },
    ...(settings.roleArn === undefined ? {} : { credentials: roleCredentials(settings, settings.roleArn) }),
  }
}

/** The client that asks keeps what it got until shortly before it expires. */
function roleCredentials(
  { roleArn: _, ...settings }: AwsSettings,
  roleArn: string,
): NonNullable<Extract<STSClientConfig['credentials'], () => unknown>> {
  return async () => {
    const client = new STSClient(clientOptions(settings))
    try {
      const { Credentials: given } = await client.send(
        new AssumeRoleCommand({ RoleArn: roleArn, RoleSessionName: SESSION, DurationSeconds: ROLE_SECONDS }),
      )
      if (given?.AccessKeyId === undefined || given.SecretAccessKey === undefined)
        throw new Error('AssumeRole answered no credentials')
      return {
        accessKeyId: given.AccessKeyId,
        secretAccessKey: given.SecretAccessKey,
        ...(given.SessionToken === undefined ? {} : { sessionToken: given.SessionToken }),
        ...(given.Expiration === undefined ? {} : { expiration: given.Expiration }),
      }
    } finally {
      client.destroy()
    }
  }
}
