/** JSON Schemas of the original's objects, for the OpenAPI document. What is listed as required is always there. */
import type { JsonObject } from '../../fleet/intents.ts'

const TEXT = { type: 'string' } as const
const NUMBER = { type: 'integer' } as const
const FLAG = { type: 'boolean' } as const
const TIME = { type: 'integer', description: 'Milliseconds since 1970; 0: never' } as const
const ANNOTATIONS = {
  type: ['array', 'null'],
  items: { type: 'object', required: ['ID', 'Name'], properties: { ID: TEXT, Name: TEXT } },
} as const
const ENV = {
  type: ['object', 'null'],
  description: 'By name. A secret value is never shown: ******** says that one is set',
  additionalProperties: { type: 'object', properties: { value: TEXT, valueFrom: { type: 'object' } } },
} as const
const LOCKS = {
  APISecurityLock: FLAG,
  LockAcquiredBy: { type: ['string', 'null'] },
  LockAcquiredAt: TIME,
} as const
const BASE = { ID: TEXT, CreateAt: TIME, DeleteAt: TIME, ...LOCKS } as const

/** @param optional fields that may be absent */
function schema(required: JsonObject, optional: JsonObject = {}): JsonObject {
  return {
    type: 'object',
    required: Object.keys(required),
    properties: { ...required, ...optional },
  }
}

function numbers(...names: readonly string[]): JsonObject {
  return schema(Object.fromEntries(names.map((name) => [name, NUMBER])))
}

const INSTALLATION = schema(
  {
    ...BASE,
    OwnerID: TEXT,
    GroupID: { type: ['string', 'null'], description: 'null: it left its group' },
    State: TEXT,
    Size: TEXT,
    Version: TEXT,
    Image: TEXT,
    Name: TEXT,
    Database: TEXT,
    Filestore: TEXT,
    License: { type: 'string', description: 'Empty, or ******** when one is set' },
    AllowedIPRanges: { type: ['array', 'null'], items: { type: 'object' } },
    Volumes: { type: ['object', 'null'], additionalProperties: { type: 'object' } },
    MattermostEnv: ENV,
    PriorityEnv: ENV,
    Affinity: TEXT,
    CRVersion: TEXT,
    DeletionLocked: FLAG,
    DNS: TEXT,
    DNSRecords: {
      type: 'array',
      items: schema({
        ID: TEXT,
        DomainName: TEXT,
        InstallationID: TEXT,
        IsPrimary: FLAG,
        CreateAt: TIME,
        DeleteAt: TIME,
      }),
    },
  },
  {
    GroupSequence: NUMBER,
    GroupOverrides: { type: 'object', additionalProperties: TEXT },
    command: { type: 'array', items: TEXT },
    SingleTenantDatabaseConfig: { type: 'object' },
    ExternalDatabaseConfig: { type: 'object' },
    PodProbeOverrides: { type: 'object' },
    DeletionPendingExpiry: TIME,
    ScheduledDeletionTime: TIME,
    Annotations: ANNOTATIONS,
  },
)

const CLUSTER = schema(
  {
    ...BASE,
    Name: TEXT,
    State: TEXT,
    Provider: TEXT,
    Provisioner: TEXT,
    Networking: TEXT,
    UtilityMetadata: { type: ['object', 'null'] },
    PgBouncerConfig: { type: ['object', 'null'] },
    AllowInstallations: FLAG,
    SchedulingLockAcquiredBy: { type: ['string', 'null'] },
    SchedulingLockAcquiredAt: TIME,
  },
  {
    ProviderMetadataAWS: { type: 'object' },
    ProviderMetadataExternal: { type: 'object' },
    ProvisionerMetadataEKS: { type: 'object' },
    ProvisionerMetadataKops: { type: 'object' },
    ProvisionerMetadataExternal: { type: 'object' },
    Annotations: ANNOTATIONS,
  },
)

const GROUP = schema(
  {
    ...BASE,
    Sequence: NUMBER,
    Name: TEXT,
    Description: TEXT,
    Version: TEXT,
    Image: TEXT,
    MaxRolling: NUMBER,
    MattermostEnv: ENV,
    annotations: ANNOTATIONS,
  },
  { Scheduling: { type: 'object' }, installation_count: NUMBER },
)

const CLUSTER_INSTALLATION = schema({
  ...BASE,
  ClusterID: TEXT,
  InstallationID: TEXT,
  Namespace: TEXT,
  State: TEXT,
  IsActive: FLAG,
})

export const WIRE_SCHEMAS = {
  Installation: INSTALLATION,
  Cluster: CLUSTER,
  Group: GROUP,
  ClusterInstallation: CLUSTER_INSTALLATION,
  InstallationsCount: numbers('Count'),
  InstallationsStatus: numbers(
    'InstallationsTotal',
    'InstallationsStable',
    'InstallationsHibernating',
    'InstallationsPendingDeletion',
    'InstallationsUpdating',
  ),
} as const satisfies Readonly<Record<string, JsonObject>>

/** Refers to one of them. */
export function schemaOf(name: keyof typeof WIRE_SCHEMAS): JsonObject {
  return { $ref: `#/components/schemas/${name}` }
}

export function listOf(name: keyof typeof WIRE_SCHEMAS): JsonObject {
  return { type: 'array', items: schemaOf(name) }
}
