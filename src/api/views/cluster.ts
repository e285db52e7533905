import type { Cluster, KubernetesChange, PgbouncerSettings } from '../../fleet/intents.ts'
import { clusterState } from '../../fleet/state.ts'
import { UTILITIES } from '../../fleet/utilities.ts'
import type { Parts } from '../context.ts'
import { annotationViews, lockView, milliseconds } from './common.ts'

type ClusterParts = Pick<Parts, 'leases' | 'observations'>

/** A cluster as the original shows it. */
export function clusterView({ leases, observations }: ClusterParts, cluster: Cluster): object {
  const { metadata, spec } = cluster
  const annotations = annotationViews(metadata.annotations)
  const scheduling = leases.get('cluster', metadata.id, 'scheduling')
  const external = spec.provisioner === 'external'
  return {
    ID: metadata.id,
    Name: spec.displayName ?? '',
    State: clusterState(cluster, observations.get('cluster', metadata.id)),
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
      : cloudView(cluster)),
    Networking: '',
    UtilityMetadata: utilitiesView(spec.utilities),
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

function cloudView({ spec }: Cluster): object {
  const eks = spec.provisioner === 'eks'
  const change = spec.change === undefined ? {} : { ChangeRequest: changeView(spec.change) }
  const own = { Name: '', Version: '', AMI: '', VPC: '', Networking: '', MaxPodsPerNode: 0 }
  return {
    ProviderMetadataAWS: { Zones: spec.zones ?? [] },
    Provisioner: spec.provisioner,
    ...(eks
      ? { ProvisionerMetadataEKS: { ...own, ClusterRoleARN: '', NodeRoleARN: '', NodeGroups: {}, ...change } }
      : {
          ProvisionerMetadataKops: {
            ...own,
            MasterInstanceType: '',
            MasterCount: 0,
            NodeInstanceType: '',
            NodeMinCount: 0,
            NodeMaxCount: 0,
            KmsKeyId: '',
            MasterInstanceGroups: null,
            NodeInstanceGroups: null,
            ...change,
          },
        }),
  }
}

/** What was asked for and is not known to be there; what was not asked for is left out. */
function changeView(change: KubernetesChange): object {
  const groups = Object.entries(change.nodeGroups ?? {}).map(([type, group]) => {
    const view: object = {
      Name: group.name,
      Type: type,
      InstanceType: group.instanceType,
      MinCount: group.minCount,
      MaxCount: group.maxCount,
      ...(group.publicSubnet === true ? { WithPublicSubnet: true } : {}),
      ...(group.securityGroup === true ? { WithSecurityGroup: true } : {}),
    }
    return [type, view] as const
  })
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

function utilitiesView(wanted: Cluster['spec']['utilities']): object | null {
  if (wanted === undefined) return null
  const desired = UTILITIES.map(({ name, wireName }) => {
    const utility = wanted[name]
    return [
      wireName,
      utility === undefined ? null : { Chart: utility.chart, ValuesPath: utility.valuesPath },
    ] as const
  })
  const actual = UTILITIES.map(({ wireName }) => [wireName, null] as const)
  return {
    DesiredVersions: Object.fromEntries(desired),
    ActualVersions: Object.fromEntries(actual),
    ManagedByArgocd: false,
    ArgocdClusterRegister: {},
  }
}
