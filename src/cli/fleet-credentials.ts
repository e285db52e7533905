/** What the configuration says to log in to the git server of the fleet with. */
import type { Configuration } from '../configuration/settings.ts'
import { FleetError } from '../fleet/errors.ts'
import { type Credentials, createCredentials } from '../git/remote/credentials.ts'

/** @throws FleetError `invalid-configuration` */
export function fleetCredentials(configuration: Configuration): Credentials {
  const { 'fleet-token': token, 'fleet-token-file': tokenFile, 'fleet-user': user } = configuration
  if (token !== undefined && tokenFile !== undefined)
    throw new FleetError('invalid-configuration', 'Give fleet-token-file or fleet-token, not both.')
  return createCredentials({
    user,
    ...(token === undefined ? {} : { token }),
    ...(tokenFile === undefined ? {} : { tokenFile }),
  })
}
