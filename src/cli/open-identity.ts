/** Which fleet the data directory belongs to. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Configuration } from '../configuration/settings.ts'
import { isObjectId } from '../fleet/ids.ts'
import { type FleetIdentity, openFleetIdentity } from '../git/fleet-identity.ts'
import type { Clock } from '../ports/clock.ts'

export interface IdentityOptions {
  readonly configuration: Configuration
  readonly clock: Clock
  readonly onError: (error: unknown) => void
}

/** @throws FleetError `invalid-configuration` */
export async function openIdentity({
  configuration,
  clock,
  onError,
}: IdentityOptions): Promise<FleetIdentity> {
  const { data, 'accept-new-history': accept } = configuration
  await mkdir(data, { recursive: true })
  return await openFleetIdentity({
    path: join(data, 'fleet-identity.json'),
    ...(accept !== undefined && isObjectId(accept) ? { accept } : {}),
    clock,
    onError,
  })
}
