import type {
  Cluster,
  FleetSettings,
  KubernetesChange,
  NodeGroupChange,
  PgbouncerSettings,
} from '../../fleet/intents.ts'
import { clusterState } from '../../fleet/state.ts'
import { UTILITIES, valuesPathOf } from '../../fleet/utilities.ts'
import type { Parts } from '../context.ts'
import type { Observation } from '../../ports/observations.ts'
import { annotationViews, lockView, milliseconds } from './common.ts'

type ClusterParts = Pick<Parts, 'leases' | 'observations' | 'writer'>

export interface ClusterViewOptions {
  /** Shows the settings for draining nodes although nobody gave any (kops). */
  readonly withRotator?: boolean
}

/** A cluster as the original shows it. */
export function clusterView(
  { leases, observations, writer }: ClusterParts,
  cluster: Cluster,
  options: ClusterViewOptions = {},
): object {
  const { metadata, spec } = cluster
  const annotations = annotationViews(metadata.annotations)
  const scheduling = leases.get('cluster', metadata.id, 'scheduling')
  const external = spec.provisioner === 'external'
  const seen = observations.get('cluster', metadata.id)
  return {
    ID: metadata.id,
    Name: spec.displayName ?? '',
    State: clusterState(cluster, seen),
    Provider: spec.provider,
    ...(external
      ? {
          ProviderMetadataExternal: { HasAWSInfrastructure: spec.vpc !== undefined },
          Provisioner: spec.provisioner,
          ProvisionerMetadataExternal: {
            Name: '',
            SecretName: spec.credentialsSecret ?? '',
            Version: '',
            ...(spec.vpc === undefined ? {} : { VPC: spec.vpc }),
          },
        }
      : cloudView(cluster, seen, options)),
    Networking: '',
    UtilityMetadata:
      spec.utilities === undefined ? null : utilitiesView(cluster, writer.fleet.settings, seen),
    PgBouncerConfig: pgbouncerView(spec.pgbouncer),
    AllowInstallations: spec.allowInstallations,
    CreateAt: milliseconds(metadata.createdAt),
    DeleteAt: milliseconds(metadata.deletedAt),
    APISecurityLock: spec.apiLocked ?? false,
    SchedulingLockAcquiredBy: scheduling?.holder ?? null,
    SchedulingLockAcquiredAt: scheduling?.acquiredAt ?? 0,
    ...lockView(leases, 'cluster', metadata.id),
    ...(annotations === undefined ? {} : { Annotations: annotations }),
  }
}

function pgbouncerView(settings: PgbouncerSettings | undefined): object {
  return {
    MinPoolSize: settings?.minPoolSize ?? 0,
    DefaultPoolSize: settings?.defaultPoolSize ?? 0,
    ReservePoolSize: settings?.reservePoolSize ?? 0,
    MaxClientConnections: settings?.maxClientConnections ?? 0,
    MaxDatabaseConnectionsPerPool: settings?.maxDatabaseConnectionsPerPool ?? 0,
    ServerIdleTimeout: settings?.serverIdleTimeout ?? 0,
    ServerLifetime: settings?.serverLifetime ?? 0,
    ServerResetQueryAlways: settings?.serverResetQueryAlways ?? 0,
  }
}

const UNKNOWN = { Name: '', Version: '', AMI: '', VPC: '', Networking: '', MaxPodsPerNode: 0 } as const
const UNKNOWN_EKS = { ...UNKNOWN, ClusterRoleARN: '', NodeRoleARN: '', NodeGroups: {} } as const
const UNKNOWN_KOPS = {
  ...UNKNOWN,
  MasterInstanceType: '',
  MasterCount: 0,
  NodeInstanceType: '',
  NodeMinCount: 0,
  NodeMaxCount: 0,
  KmsKeyId: '',
  MasterInstanceGroups: null,
  NodeInstanceGroups: null,
} as const

function cloudView({ spec }: Cluster, seen: Observation | undefined, options: ClusterViewOptions): object {
  const applied = seen?.changeApplied === true && seen.generation >= spec.operation.generation
  const change = spec.change === undefined || applied ? {} : changeView(spec.change)
  const rotator = spec.change?.rotatorConfig ?? null
  const rotated = spec.change?.rotatorConfig !== undefined || options.withRotator === true
  const found = {
    ...(spec.provisioner === 'eks' ? UNKNOWN_EKS : UNKNOWN_KOPS),
    ...seen?.metadata,
    ...(Object.keys(change).length === 0 ? {} : { ChangeRequest: change }),
    ...(rotated && spec.provisioner === 'kops' ? { RotatorRequest: { Status: null, Config: rotator } } : {}),
  }
  return {
    ProviderMetadataAWS: { Zones: spec.zones ?? [] },
    Provisioner: spec.provisioner,
    ...(spec.provisioner === 'eks' ? { ProvisionerMetadataEKS: found } : { ProvisionerMetadataKops: found }),
  }
}

/** What was asked for and is not known to be there; what was not asked for is left out. */
function changeView(change: KubernetesChange): object {
  const groups = Object.entries(change.nodeGroups ?? {}).map(
    ([type, group]) => [type, nodeGroupView(type, group)] as const,
  )
  const all = {
    Version: change.version,
    AMI: change.ami,
    MasterInstanceType: change.masterInstanceType,
    MasterCount: change.masterCount,
    NodeInstanceType: change.nodeInstanceType,
    NodeMinCount: change.nodeMinCount,
    NodeMaxCount: change.nodeMaxCount,
    MaxPodsPerNode: change.maxPodsPerNode,
    Networking: change.networking,
    KmsKeyId: change.kmsKeyId,
    VPC: change.vpc,
    ClusterRoleARN: change.clusterRoleArn,
    NodeRoleARN: change.nodeRoleArn,
    NodeGroups: groups.length === 0 ? undefined : Object.fromEntries(groups),
  }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
}

/** Only a new group says its type. */
function nodeGroupView(type: string, group: NodeGroupChange): object {
  const complete =
    group.instanceType !== undefined && group.minCount !== undefined && group.maxCount !== undefined
  return {
    Name: group.name,
    ...(complete ? { Type: type } : {}),
    ...(group.instanceType === undefined ? {} : { InstanceType: group.instanceType }),
    ...(group.minCount === undefined ? {} : { MinCount: group.minCount }),
    ...(group.maxCount === undefined ? {} : { MaxCount: group.maxCount }),
    ...(group.publicSubnet === true ? { WithPublicSubnet: true } : {}),
    ...(group.securityGroup === true ? { WithSecurityGroup: true } : {}),
  }
}

/** Versions that are wanted, and those that were seen running. Of an imported cluster those that were asked for, of a created one all. */
export function utilitiesView(
  { spec }: Cluster,
  settings: FleetSettings,
  seen: Observation | undefined,
): object {
  const everywhere = spec.provisioner === 'external' ? undefined : settings.spec.utilities
  const desired = UTILITIES.map(({ name, wireName }) => {
    const utility = spec.utilities?.[name] ?? everywhere?.[name]
    if (spec.unchangedUtilities?.includes(name)) return [wireName, { Chart: '', ValuesPath: '' }] as const
    return [
      wireName,
      utility === undefined
        ? null
        : { Chart: utility.chart, ValuesPath: utility.valuesPath ?? valuesPathOf(name) },
    ] as const
  })
  const actual = UTILITIES.map(({ name, wireName }) => {
    const utility = seen?.utilities?.[name]
    return [
      wireName,
      utility === undefined ? null : { Chart: utility.chart, ValuesPath: utility.valuesPath },
    ] as const
  })
  return {
    DesiredVersions: Object.fromEntries(desired),
    ActualVersions: Object.fromEntries(actual),
    ManagedByArgocd: false,
    ArgocdClusterRegister: {},
  }
}
