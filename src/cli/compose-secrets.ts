/** Picks the secret backend, and says what its sweep did. */
import { join } from 'node:path'
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import type { Configuration } from '../configuration/settings.ts'
import { FleetError } from '../fleet/errors.ts'
import type { Fleet } from '../fleet/fleet.ts'
import type { SecretBackend } from '../ports/secrets.ts'
import { createSecretMetrics } from '../reconcile/secret-metrics.ts'
import type { SweepResult } from '../reconcile/secret-sweep.ts'
import { openSecretsManager } from '../secrets/aws-secrets-manager/backend.ts'
import { openSecretDirectory } from '../secrets/directory/backend.ts'

/**
 * @param fleet at this moment; says the prefix of keys, and the region unless the configuration does
 * @throws FleetError `invalid-configuration`
 */
export async function openSecrets(configuration: Configuration, fleet: () => Fleet): Promise<SecretBackend> {
  if (configuration['secret-backend'] !== 'aws-secrets-manager')
    return await openSecretDirectory(join(configuration.data, 'secrets'))
  return openSecretsManagerOf(configuration, fleet)
}

/** Of everything on AWS. */
export function regionOf(configuration: Configuration, { settings }: Fleet): string | undefined {
  return configuration['aws-region'] ?? settings.spec.aws?.region
}

/** @throws FleetError `invalid-configuration` */
export function openSecretsManagerOf(configuration: Configuration, fleet: () => Fleet): SecretBackend {
  const region = regionOf(configuration, fleet())
  const endpoint = configuration['aws-endpoint']
  if (region === undefined)
    throw new FleetError(
      'invalid-configuration',
      'AWS Secrets Manager needs a region: set aws-region, or spec.aws.region in fleet.yaml.',
    )
  const prefix = (): string => fleet().settings.spec.secretStore.keyPrefix
  return openSecretsManager({ region, prefix, ...(endpoint === undefined ? {} : { endpoint }) })
}

/** Keys are no secrets; they name an object and what the value is for. */
export function reportSweeps(registry: Registry, logger: Logger): (result: SweepResult) => void {
  const count = createSecretMetrics(registry)
  return (result) => {
    count(result)
    const { orphans, replaced, missing } = result
    if (orphans.length + replaced.length > 0) logger.info({ orphans, replaced }, 'removed secret values')
    if (missing.length > 0) logger.error({ missing }, 'secret values are missing')
  }
}
