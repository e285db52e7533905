/** Intents to test with. */
import type { Id } from '../../src/fleet/ids.ts'
import {
  API_VERSION,
  type Cluster,
  type FleetSettings,
  type Group,
  type Installation,
  type InstallationSpec,
} from '../../src/fleet/intents.ts'

export const CREATED_AT = '2026-11-23T09:00:00.000Z'

/** The n-th id: same number, same id. */
export function id(number: number): Id {
  const tail = number.toString(36).padStart(8, '0')
  const head = 'ybndrfg8ejkmcpqxot1uwisza345h769'[number % 32] ?? 'y'
  return `${head}${'a'.repeat(17)}${tail}` as Id
}

export function settings(spec: Partial<FleetSettings['spec']> = {}): FleetSettings {
  return {
    apiVersion: API_VERSION,
    kind: 'Fleet',
    metadata: { name: 'example' },
    spec: {
      domain: 'cloud.example.com',
      environment: 'test',
      engine: 'argocd',
      repository: { url: 'http://127.0.0.1:8075/fleet.git' },
      templateSet: 'v1',
      dns: { provider: 'external-dns', ttlSeconds: 60 },
      secretStore: { name: 'fleetwright', keyPrefix: 'fleetwright/' },
      defaults: {
        version: '11.2.0',
        image: 'mattermost/mattermost-enterprise-edition',
        size: '100users',
        affinity: 'multitenant',
        database: 'cloudnative-pg',
        filestore: 'local-ephemeral',
        ingressClass: 'nginx-controller',
        ndots: 5,
      },
      placement: { thresholdPercent: 80, installationsPerCluster: 500 },
      limits: {
        installationsPerSharedDatabase: 300,
        installationsPerPgbouncerDatabase: 2500,
        schemasPerLogicalDatabase: 10,
      },
      deletion: { pendingSeconds: 180, keepDatabase: true, keepFilestore: true },
      editedManifests: 'overwrite',
      ...spec,
    },
  }
}

export const AWS: NonNullable<FleetSettings['spec']['aws']> = {
  region: 'us-east-1',
  accountId: '123456789012',
  databaseSubnetGroup: { name: 'databases', subnetIds: ['subnet-1', 'subnet-2'] },
  databaseSecurityGroupIds: ['sg-1'],
  sharedBucket: 'shared',
  bifrostBucket: 'bifrost',
  auroraPostgresqlVersion: '16.4',
  providerConfig: 'aws',
}

export function cluster(
  name: string,
  number: number,
  spec: Partial<Cluster['spec']> = {},
  annotations?: readonly string[],
): Cluster {
  return {
    apiVersion: API_VERSION,
    kind: 'Cluster',
    metadata: {
      id: id(number),
      name,
      createdAt: CREATED_AT,
      ...(annotations === undefined ? {} : { annotations }),
    },
    spec: {
      provider: 'external',
      provisioner: 'external',
      allowInstallations: true,
      templateSet: 'v1',
      operation: { kind: 'provisioning', generation: 1, requestedAt: CREATED_AT },
      ...spec,
    },
  }
}

export function group(name: string, number: number, spec: Partial<Group['spec']> = {}): Group {
  return {
    apiVersion: API_VERSION,
    kind: 'Group',
    metadata: { id: id(number), name, createdAt: CREATED_AT },
    spec: { displayName: name, maxRolling: 1, sequence: 0, ...spec },
  }
}

export function installation(
  name: string,
  number: number,
  spec: Partial<InstallationSpec> = {},
): Installation {
  return {
    apiVersion: API_VERSION,
    kind: 'Installation',
    metadata: { id: id(number), name, createdAt: CREATED_AT },
    spec: {
      owner: 'owner',
      version: '11.2.0',
      image: 'mattermost/mattermost-enterprise-edition',
      size: '100users',
      affinity: 'multitenant',
      dns: [
        {
          id: id(number + 1_000_000),
          name: `${name}.cloud.example.com`,
          primary: true,
          createdAt: CREATED_AT,
        },
      ],
      database: { kind: 'cloudnative-pg' },
      filestore: { kind: 'local-ephemeral' },
      templateSet: 'v1',
      operation: { kind: 'creation', generation: 1, requestedAt: CREATED_AT },
      ...spec,
    },
  }
}
