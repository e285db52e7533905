/** Secrets in AWS Secrets Manager: one secret a key, named as External Secrets on the clusters reads it. */
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  GetSecretValueCommand,
  InvalidRequestException,
  ListSecretsCommand,
  paginateListSecrets,
  ResourceExistsException,
  ResourceNotFoundException,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager'
import type { SecretBackend, StoredSecret } from '../../ports/secrets.ts'
import { refuseOtherValue, requireKey, requireValue } from '../key.ts'
import { toFleetError } from './errors.ts'

export interface SecretsManagerOptions {
  readonly region: string
  /** Of another service that speaks the same protocol; absent: AWS itself. */
  readonly endpoint?: string
  /** What stands before every key, `spec.secretStore.keyPrefix` of the fleet at this moment. */
  readonly prefix: () => string
  /** Tries of one call, the first included. */
  readonly attempts?: number
  /** Of one try. */
  readonly timeoutMilliseconds?: number
}

const ATTEMPTS = 5
const TIMEOUT_MILLISECONDS = 5_000
const PAGE = 100
/** The shortest that AWS allows. */
const RECOVERY_DAYS = 7

/** Credentials come from where the AWS SDK looks for them: environment, files, the role of the pod. */
export function openSecretsManager(options: SecretsManagerOptions): SecretBackend {
  const { region, endpoint, prefix } = options
  const timeout = options.timeoutMilliseconds ?? TIMEOUT_MILLISECONDS
  const client = new SecretsManagerClient({
    region,
    ...(endpoint === undefined ? {} : { endpoint }),
    maxAttempts: options.attempts ?? ATTEMPTS,
    requestHandler: { connectionTimeout: timeout, requestTimeout: timeout, throwOnRequestTimeout: true },
  })
  async function get(key: string): Promise<string | undefined> {
    requireKey(key)
    try {
      const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: prefix() + key }))
      return SecretString
    } catch (error) {
      // One that is scheduled for deletion is as good as gone.
      if (error instanceof ResourceNotFoundException || error instanceof InvalidRequestException)
        return undefined
      throw toFleetError(error, 'read a secret')
    }
  }
  return {
    get,
    async put(key, value) {
      requireKey(key)
      requireValue(key, value)
      try {
        await client.send(new CreateSecretCommand({ Name: prefix() + key, SecretString: value }))
      } catch (error) {
        if (!(error instanceof ResourceExistsException)) throw toFleetError(error, 'store a secret')
        if ((await get(key)) !== value) refuseOtherValue(key)
      }
    },
    async remove(key, how) {
      requireKey(key)
      try {
        const end =
          how === 'recoverable'
            ? { RecoveryWindowInDays: RECOVERY_DAYS }
            : { ForceDeleteWithoutRecovery: true }
        await client.send(new DeleteSecretCommand({ SecretId: prefix() + key, ...end }))
      } catch (error) {
        if (error instanceof ResourceNotFoundException) return
        // Scheduled for deletion already; or it has replicas, and is still there.
        if (error instanceof InvalidRequestException && (await get(key)) === undefined) return
        throw toFleetError(error, 'remove a secret')
      }
    },
    list: (wanted) => list(client, prefix(), wanted),
    async check() {
      try {
        await client.send(new ListSecretsCommand({ MaxResults: 1 }))
      } catch (error) {
        throw toFleetError(error, 'list secrets')
      }
    },
    close: async () => client.destroy(),
  }
}

async function list(
  client: SecretsManagerClient,
  prefix: string,
  wanted: string,
): Promise<readonly StoredSecret[]> {
  const start = prefix + wanted
  const found: StoredSecret[] = []
  try {
    const pages = paginateListSecrets(
      { client, pageSize: PAGE },
      { ...(start === '' ? {} : { Filters: [{ Key: 'name', Values: [start] }] }) },
    )
    for await (const { SecretList = [] } of pages) {
      for (const { Name, CreatedDate, DeletedDate } of SecretList) {
        // The filter of AWS does not look at case and splits words, so it is only a first sieve.
        if (Name === undefined || !Name.startsWith(start) || DeletedDate !== undefined) continue
        found.push({ key: Name.slice(prefix.length), createdAt: CreatedDate?.getTime() ?? 0 })
      }
    }
  } catch (error) {
    throw toFleetError(error, 'list secrets')
  }
  return found
}
