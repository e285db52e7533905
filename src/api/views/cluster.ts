import type { Cluster, PgbouncerSettings } from '../../fleet/intents.ts'
import { clusterState } from '../../fleet/state.ts'
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
      : { ProviderMetadataAWS: { Zones: spec.zones ?? [] }, Provisioner: spec.provisioner }),
    Networking: '',
    UtilityMetadata: null,
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
