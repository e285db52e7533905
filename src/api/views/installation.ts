import { effectiveConfiguration } from '../../fleet/configuration.ts'
import type { Fleet } from '../../fleet/fleet.ts'
import type { Env, EnvValue, Installation, Timestamp, Tombstone } from '../../fleet/intents.ts'
import { installationState, waitingReason } from '../../fleet/state.ts'
import type { Parts } from '../context.ts'
import { annotationViews, envView, lockView, milliseconds, SECRET_IS_SET } from './common.ts'

type InstallationParts = Pick<Parts, 'leases' | 'observations'>

export interface InstallationViewOptions {
  /** Shows what it runs with its group's configuration over its own. */
  readonly withGroup: boolean
  /** Shows what the group replaces. */
  readonly withOverrides?: boolean
  readonly deletedAt?: string
}

/** State of an installation from what was observed. */
export function stateOf(
  { observations }: Pick<Parts, 'observations'>,
  fleet: Fleet,
  installation: Installation,
): string {
  const { id } = installation.metadata
  return installationState(installation, observations.get('installation', id), waitingReason(fleet, id))
}

/** When a tombstone's installation was gone. */
export function deletedAtOf({ spec }: Tombstone): Timestamp {
  return spec.removedAt ?? spec.notBefore
}

/** An installation as the original shows it. Values of secrets are never in it. */
export function installationView(
  parts: InstallationParts,
  fleet: Fleet,
  installation: Installation,
  options: InstallationViewOptions,
): object {
  const { metadata, spec } = installation
  const group = typeof spec.group === 'string' ? fleet.group(spec.group) : undefined
  const shown = options.withGroup && group !== undefined ? merged(fleet, installation) : own(installation)
  const annotations = annotationViews(metadata.annotations)
  const names = spec.dns.filter(({ deletedAt }) => deletedAt === undefined)
  const primary = names.find((dns) => dns.primary === true) ?? names[0]
  const { deletion } = spec
  const seenSequence = parts.observations.get('installation', metadata.id)?.groupSequence
  return {
    ID: metadata.id,
    OwnerID: spec.owner,
    GroupID: spec.group === null ? null : (group?.metadata.id ?? ''),
    ...(seenSequence === undefined || group === undefined ? {} : { GroupSequence: seenSequence }),
    State: options.deletedAt === undefined ? stateOf(parts, fleet, installation) : 'deleted',
    Size: spec.size,
    Version: shown.version,
    Image: shown.image,
    ...(spec.command === undefined ? {} : { command: spec.command }),
    Name: metadata.name,
    Database: spec.database.kind,
    ...singleView(installation),
    ...(spec.database.externalSecretKey === undefined
      ? {}
      : { ExternalDatabaseConfig: { SecretName: spec.database.externalSecretKey } }),
    Filestore: spec.filestore.kind,
    License: spec.licence === undefined ? '' : SECRET_IS_SET,
    AllowedIPRanges: rangesView(installation),
    Volumes: volumesView(installation),
    MattermostEnv: envView(shown.env),
    PriorityEnv: envView(spec.priorityEnv),
    Affinity: spec.affinity,
    CRVersion: 'installation.mattermost.com/v1beta1',
    CreateAt: milliseconds(metadata.createdAt),
    DeleteAt: milliseconds(options.deletedAt),
    ...(deletion?.pendingExpiresAt === undefined
      ? {}
      : { DeletionPendingExpiry: milliseconds(deletion.pendingExpiresAt) }),
    ...(deletion?.scheduledAt === undefined
      ? {}
      : { ScheduledDeletionTime: milliseconds(deletion.scheduledAt) }),
    APISecurityLock: spec.apiLocked ?? false,
    DeletionLocked: spec.deletionLocked ?? false,
    ...lockView(parts.leases, 'installation', metadata.id),
    ...(options.withOverrides !== false && Object.keys(shown.overrides).length > 0
      ? { GroupOverrides: shown.overrides }
      : {}),
    ...(spec.podProbeOverrides === undefined
      ? {}
      : { PodProbeOverrides: probesView(spec.podProbeOverrides) }),
    ...(annotations === undefined ? {} : { Annotations: annotations }),
    DNS: primary?.name ?? '',
    DNSRecords: names.map((dns) => ({
      ID: dns.id,
      DomainName: dns.name,
      InstallationID: metadata.id,
      IsPrimary: dns.primary ?? false,
      CreateAt: milliseconds(dns.createdAt),
      DeleteAt: milliseconds(dns.deletedAt),
    })),
    ...clustersView(fleet, installation),
  }
}

/** Clusters that have it now; absent when none has. */
function clustersView(fleet: Fleet, { spec }: Installation): object {
  const live = (spec.clusterInstallations ?? []).filter(({ deletedAt }) => deletedAt === undefined)
  const ids = live.map(({ cluster }) => fleet.cluster(cluster)?.metadata.id ?? '')
  return ids.length === 0 ? {} : { ClusterIDs: ids }
}

interface Shown {
  readonly version: string
  readonly image: string
  readonly env: Env | undefined
  /** What the group replaces. */
  readonly overrides: Readonly<Record<string, string>>
}

function own({ spec }: Installation): Shown {
  return { version: spec.version, image: spec.image, env: spec.env, overrides: {} }
}

function merged(fleet: Fleet, installation: Installation): Shown {
  const { spec } = installation
  const { version, image, group } = effectiveConfiguration(fleet, installation, 'newest')
  const env = { ...spec.env, ...group?.spec.env }
  const overrides: Record<string, string> = {}
  if (version !== spec.version)
    Object.assign(overrides, { 'Group Version': version, 'Installation Version': spec.version })
  if (image !== spec.image)
    Object.assign(overrides, { 'Group Image': image, 'Installation Image': spec.image })
  for (const [name, value] of Object.entries(group?.spec.env ?? {})) {
    const replaced = spec.env?.[name]
    if (replaced === undefined) continue
    overrides[`Group MattermostEnv[${name}]`] = shownValue(value)
    overrides[`Installation MattermostEnv[${name}]`] = shownValue(replaced)
  }
  return { version, image, env: Object.keys(env).length === 0 ? undefined : env, overrides }
}

function shownValue(value: EnvValue): string {
  if ('secret' in value) return SECRET_IS_SET
  return 'value' in value ? value.value : JSON.stringify(value.valueFrom)
}

function singleView({ spec }: Installation): object {
  const { single } = spec.database
  if (single === undefined) return {}
  return {
    SingleTenantDatabaseConfig: {
      PrimaryInstanceType: single.primaryInstanceType,
      ReplicaInstanceType: single.replicaInstanceType ?? '',
      ReplicasCount: single.replicasCount,
    },
  }
}

function rangesView({ spec }: Installation): readonly object[] | null {
  return (
    spec.allowedIpRanges?.map(({ cidrBlock, description, enabled, ownerId }) => ({
      CIDRBlock: cidrBlock,
      Description: description ?? '',
      Enabled: enabled,
      OwnerID: ownerId ?? '',
    })) ?? null
  )
}

function volumesView({ spec }: Installation): object | null {
  if (spec.volumes === undefined) return null
  return Object.fromEntries(
    Object.entries(spec.volumes).map(([name, { type, backingSecret, mountPath, readOnly }]) => {
      const view: object = {
        Type: type,
        BackingSecret: backingSecret,
        MountPath: mountPath,
        ReadOnly: readOnly,
      }
      return [name, view] as const
    }),
  )
}

function probesView({ liveness, readiness }: NonNullable<Installation['spec']['podProbeOverrides']>): object {
  return {
    ...(liveness === undefined ? {} : { LivenessProbeOverride: liveness }),
    ...(readiness === undefined ? {} : { ReadinessProbeOverride: readiness }),
  }
}
