/** Installations as a fleet of some years has them: most small and shared, some large, some their own in everything. */
import type { Group, InstallationSpec } from '../../src/fleet/intents.ts'
import type { CreateInstallation } from '../../src/fleet/transactions/installations/create.ts'
import type { SeededRandom } from './random.ts'
import { SOVEREIGN } from './surroundings.ts'

const COLOURS = [
  'amber',
  'azure',
  'coral',
  'ivory',
  'jade',
  'olive',
  'pearl',
  'ruby',
  'slate',
  'teal',
] as const
const THINGS = [
  'anchor',
  'beacon',
  'cedar',
  'delta',
  'ember',
  'falcon',
  'garnet',
  'harbour',
  'island',
  'lagoon',
] as const

const DATABASES = [
  [55, 'aws-multitenant-rds-postgres-pgbouncer'],
  [15, 'aws-multitenant-rds-postgres'],
  [12, 'cloudnative-pg'],
  [12, 'aws-rds-postgres'],
  [6, 'external'],
] as const
const FILESTORES = [
  [55, 'bifrost'],
  [25, 'aws-multitenant-s3'],
  [15, 'aws-s3'],
  [5, 'local-ephemeral'],
] as const
const SIZES = [
  [45, '100users'],
  [30, '1000users'],
  [15, 'cloud10users'],
  [7, '5000users'],
  [2, '10000users'],
  [1, 'provisionerXL'],
] as const

/** What a customer asks for. @param at number of the installation in the fleet, which makes its name unique */
export function installationRequest(
  at: number,
  domain: string,
  groups: readonly Group[],
  random: SeededRandom,
): CreateInstallation {
  const id = random.id()
  const colour = COLOURS[random.below(COLOURS.length)] ?? 'amber'
  const name = `${colour}-${THINGS[random.below(THINGS.length)] ?? 'anchor'}-${at.toString(36)}`
  const group = random.chance(0.85) ? groups[random.below(groups.length)] : undefined
  const dns = [`${name}.${domain}`, ...(random.chance(0.15) ? [`${name}.chat.example.net`] : [])]
  return {
    id,
    clusterInstallationId: random.id(),
    logicalDatabaseId: random.id(),
    name,
    dns: dns.map((text) => ({ id: random.id(), name: text })),
    annotations: random.chance(0.1) ? [SOVEREIGN] : [],
    ...(group === undefined ? {} : { group: { id: group.metadata.id } }),
    placement: 'now',
    spec: {
      owner: `customer-${random.below(1_000_000)}`,
      version: random.chance(0.9) ? '11.2.0' : '10.11.4',
      image: 'mattermost/mattermost-enterprise-edition',
      size: random.weighted(SIZES),
      affinity: 'multitenant',
      database: database(id, random),
      filestore: { kind: random.weighted(FILESTORES) },
      ...(random.chance(0.6) ? { licence: { key: `installations/${id}/licence` } } : {}),
      ...(random.chance(0.3) ? { env: environment(id, random) } : {}),
      ...(random.chance(0.05) ? { deletionLocked: true } : {}),
    },
  }
}

/** What came later in its life. */
export function laterChanges(random: SeededRandom): Partial<InstallationSpec> {
  const ranges = [{ cidrBlock: `198.51.100.${random.below(256)}/32`, description: 'office', enabled: true }]
  return {
    ...(random.chance(0.08) ? { hibernated: true } : {}),
    ...(random.chance(0.05) ? { allowedIpRanges: ranges } : {}),
  }
}

function database(id: string, random: SeededRandom): InstallationSpec['database'] {
  const kind = random.weighted(DATABASES)
  if (kind === 'external') return { kind, externalSecretKey: `external/${id}` }
  if (kind !== 'aws-rds-postgres') return { kind }
  const single = { primaryInstanceType: 'db.r7g.large', replicaInstanceType: 'db.r7g.large' }
  return { kind, single: { ...single, replicasCount: random.below(2) } }
}

function environment(id: string, random: SeededRandom): NonNullable<InstallationSpec['env']> {
  return {
    MM_SERVICESETTINGS_ENABLELOCALMODE: { value: 'true' },
    MM_TEAMSETTINGS_MAXUSERSPERTEAM: { value: String(50 * (1 + random.below(40))) },
    ...(random.chance(0.3)
      ? { MM_EMAILSETTINGS_SMTPPASSWORD: { secret: { key: `installations/${id}/smtp` } } }
      : {}),
  }
}
