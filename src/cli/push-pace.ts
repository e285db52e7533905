/** How often the fleet repository may be pushed to. */
import type { Configuration } from '../configuration/settings.ts'
import { readRepositoryAddress } from '../fleet/repository-address.ts'
import type { PaceLimit } from '../git/writer/pace.ts'

/** GitHub asks for no more a repository; GitLab.com counts requests of a user, of which a push is several. */
const PER_MINUTE: Readonly<Record<string, number>> = { 'github.com': 6, 'gitlab.com': 60 }

/** Undefined: as often as there is something to push. */
export function pushPace(
  configuration: Pick<Configuration, 'fleet' | 'push-per-minute' | 'push-burst'>,
): PaceLimit | undefined {
  const { fleet, 'push-per-minute': told, 'push-burst': burst } = configuration
  const perMinute = told === undefined ? perMinuteOf(fleet) : Number(told)
  return perMinute === 0 ? undefined : { perMinute, burst: Number(burst) }
}

function perMinuteOf(fleet: string | undefined): number {
  const reading = fleet === undefined ? undefined : readRepositoryAddress(fleet)
  if (reading === undefined || !('address' in reading) || reading.address.kind === 'path') return 0
  const { address } = reading
  const host = address.kind === 'ssh' ? address.host : new URL(address.url).hostname
  return PER_MINUTE[host.toLowerCase()] ?? 0
}
