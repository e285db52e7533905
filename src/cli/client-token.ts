/** The token that commands log in to a server with: from the environment, the configuration, or a file; never an argument. */
import type { Configuration } from '../configuration/settings.ts'
import { FleetError } from '../fleet/errors.ts'
import { readText } from './command-context.ts'

/** @throws FleetError `invalid-configuration` when there is none */
export async function readToken(settings: Configuration): Promise<string> {
  const file = settings['token-file']
  const token = settings.token ?? (file === undefined ? undefined : (await readText(file)).trim())
  if (token !== undefined && token !== '') return token
  throw new FleetError(
    'invalid-configuration',
    'A token is needed: set FLEETWRIGHT_TOKEN, or name a file with --token-file. fleetwright token create makes one.',
  )
}
